/**
 * A review: reads the document, asks about one part after the other, finds the places of
 * the remarks and posts them. What is done is in the journal before the next step begins.
 */

import { failure } from '../src/core/error.js'
import { read } from './answer.js'
import { Endpoint, estimate } from './endpoint.js'
import { hash, idOf } from './ids.js'
import { Journal } from './journal.js'
import { cut, halve } from './parts.js'
import { around, findAgain, occurrences, place, points, replacing } from './places.js'
import { poster } from './post.js'
import { messages } from './prompt.js'

/** @import { Client } from '../src/client.js' */
/** @import { Document } from '../src/document.js' */
/** @import { Remark } from './answer.js' */
/** @import { Surroundings } from './http.js' */
/** @import { Part, Placed } from './journal.js' */
/** @import { Options } from './options.js' */
/** @import { Passage } from './passage.js' */
/** @import { Range } from './parts.js' */

/** A part that is asked about in halves is not cut again below this, nor more often. */
const LEAST_PART = 400
const MOST_CUTS = 3

/** Remarks on earlier versions that are remembered. */
const REMEMBERED = 2000

/** What was found in the last moment has this long to be posted. */
const POSTING_MS = 60_000

/**
 * @typedef {object} Result
 * @property {boolean} whole the whole text is reviewed
 * @property {number} posted by this run
 * @property {number} tokens used by this run
 * @property {Placed[]} remarks
 * @property {string[]} notes what was left out, and why
 * @property {number} dropped remarks that this run has left out
 * @property {number} left parts that were not reviewed
 * @property {number} version that was reviewed
 * @property {boolean} unchanged it was reviewed before
 *
 * @typedef {object} More
 * @property {() => string} fence
 * @property {(remark: Placed) => void} print
 * @property {(tokens: number) => void} [spent] tokens were used
 * @property {() => (Range & { kind: Remark['kind'] })[]} [open] what the user has said of the text as it is
 *
 * @typedef {Options & { wish?: string, passage?: Passage | null }} Asked with what a member wants to be looked for, and where
 */

/**
 * Review a document.
 * @param {Options} options
 * @param {Client} client with a commenter's token
 * @param {Surroundings & More} surroundings
 * @returns {Promise<Result>}
 */
export async function review (options, client, surroundings) {
  const document = client.open(options.document)
  const ended = new AbortController()
  document.on('closed', ({ code, message }) => ended.abort(failure(code, `the document was closed: ${message}`)))
  const given = { ...surroundings, signal: AbortSignal.any([surroundings.signal, ended.signal]) }
  try {
    await loaded(document, given)
    return await reviewOpen(options, client, document, given)
  } finally {
    document.release()
  }
}

/**
 * Review a document that is open and loaded.
 * @param {Asked} options @param {Client} client @param {Document} document @param {Surroundings & More} surroundings
 * @returns {Promise<Result>}
 */
export async function reviewOpen (options, client, document, surroundings) {
  const run = new Run(options, client, document, surroundings)
  try {
    return await run.all()
  } finally {
    run.journal.release()
  }
}

/** Wait for the text and the role. @param {Document} document @param {Surroundings} surroundings */
export async function loaded (document, { signal, now, deadline }) {
  const late = AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, Math.min(60_000, deadline - now())))])
  await new Promise((resolve, reject) => {
    late.addEventListener('abort', () => reject(signal.aborted ? signal.reason : failure('unavailable', `the relay cannot be reached (${document.status})`)))
    document.on('status', status => status === 'unauthenticated' && reject(failure('unauthenticated', 'the relay does not accept the token')))
    document.loaded.then(resolve, reject)
    if (signal.aborted) reject(signal.reason)
  })
}

class Run {
  #tokens = 0
  #posted = 0
  /** @type {string[]} */
  #notes = []
  #printed = new Set()
  #dropped = 0
  #unchanged = false
  /** @type {string | null} why nothing more is asked */
  #stopped = null

  /**
   * @param {Asked} options @param {Client} client @param {Document} document
   * @param {Surroundings & More} surroundings
   */
  constructor (options, client, document, surroundings) {
    if (!options.dryRun && document.role === 'viewer') throw failure('forbidden', 'the token is a viewer\'s; a commenter\'s is needed to post (or --dry-run)')
    if (/editor|owner/.test(document.role ?? '')) surroundings.log(`the token is an ${document.role}'s; a commenter's would do`)
    this.options = options
    this.client = client
    this.document = document
    this.surroundings = surroundings
    this.endpoint = new Endpoint(options, surroundings)
    this.poster = poster({ url: options.url, document: document.id, token: client.token }, { ...surroundings, deadline: surroundings.deadline + POSTING_MS })
    const { wish = '', passage } = options
    this.run = idOf('run', document.id, document.userId, options.model, options.task, ...(wish || passage ? [wish, passage?.quote ?? null] : []))
    this.journal = new Journal(options.state, this.run)
    this.text = ''
  }

