/**
 * Keeps a document's state and the server's the same: takes what comes from the link, sends
 * what was typed, one op at a time, and decides what becomes of it. It knows no user
 * interface and no storage; what happens it tells its host, what must be stored before it
 * may be sent its keeper.
 */

import { parse, print, IDENTITY, whole } from '../ot/index.js'
import { batchOf } from './edits.js'
import { ids } from './ids.js'
import { makeLink } from '../net/link.js'
import * as states from './state.js'

/** @import { Op, WireOp } from '../ot/op.js' */
/** @import { Record as Stored } from '../offline/backend.js' */
/** @import { Change } from '../ot/text.js' */
/** @import { Client } from '../client.js' */
/** @import { Batch } from './edits.js' */
/** @import { Point, State, Step } from './state.js' */

/**
 * @typedef {object} SyncHost
 * @property {(op: Op, changes: Change[], how: { origin: 'local' | 'remote', userId: string | null, source?: unknown, undo?: boolean }) => void} changed what is shown
 * @property {(op: Op | null, from: number, userId: string | null) => void} advanced the server's text, by an op from a version; null: in a way that cannot be followed
 * @property {() => void} pending what is pending has changed
 * @property {(draft: Op, failed: { code: string, message: string, operationId: string | null }, batches: Batch[]) => void} gaveBack
 * @property {() => void} live ops flow
 * @property {(message: any) => void} told something that does not concern the text
 * @property {(up: boolean) => void} moved a connection is being made, or was lost
 * @property {() => void} unauthenticated
 * @property {(code: number, reason: string) => void} ended for good
 *
 * @typedef {object} Gate what stores
 * @property {(typed: WireOp | null) => void} changed the state is another; by typing alone, if an op is given
 * @property {(op: WireOp | null) => void} advanced the server's text, by an op, or (null) by a jump
 * @property {() => Promise<void> | null} gate resolves when what was frozen may be sent; null: now
 */

/** Bytes of an op that every server takes, and those below which it is not cut any more. */
const LIMIT_BYTES = 512 * 1024
const LEAST_BYTES = 256

export class Sync {
  /**
   * @param {Client} client
   * @param {string} id of the document
   * @param {SyncHost} host
   */
  constructor (client, id, host) {
    const { env } = client
    this.env = env
    this.host = host
    this.link = makeLink(env, client.socketUrl(id), client.token, {
      ...host,
      hello: token => this.hello(token),
      receive: message => this.receive(message),
      lost: code => this.lost(code)
    })
    /** @type {Gate | null} */
    this.keeper = null
    /** @type {State | null} */
    this.state = null
    this.nextId = ids(env.random)
    /** @type {string | undefined} the database's life */
    this.life = undefined
    /** @type {Batch | null} of what was sent */
    this.sentBatch = null
    /** @type {Batch | null} of what was typed behind it */
    this.batch = null
    this.limit = LIMIT_BYTES
    /** @type {(() => void) | null} what the host is to be told once the state is the new one */
    this.after = null
    this.over = false // the document has ended, perhaps while a message was being taken
    this.fresh = false // the next hello asks for a snapshot
    /** @type {'in' | 'out' | null} what an earlier connection said of the op that was sent */
    this.verdict = null
    /** @type {any} */
    this.again = null
    this.#lost()
  }

