/**
 * A reviewer that stays: it has a document open, and reviews it when a member asks for that in
 * the chat, one request after the other. Each gets an answer there, which says how it went and
 * nothing that the model said.
 */

import { failure } from '../src/core/error.js'
import { Ledger } from './ledger.js'
import { passageOf, within } from './passage.js'
import { poster } from './post.js'
import { answerId, MOST_WISHED, requestOf } from './request.js'
import { loaded, reviewOpen } from './run.js'

/** @import { Client } from '../src/client.js' */
/** @import { Document } from '../src/document.js' */
/** @import { Message } from '../src/talk/chat.js' */
/** @import { Surroundings } from './http.js' */
/** @import { Placed } from './journal.js' */
/** @import { Options } from './options.js' */
/** @import { Wish } from './request.js' */
/** @import { Result } from './run.js' */

/** A request that was not answered is answered later, but not after such a time. */
const PATIENCE_MS = 3_600_000
const ANSWERING_MS = 60_000

/**
 * @typedef {Omit<Surroundings, 'deadline'> & { fence: () => string, print: (remark: Placed) => void, turn?: Turn }} Given
 *
 * @typedef {<T>(work: () => Promise<T>) => Promise<T>} Turn does work when that of other documents is done
 */
/** @typedef {Wish & { id: string, userId: string }} Request */

/**
 * Answer requests until the signal comes, or the document is closed.
 * @param {Options} options
 * @param {Client} client with a commenter's token
 * @param {Given} surroundings
 */
export async function wait (options, client, surroundings) {
  const document = client.open(options.document)
  const ended = new AbortController()
  const off = document.on('closed', ({ code, message }) => ended.abort(failure(code, `the document was closed: ${message}`)))
  const given = { ...surroundings, signal: AbortSignal.any([surroundings.signal, ended.signal]) }
  try {
    await loaded(document, { ...given, deadline: given.now() + options.maxTime })
    if (document.role === 'viewer') throw failure('forbidden', 'the token is a viewer\'s; a commenter\'s is needed to answer')
    const ledger = new Ledger(options.state, [document.id, String(document.userId)], given.now)
    try {
      await new Waiting(options, client, document, given, ledger).all()
    } finally {
      ledger.release()
    }
  } catch (error) {
    // being ended is how this ends
    if (!surroundings.signal.aborted) throw error
  } finally {
    off()
    document.release()
  }
}

class Waiting {
  /** Requests that were answered, or cannot be. */
  #done = new Set()
  #wake = () => {}

  /** @param {Options} options @param {Client} client @param {Document} document @param {Given} surroundings @param {Ledger} ledger */
  constructor (options, client, document, surroundings, ledger) {
    this.options = options
    this.client = client
    this.document = document
    this.surroundings = surroundings
    this.ledger = ledger
  }

  async all () {
    const { document, options, surroundings: { signal, log, turn = work => work() } } = this
    await this.#orEnd(document.chat.loaded)
    const wake = () => this.#wake()
    const offs = [document.on('chat', wake), document.on('status', wake)]
    signal.addEventListener('abort', wake)
    log(`waiting for messages that begin with @${document.userId}, at most ${options.dailyReviews} reviews and ${options.dailyBudget} tokens a day`)
    try {
      while (!signal.aborted) {
        const request = this.#next()
        if (request) await turn(() => this.#serve(request))
        else await this.#rest()
      }
      throw signal.reason
    } finally {
      for (const off of offs) off()
      signal.removeEventListener('abort', wake)
    }
  }

  /** @template T @param {Promise<T>} promise @returns {Promise<T>} */
  #orEnd (promise) {
    const { signal } = this.surroundings
    return Promise.race([promise, new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason)
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })])
  }

  /** Wait for something to be said. */
  #rest () {
    const { options: { name, color }, document } = this
    document.presence.set({ name: `${name} (waiting)`, color, cursor: null })
    return new Promise(resolve => { this.#wake = () => resolve(undefined) })
  }

  /** The oldest request that has no answer. @returns {Request | undefined} */
  #next () {
    const { document: { chat, userId }, surroundings: { now } } = this
    const { list } = chat
    const there = new Set(list.map(({ id }) => id))
    for (const message of list) {
      const { id, at, userId: by } = message
      if (this.#done.has(id) || at === null || by === null || by === userId || there.has(answerId(id)) || now() - Date.parse(at) > PATIENCE_MS) continue
      const asked = requestOf(message.body, String(userId))
      if (asked) return { ...asked, id, userId: by }
    }
  }

  /** @param {Request} request */
  async #serve (request) {
    const { signal, log } = this.surroundings
    if (signal.aborted) return
    this.#done.add(request.id)
    log(`${request.userId} asks for a review${request.wish ? `: ${request.wish}` : ''}`)
    const answer = this.#refusal(request) ?? await this.#review(request)
    if (signal.aborted) return // the next start goes on with it
    log(answer)
    await this.#answer(request, answer).catch(error => log(`the answer could not be given: ${error.message}`))
  }

  /** Why a request is not carried out. @param {Request} request */
  #refusal ({ id, userId, wish }) {
    const { options: { dailyReviews, dailyBudget }, ledger: { today: { reviews, tokens, last } } } = this
    const not = (/** @type {string} */ why) => `No review for @${userId}: ${why}`
    if ([...wish].length > MOST_WISHED) return not(`what to look for may have ${MOST_WISHED} characters.`)
    if (reviews >= dailyReviews && last !== id) return not(`this document had the ${dailyReviews} reviews of a day.`)
    return tokens >= dailyBudget ? not('this document has used up the tokens of a day.') : null
  }

  /** @param {Request} request @returns {Promise<string>} how it went */
  async #review (request) {
    const { options, client, document, surroundings, ledger } = this
    const { userId, wish, range } = request
    const deadline = surroundings.now() + options.maxTime
    try {
      const passage = range && await passageOf(client, document, range)
      ledger.begin(request.id)
      const result = await reviewOpen({ ...options, wish, passage, budget: Math.min(options.budget, options.dailyBudget - ledger.today.tokens) }, client, document, {
        ...surroundings, deadline, spent: tokens => ledger.spend(tokens), open: () => within(document)
      })
      if (result.unchanged && result.tokens === 0) ledger.undo(request.id)
      result.notes.forEach(surroundings.log)
      return told(userId, result)
    } catch (error) {
      const { code, message } = /** @type {any} */ (error)
      surroundings.log(message)
      // an error of the endpoint may name what is no member's business
      return `No review for @${userId}: ${/^(too_large|passage)$/.test(code) ? `${message}.` : 'it failed; the reviewer\'s log says why.'}`
    }
  }

  /** @param {Request} request @param {string} answer */
  #answer ({ id }, answer) {
    const { options: { url }, client: { token }, document, surroundings } = this
    return poster({ url, document: document.id, token }, { ...surroundings, deadline: surroundings.now() + ANSWERING_MS }).say(answerId(id), answer)
  }
}

/** How a review went. @param {string} userId who asked @param {Result} result */
function told (userId, { posted, dropped, left, unchanged, version }) {
  if (unchanged && posted === 0) return `Nothing new for @${userId}: the text is as it was in version ${version}, which was reviewed.`
  const parts = [`${posted || 'no'} ${posted === 1 ? 'remark' : 'remarks'}`]
  if (dropped > 0) parts.push(`${dropped} dropped`)
  return `Reviewed for @${userId}: ${parts.join(', ')}.${left > 0 ? ` ${left} ${left === 1 ? 'part' : 'parts'} could not be reviewed; the reviewer's log says why.` : ''}`
}