  /** @returns {Promise<Result>} */
  async all () {
    const { log } = this.surroundings
    if (!await this.#resume()) this.#begin()
    this.#unchanged = this.state.finished
    if (this.#unchanged) log(`nothing has changed since version ${this.state.version} was reviewed (--fresh reviews it again)`)
    for (const part of this.state.parts) {
      if (part.state !== 'asked' && !this.#stopped) await this.#askAbout(part)
    }
    // some may be left of a run that ended between asking and posting
    await this.#postAll()
    return this.#result()
  }

  get state () {
    const { state } = this.journal
    if (!state) throw new Error('there is no run')
    return state
  }

  // ---- beginning ----

  /** Go on with a run that is in the journal; false if there is none that can be gone on with. */
  async #resume () {
    const { state } = this.journal
    const { document, options, surroundings: { log } } = this
    if (!state || options.fresh) return false
    const unchanged = state.hash === hash(document.text)
    if (state.finished) {
      this.text = document.text
      return unchanged
    }
    const text = unchanged ? document.text : await this.#textAt(state.version)
    if (text === null) {
      log(`version ${state.version}, which an earlier run began to review, is not there any more; beginning anew`)
      return false
    }
    log(`going on with the review of version ${state.version}`)
    this.text = text
    return true
  }

  /** The text of the version that the journal is about; null if it is not there, or another. @param {number} version */
  async #textAt (version) {
    try {
      const { content } = /** @type {any} */ (await this.client.rest.content(this.document.id, { version }))
      return hash(content) === this.state.hash ? content : null
    } catch (error) {
      if (/^OT00[17]$/.test(/** @type {any} */ (error).code)) return null
      throw error
    }
  }

  #begin () {
    const { document, options: { maxSize, part, budget, passage }, surroundings: { log } } = this
    const { text, version } = document
    const size = [...text].length
    if (size > maxSize) throw failure('too_large', `the text has ${size} characters, more than the ${maxSize} of --max-size`)
    const where = passage?.find(text, version)
    if (where === null) throw failure('passage', 'the passage that it is about was changed or deleted')
    this.text = text
    this.journal.state = {
      schema: 1, document: document.id, version, hash: hash(text), finished: false, remarks: [], earlier: this.#earlier(),
      parts: cut(text, part, where).filter(({ from, to }) => text.slice(from, to).trim() !== '').map(range => ({ ...range, state: 'open' }))
    }
    this.journal.save()
    const { parts } = this.state
    log(`version ${version}: ${size} characters in ${parts.length} parts, about ${parts.reduce((sum, { from, to }) => sum + this.#costOf(text.slice(from, to)), 0)} tokens at most, of ${budget}`)
  }