  /** Nothing is agreed with a server. */
  #lost () {
    this.flowing = false // ops flow: the snapshot, if any, is taken
    this.awaited = 0 // the version up to which ops come by themselves, among them perhaps our own
    /** @type {object | null} something is on its way to the server, or waits to be */
    this.sending = null
    this.lived = false // ops have flowed on this connection
    /** @type {'in' | 'out' | 'as it was' | null} what is known of the op that was sent */
    this.known = null
  }

  // ---- what the link wants ----

  /** @param {string} token */
  hello (token) {
    const { state, life } = this
    const held = state === null || this.fresh ? {} : {
      version: state.version,
      ...(state.operationId === null ? {} : { operationId: state.operationId, sequenceId: state.sequenceId ?? undefined })
    }
    return { type: 'hello', token, ...held, life, pending: state?.sent?.id }
  }

  /** The connection is lost, or closed. @param {number} code */
  lost (code) {
    this.env.clearTimeout(this.again)
    this.#lost()
    // an op that is too big for the server's door: smaller pieces, once it is known not to be in
    const sent = this.state?.sent
    if (code === 1009 && sent) {
      this.limit = Math.max(LEAST_BYTES, Math.min(this.limit, this.#sentBytes()) >> 1)
      if (sent.tries === 1) this.verdict = 'out'
    }
  }

  #sentBytes () {
    const op = this.state?.sent?.op ?? IDENTITY
    return new TextEncoder().encode(JSON.stringify(print(op))).length
  }

  /** @param {any} message */
  receive (message) {
    switch (message.type) {
      case 'joined': return this.#joined(message)
      case 'snapshot': return this.#snapshot(message)
      case 'ops': return this.#ops(message.ops)
      case 'catchup': return this.#ops([message], message.fromVersion)
      case 'reject': return this.#rejected(message)
      case 'checksum': return void this.#checksum()
      case 'error':
        if (message.retryAfter > 0) this.link.atLeast(message.retryAfter)
        return this.host.told(message)
      default: return this.host.told(message)
    }
  }

  // ---- joining ----

  /** @param {any} message */
  #joined (message) {
    const { pendingVersion, resumed, version } = message
    const { state } = this
    this.link.joined()
    this.life = message.life
    this.known = this.verdict
    if (typeof pendingVersion === 'number') this.known = pendingVersion <= version ? 'in' : 'as it was'
    else if (pendingVersion === null) this.known = 'out'
    this.flowing = false
    this.awaited = version
    this.host.told(message)
    if (resumed !== true) return
    if (state?.sent && typeof pendingVersion === 'number' && pendingVersion <= state.version) this.#own({ version: pendingVersion, operationId: state.sent.id })
    this.#flow()
  }

  /** @param {any} message */
  #snapshot ({ content, version, operationId = null, sequenceId = null }) {
    const { state } = this
    const point = { version, operationId, sequenceId }
    // a second one on this connection, and an op is under way that it may have or not: only a
    // new connection says that
    if (this.lived && state?.sent) return this.#resynchronize(null)
    if (state === null) this.#begin(content, point)
    else {
      const step = states.replace(state, content, point, this.known ?? 'out')
      this.#advanced(null, version, null)
      this.#take(step, { origin: 'remote', userId: null })
      // it is in, or nothing is left of it
      if (state.sent !== null && step.state.sent === null) this.#answered({ operationId: this.known === 'in' ? state.sent.id : null, version, at: null })
    }
    this.fresh = false
    this.known = this.verdict = null
    this.awaited = version
    if (!this.over) this.link.send({ type: 'ack', sequenceId })
    this.#flow()
  }

  /** @param {string} content @param {Point} point */
  #begin (content, point) {
    this.state = states.begin(content, point)
    this.keeper?.advanced(null)
    this.keeper?.changed(null)
  }

  /** Ops flow now. */
  #flow () {
    if (this.over) return
    this.flowing = this.lived = true
    this.host.live()
    this.flush()
  }

  // ---- ops ----

  /**
   * Take committed ops, in order. Neighbours of one user are taken as one.
   * @param {any[]} entries
   * @param {number} [from] the version the only one of them begins at
   */
  #ops (entries, from) {
    for (let i = 0; i < entries.length;) {
      const { state } = this
      if (state === null || this.over) return
      let entry = entries[i++]
      const first = from ?? entry.version - 1
      if (entry.operationId === state.sent?.id) this.#own(entry)
      else if (entry.version > state.version) {
        if (first !== state.version) return this.#gap()
        const ops = [parse(entry.op)]
        for (let next; (next = entries[i]) !== undefined && next.version === entry.version + 1 && next.userId === entry.userId && next.operationId !== state.sent?.id; i++) {
          ops.push(parse(next.op))
          entry = next
        }
        this.#others(ops, entry)
      }
    }
    this.flush()
  }

  /** Something is missing: resume. */
  #gap () {
    this.link.restart()
  }

  /** @param {Op[]} ops @param {any} entry the last of them */
  #others (ops, { version, operationId, sequenceId, userId = null }) {
    const state = /** @type {State} */ (this.state)
    const op = ops.length === 1 ? ops[0] : whole(ops)
    const step = states.receive(state, op, { version, operationId, sequenceId })
    this.#advanced(op, state.version, userId)
    this.#take(step, { origin: 'remote', userId })
  }

  /** @param {Op | null} op @param {number} from @param {string | null} userId */
  #advanced (op, from, userId) {
    this.keeper?.advanced(op && print(op))
    this.after = () => this.host.advanced(op, from, userId)
  }

  /** The answer to what was sent. @param {any} entry */
  #own (entry) {
    const state = /** @type {State} */ (this.state)
    const { version, operationId, sequenceId, userId = null, at = null } = entry
    if (version > state.version + 1) return this.link.restart()
    if (version <= state.version) {
      // it was in the text already: in a snapshot that came before the answer
      this.#take(states.settle(state, IDENTITY), { origin: 'remote', userId })
    } else {
      const op = parse(entry.op)
      const step = states.settle(state, op, { version, operationId, sequenceId })
      this.#advanced(op, state.version, userId)
      this.#take(step, { origin: 'remote', userId })
    }
    this.#answered({ operationId, version, at })
  }

  /** What was sent is in. @param {import('./edits.js').Committed} committed */
  #answered (committed) {
    const batch = this.sentBatch
    this.known = this.verdict = null
    this.sentBatch = null
    this.sending = null
    this.link.question(false)
    if (batch !== null && batch !== this.batch) batch.resolve(committed)
    this.host.pending()
  }

  /**
   * Go to a new state that others brought about.
   * @param {Step} step
   * @param {{ origin: 'local' | 'remote', userId: string | null }} how
   */
  #take ({ state, op, changes }, how) {
    const { after } = this
    this.after = null
    this.state = state
    this.keeper?.changed(null)
    after?.()
    if (op.length > 0) this.host.changed(op, changes, how)
    // others may have left nothing of what was typed
    if (this.batch !== null && this.state.pile.length === 0) {
      this.#empty()
      this.host.pending()
    }
  }

  // ---- typing ----

  /**
   * The user changes what is shown.
   * @param {Op} op
   * @param {{ source?: unknown, undo?: boolean }} how
   * @returns {{ batch: Batch, changes: Change[] }}
   */
  edit (op, how) {
    const state = /** @type {State} */ (this.state)
    const step = states.edit(state, op)
    const batch = (this.batch ??= batchOf(this.env.now()))
    batch.edits++
    this.state = step.state
    this.keeper?.changed(print(op))
    if (step.state.pile.length === 0) this.#empty()
    this.host.changed(op, step.changes, { ...how, origin: 'local', userId: null })
    this.host.pending()
    this.flush()
    return { batch, changes: step.changes }
  }

  /** What was typed comes to nothing: it is answered at once. */
  #empty () {
    const { batch, state } = this
    this.batch = null
    if (batch !== this.sentBatch) batch?.resolve({ operationId: null, version: /** @type {State} */ (state).version, at: null })
  }

  /**
   * Send what there is to send, if it may be sent now.
   * @returns {void}
   */
  flush () {
    let { state } = this
    if (state === null || !this.flowing || this.sending) return
    if (state.sent !== null) return this.#resend()
    if (state.pile.length === 0) return
    state = this.state = states.freeze(state, this.nextId(), this.limit)
    this.sentBatch = this.batch
    if (state.sent === null) {
      this.#empty()
      this.sentBatch = null
      this.keeper?.changed(null)
      return this.host.pending()
    }
    // the rest of a long op belongs to the same edits
    if (!state.sent.more) this.batch = null
    this.keeper?.changed(null)
    this.#send()
  }

  /**
   * What was sent before goes again, once it cannot come by itself any more.
   * @returns {void}
   */
  #resend () {
    const state = /** @type {State} */ (this.state)
    if (this.known !== 'out' && state.version < this.awaited) return
    if (this.known === 'out' && this.#sentBytes() > this.limit) {
      this.#thaw()
      return this.flush()
    }
    this.#send()
  }

  /** Type again what was sent and is known not to be in. */
  #thaw () {
    this.state = states.thaw(/** @type {State} */ (this.state))
    const { sentBatch, batch } = this
    if (sentBatch !== null && batch !== null && sentBatch !== batch) {
      // edits behind it go with it: whoever waits for them is answered by the same op
      batch.promise.then(value => sentBatch.resolve(value), error => sentBatch.reject(error))
      batch.edits += sentBatch.edits
      batch.since = sentBatch.since
    } else this.batch = sentBatch ?? batch
    this.sentBatch = null
    this.known = this.verdict = null
    this.keeper?.changed(null)
  }

  /** Send what is frozen, when the keeper lets it go. */
  #send () {
    const turn = this.sending = {}
    const sent = this.state?.sent
    const gate = this.keeper?.gate() ?? null
    const go = () => {
      const now = this.state?.sent
      if (this.sending !== turn || !now || now.id !== sent?.id || !this.flowing) return
      this.link.send({ type: 'op', operationId: now.id, baseVersion: now.base, op: print(now.op) })
      this.link.question(true)
      this.state = { .../** @type {State} */ (this.state), sent: { ...now, tries: now.tries + 1 } }
    }
    if (gate === null) go()
    else gate.then(go, () => {})
  }

  // ---- refusals ----

  /** @param {any} message */
  #rejected ({ operationId, code, message, retryAfter }) {
    const sent = this.state?.sent
    if (!sent || sent.id !== operationId) return
    this.link.question(false)
    this.sending = null
    switch (code) {
      case 'unavailable':
      case 'rate_limited': return this.#later(retryAfter)
      case 'stale': return this.#resynchronize('out')
      case 'conflict': return this.#conflict()
      case 'too_large': return this.#tooLarge(message)
      default: this.giveBack(code, message)
    }
  }

  /** Send again after a while. @param {unknown} ms */
  #later (ms) {
    const turn = this.sending = {}
    this.env.clearTimeout(this.again)
    this.again = this.env.setTimeout(() => {
      // it may have come meanwhile, and the next be under way
      if (this.sending !== turn) return
      this.sending = null
      this.flush()
    }, typeof ms === 'number' && ms > 0 ? ms : 1000)
  }

  /** The id is taken: by ourselves, if it was sent before; then the op is in. */
  #conflict () {
    const state = /** @type {State} */ (this.state)
    const sent = /** @type {import('./state.js').Sent} */ (state.sent)
    if (sent.tries === 1) this.state = { ...state, sent: { ...sent, id: this.nextId() } }
    this.#resynchronize(sent.tries === 1 ? 'out' : 'in')
  }

  /** Take a fresh snapshot. @param {'in' | 'out' | null} known of what was sent */
  #resynchronize (known) {
    this.verdict = known
    this.fresh = true
    this.link.restart()
  }

  /** @param {string} message */
  #tooLarge (message) {
    const half = this.#sentBytes() >> 1
    if (half < LEAST_BYTES) return this.giveBack('too_large', message)
    this.limit = Math.min(this.limit, half)
    this.#thaw()
    this.flush()
  }

  /**
   * Give what was sent back to the user.
   * @param {string} code
   * @param {string} message
   */
  giveBack (code, message) {
    const state = /** @type {State} */ (this.state)
    const operationId = state.sent?.id ?? null
    const whole = state.sent?.more === true
    const step = states.takeBack(state)
    const batches = /** @type {Batch[]} */ ([this.sentBatch, whole ? this.batch : null].filter(batch => batch !== null))
    if (whole) this.batch = null
    this.sentBatch = null
    this.known = this.verdict = null
    this.sending = null
    this.#take(step, { origin: 'remote', userId: null })
    this.host.gaveBack(step.draft, { code, message, operationId }, [...new Set(batches)])
    this.host.pending()
    this.flush()
  }

  /**
   * Give back all that is pending, since it can never be sent.
   * @param {string} code
   * @param {string} message
   */
  giveAllBack (code, message) {
    this.flowing = false
    while (this.state !== null && states.isPending(this.state)) {
      if (this.state.sent === null) {
        this.state = states.freeze(this.state, this.nextId(), Infinity)
        this.sentBatch = this.batch
        this.batch = null
        if (this.state.sent === null) break
      }
      this.giveBack(code, message)
    }
  }

  /**
   * Another tab has the session, and sends what was stored of it: go on from the server's text.
   * @param {boolean} unstored whether there is anything that it has not
   */
  surrender (unstored) {
    this.giveAllBack(unstored ? 'fenced' : 'taken_over', 'another tab has taken this session over')
    this.fresh = true
    this.link.restart()
  }

  // ---- the same text? ----

  async #checksum () {
    if (this.state === null) return
    const { base, version } = this.state
    const hash = await this.env.sha256(new TextEncoder().encode(String(base)))
    if (hash === null) return
    const checksum = Array.from(new Uint8Array(hash), byte => byte.toString(16).padStart(2, '0')).join('')
    if (this.flowing) this.link.send({ type: 'checksum', version, checksum })
  }

  // ---- what is stored ----

  /** Everything that a crash must not lose, but for the text. */
  stored () {
    const { version, operationId, sequenceId, sent, pile } = /** @type {State} */ (this.state)
    const { edits = 0, since = null } = this.pending ?? {}
    return {
      version, operationId, sequenceId, life: this.life, edits, since,
      inflight: sent && { id: sent.id, base: sent.base, op: print(sent.op), now: print(sent.now), more: sent.more },
      pile: print(whole(pile))
    }
  }

  /**
   * Go on where a session ended. What was in flight may have been sent, or not.
   * @param {Stored} stored
   */
  restore ({ meta, text, since, typed }) {
    const { version, operationId, sequenceId, life, inflight, edits } = meta
    let state = states.begin(text, { version, operationId, sequenceId })
    for (const op of since) state = states.receive(state, parse(op), state).state
    if (inflight) {
      const { id, base, op, now, more } = inflight
      const shown = state.base.apply(parse(now)).text
      state = { ...state, sent: { id, base, op: parse(op), now: parse(now), more, tries: 1 }, shown }
      this.sentBatch = batchOf(meta.since ?? this.env.now(), typed.length > 0 ? 1 : edits)
    }
    for (const op of typed) state = states.edit(state, parse(op)).state
    if (typed.length > 0) {
      this.batch = inflight?.more && this.sentBatch ? this.sentBatch : batchOf(meta.since ?? this.env.now())
      this.batch.edits = Math.max(typed.length, edits)
    }
    this.state = state
    this.life = life
  }

  // ---- what is pending ----

  /** @returns {null | { edits: number, since: number }} */
  get pending () {
    if (this.state === null || !states.isPending(this.state)) return null
    const batches = new Set([this.sentBatch, this.batch])
    let edits = 0
    let since = Infinity
    for (const batch of batches) {
      if (batch === null) continue
      edits += batch.edits
      since = Math.min(since, batch.since)
    }
    return { edits, since }
  }
}