  /** What was posted before, unless all is to be said anew. */
  #earlier () {
    const { state } = this.journal
    if (!state || this.options.fresh) return []
    const posted = state.remarks.filter(remark => remark.state === 'posted')
    return [...state.earlier, ...posted.map(({ kind, quote, around }) => ({ kind, quote, around }))].slice(-REMEMBERED)
  }

  // ---- asking ----

  /** What a question about a text may cost. @param {string} text */
  #costOf (text) {
    const { task, maxRemarks: most, wish } = this.options
    const asked = messages({ text, task, most, wish, fence: '0'.repeat(32) })
    return estimate(asked.map(message => message.content).join('')) + this.options.answerTokens
  }

  /** Remarks that may still be made. */
  get #room () {
    return this.options.maxRemarks - this.state.remarks.filter(({ state }) => state !== 'dropped').length
  }

  /** Ask about a part, and post what comes of it. @param {Part} part */
  async #askAbout (part) {
    const why = this.#limit(part)
    if (why) return this.#stop(part, why)
    this.#show('thinking', part.from, part.from)
    const left = this.state.parts.filter(({ state }) => state !== 'asked').length
    const most = Math.ceil(this.#room / left)
    const found = await this.#ask(part, most, 0).catch(error => {
      if (error.code !== 'unavailable' && error.code !== 'no_time') throw error
      this.#stop(part, error.message)
    })
    if (!found) return
    part.state = typeof found === 'string' ? 'failed' : 'asked'
    if (typeof found === 'string') this.#notes.push(`${this.#lineAt(part.from)} to ${this.#lineAt(part.to)} was not reviewed: ${found}`)
    else this.#place(found.slice(0, most), part)
    this.journal.save()
    await this.#postAll()
  }

  /** Ask nothing more. @param {Part} part @param {string} why */
  #stop (part, why) {
    this.#stopped = why
    this.#notes.push(`the text from ${this.#lineAt(part.from)} on was not reviewed: ${why}`)
  }

  /** Which limit a question about a part would break. @param {Range} part */
  #limit ({ from, to }) {
    const { options: { budget, maxRemarks }, surroundings: { now, deadline } } = this
    if (this.#room <= 0) return `${maxRemarks} remarks are made (--max-remarks)`
    if (this.#tokens + this.#costOf(this.text.slice(from, to)) > budget) return `${this.#tokens} tokens are used, and the next question could go beyond ${budget} (--budget)`
    return now() >= deadline ? 'the time is over (--max-time)' : null
  }

  /**
   * The remarks on a part, or why there are none.
   * @param {Range} part @param {number} most @param {number} cuts
   * @returns {Promise<Remark[] | string>}
   */
  async #ask (part, most, cuts) {
    let why = ''
    for (let tried = 0; tried < 2; tried++) {
      const limit = this.#limit(part)
      if (limit) return limit
      const said = await this.endpoint.ask(this.#question(part, most))
      this.#tokens += said.tokens
      this.surroundings.spent?.(said.tokens)
      const answer = said.kind === 'answer' ? read(said.content) : null
      if (answer) {
        for (const { what, why } of answer.dropped) this.#note(why, what)
        return answer.remarks
      }
      why = said.kind === 'answer' ? 'the answer is not the JSON that was asked for' : `${said.kind}: ${said.content}`
      if (said.kind === 'refused') break
      if (said.kind === 'truncated' || said.kind === 'too_long') return this.#askHalves(part, most, cuts, why)
    }
    return why
  }

  /** @param {Range} part @param {number} most @param {number} cuts @param {string} why @returns {Promise<Remark[] | string>} */
  async #askHalves (part, most, cuts, why) {
    if (cuts === MOST_CUTS || part.to - part.from < LEAST_PART) return why
    const remarks = []
    for (const half of halve(this.text, part)) {
      const found = await this.#ask(half, Math.ceil(most / 2), cuts + 1)
      if (typeof found === 'string') return found
      remarks.push(...found)
    }
    return remarks
  }

  /** @param {Range} part @param {number} most */
  #question ({ from, to }, most) {
    const text = this.text.slice(from, to)
    const { task, wish = '' } = this.options
    let fence
    do fence = this.surroundings.fence()
    while (text.includes(fence) || wish.includes(fence))
    return messages({ text, task, most, fence, wish })
  }

  /** Note that a remark is dropped. @param {string} why @param {string} what */
  #note (why, what) {
    this.#dropped++
    this.#notes.push(`dropped, since ${why}: ${what}`)
  }

  // ---- placing ----

  /** Find the places of remarks, and note them. @param {Remark[]} remarks @param {Range} part */
  #place (remarks, part) {
    for (const remark of remarks) {
      const passage = place(this.text, part, remark)
      const placed = typeof passage === 'string' ? passage : this.#placed(remark, passage)
      if (typeof placed === 'string') this.#note(placed, `${JSON.stringify(remark.quote)}: ${JSON.stringify(remark.body)}`)
      else this.state.remarks.push(placed)
    }
  }

  /** @param {Remark} remark @param {Range} passage @returns {Placed | string} or why it is dropped */
  #placed ({ kind, quote, body, replacement }, passage) {
    const { text, run, state: { remarks, version } } = this
    const which = occurrences(text, quote, { from: 0, to: passage.to }).length
    const id = idOf(run, kind, quote, which, body, replacement)
    const range = points(text, passage)
    if (remarks.some(other => other.id === id)) return 'it was made before'
    if (this.#isOld(kind, passage) || this.#isOpen(kind, passage)) return 'a remark on the same passage was made before'
    if (kind === 'suggestion' && remarks.some(other => other.kind === kind && other.from < range.to && range.from < other.to)) return 'another suggestion is about the same text'
    return {
      id,
      ...(kind === 'comment' ? { threadId: idOf(id, 'thread') } : { op: replacing(text, passage, replacement ?? '') }),
      kind, version, ...range, quote, around: around(text, passage), at: this.#lineAt(passage.from), body, replacement, state: 'placed'
    }
  }

  /** Return true if an earlier run has a remark of a kind on a passage that is as it was. @param {Remark['kind']} kind @param {Range} passage */
  #isOld (kind, { from, to }) {
    this.#old ??= this.state.earlier.map(old => ({ kind: old.kind, at: findAgain(this.text, old.quote, old.around) }))
    return this.#old.some(old => old.kind === kind && old.at !== null && old.at.from < to && from < old.at.to)
  }

  /** Return true if a remark of a kind, made for another request, is open on a passage. @param {Remark['kind']} kind @param {Range} passage */
  #isOpen (kind, { from, to }) {
    const { document, surroundings: { open } } = this
    if (!open || this.options.fresh || this.text !== document.text) return false
    return open().some(other => other.kind === kind && other.from < to && from <= other.to)
  }

  /** @type {{ kind: Remark['kind'], at: Range | null }[] | undefined} where remarks of earlier runs are now */
  #old

  /** Line and column of an offset. @param {number} offset */
  #lineAt (offset) {
    const before = this.text.slice(0, offset).split('\n')
    return `${before.length}:${[...before[before.length - 1]].length + 1}`
  }

  // ---- posting ----

  async #postAll () {
    for (const remark of this.state.remarks) {
      if (remark.state !== 'placed' || this.#printed.has(remark.id)) continue
      if (this.options.dryRun || await this.#post(remark)) this.surroundings.print(remark)
      this.#printed.add(remark.id)
    }
  }

  /**
   * Post a remark if what it is about is there still; true if it is posted.
   * @param {Placed} remark
   * @returns {Promise<boolean>}
   */
  async #post (remark) {
    const now = findAgain(this.document.text, remark.quote, remark.around)
    if (!now) return this.#drop(remark, 'its passage has changed meanwhile')
    this.#show('writing', now.from, now.to)
    try {
      await this.poster.post(remark)
    } catch (error) {
      const { code, message, status } = /** @type {any} */ (error)
      if (code === 'OT001' && remark.version !== this.document.version) return this.#renew(remark)
      if (code === 'OT004') return this.#known(remark)
      if (status >= 500 || status === undefined || /^40[134]$|^429$/.test(status) || code === 'OT006') throw error
      return this.#drop(remark, message)
    }
    this.#posted++
    return this.#mark(remark, 'posted')
  }

  /** The version it is about is not there any more: post it about the newest. @param {Placed} remark @returns {Promise<boolean>} */
  async #renew (remark) {
    const { text, version } = this.document
    const passage = findAgain(text, remark.quote, remark.around)
    if (!passage) return this.#drop(remark, 'its passage has changed meanwhile')
    Object.assign(remark, { version, ...points(text, passage) }, remark.op && { op: replacing(text, passage, remark.replacement ?? '') })
    this.journal.save()
    return this.#post(remark)
  }

  /** An earlier run has posted it, about another version of the text. @param {Placed} remark */
  #known (remark) {
    this.#mark(remark, 'posted')
    return false
  }

  /** @param {Placed} remark @param {string} why */
  #drop (remark, why) {
    remark.why = why
    this.#note(why, `${JSON.stringify(remark.quote)}: ${JSON.stringify(remark.body)}`)
    return this.#mark(remark, 'dropped')
  }

  /** @param {Placed} remark @param {Placed['state']} state */
  #mark (remark, state) {
    remark.state = state
    this.journal.save()
    return state === 'posted'
  }

  /** Show what this is doing, and where. @param {'thinking' | 'writing'} what @param {number} anchor @param {number} head */
  #show (what, anchor, head) {
    const { options: { name, color }, document } = this
    document.presence.set({ name: `${name} (${what})`, color, cursor: { anchor: Math.min(anchor, document.length), head: Math.min(head, document.length) } })
  }

  // ---- the end ----

  /** @returns {Result} */
  #result () {
    const { state, options, document, surroundings: { log } } = this
    const whole = state.parts.every(part => part.state === 'asked')
    if (whole && !options.dryRun && !state.finished) {
      state.finished = true
      this.journal.save()
      if (state.hash !== hash(document.text)) log(`the text has changed since version ${state.version}: run again to review it as it is`)
    }
    return {
      whole, posted: this.#posted, tokens: this.#tokens, remarks: state.remarks, notes: this.#notes,
      dropped: this.#dropped, left: state.parts.filter(part => part.state !== 'asked').length, version: state.version, unchanged: this.#unchanged
    }
  }
}
