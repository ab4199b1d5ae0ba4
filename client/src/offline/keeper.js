/**
 * Keeps what a session has typed, so that a crash loses nothing and doubles nothing.
 *
 * Typing that is answered within a second is not stored. Once anything is, nothing is sent
 * before the transaction is complete that says what is in flight: otherwise a crash could
 * send a stored beginning again under another id. A write that says what was answered may
 * be lost: the op is sent again then, and recognised. Every write names the fence of this
 * session; where another tab has raised it, this one stops.
 */

/** @import { Backend, Key, Meta, Record } from './backend.js' */
/** @import { Sync } from '../core/sync.js' */
/** @import { Environment } from '../net/environment.js' */
/** @import { WireOp } from '../ot/op.js' */

/**
 * @typedef {object} KeeperHost
 * @property {Sync} sync
 * @property {() => { role: string | null, title: string | null }} about
 * @property {(unstored: boolean) => void} fenced another tab has taken this session over; whether
 *   there is anything that it does not have
 * @property {(error: unknown) => void} failed it cannot be stored; the client goes on in memory
 */

export const SCHEMA = 1
const SOON_MS = 1000
const CACHE_MS = 5000
const RETRY_MS = 30_000
/** Ops since the stored text are kept up to so many characters, or a quarter of the text. */
const LONG = 1 << 16

export class Keeper {
  #backend
  #env
  #key
  #fence
  #unlock
  /** @type {KeeperHost | null} */
  #host = null
  /** @type {any} */
  #timer = null
  #timerAt = Infinity
  /** @type {Promise<void> | null} */
  #busy = null
  #again = false
  #full = true // the next write says everything, not only what was typed since
  #text = true // ... and the text as well
  /** @type {WireOp[]} */
  #since = [] // ops that the stored text lacks
  /** @type {WireOp[]} */
  #typed = [] // what was typed since the last write
  #stored = 0 // characters of ops stored behind the stored text
  #pending = false // what is stored has something that was not answered
  /** @type {string | null} */
  #inflight = null // the id of what is stored as in flight
  #dirty = false
  #exists = false // something is stored, for all this tab knows
  #off = false // the last write failed
  #awaited = false // an op waits for the next write to be sent
  #news = 0 // how often something was typed, ...
  #kept = 0 // ... and how much of that is stored
  #cacheAt = 0 // when the text may be stored though nothing is pending

  /**
   * @param {Backend} backend
   * @param {Environment} env
   * @param {Key} key
   * @param {number} fence
   * @param {Record | null} record what is stored
   * @param {() => void} unlock
   */
  constructor (backend, env, key, fence, record, unlock) {
    this.#backend = backend
    this.#env = env
    this.#key = key
    this.#fence = fence
    this.#unlock = unlock
    /** What was stored, to begin with. */
    this.record = record
    if (record === null) return
    this.#exists = true
    this.#pending = isPending(record)
    this.#inflight = record.meta.inflight?.id ?? null
    // compact what has grown
    this.#text = record.since.length > 0
    this.#full = this.#dirty = this.#text || record.typed.length > 1
  }

  /** @param {KeeperHost} host */
  attach (host) {
    this.#host = host
    this.record = null
  }

  /** Whether all that is pending is stored. */
  get safe () {
    return !this.#off && !this.#dirty
  }

  /**
   * The server's text has advanced by an op, or (null) jumped.
   * @param {WireOp | null} op
   */
  advanced (op) {
    if (op === null) this.#text = true
    else if (!this.#text) {
      this.#since.push(op)
      if (this.#since.length > 1000) this.#text = true
    }
    if (this.#text) this.#since = []
  }

  /**
   * The state is another; by typing alone, if an op is given.
   * @param {WireOp | null} typed
   */
  changed (typed) {
    if (this.#host === null) return
    this.#dirty = true
    const { sync } = this.#host
    const pending = sync.state !== null && (sync.state.sent !== null || sync.state.pile.length > 0)
    if (typed !== null) this.#news++
    if (typed === null || !pending) this.#full = true
    else if (!this.#full) this.#typed.push(typed)
    if (this.#pending || (pending && !sync.flowing)) return void this.#write()
    if (!pending) this.#cacheAt = this.#env.now() + CACHE_MS
    this.#after(pending ? SOON_MS : CACHE_MS)
  }

  /** It is time to look whether something is long in being answered. */
  #look () {
    this.#timerAt = Infinity
    const now = this.#env.now()
    const pending = this.#host?.sync.pending
    const due = pending ? pending.since + SOON_MS : this.#cacheAt
    if (due > now) this.#after(due - now)
    else this.#write()
  }

  /** @param {number} ms */
  #after (ms) {
    const at = this.#env.now() + ms
    if (at >= this.#timerAt) return
    this.#env.clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = this.#env.setTimeout(() => this.#look(), ms)
  }

  /**
   * Resolves when what was frozen may be sent; null: now.
   * @returns {Promise<void> | null}
   */
  gate () {
    const id = this.#host?.sync.state?.sent?.id
    if (this.#inflight === id || (!this.#pending && this.#busy === null)) return null
    this.#full = this.#dirty = this.#awaited = true
    return this.#write().then(() => {
      this.#awaited = false
      // behind a raised fence nothing is sent; without a storage everything
      if (this.#host === null) return new Promise(() => {})
    })
  }

  /** Store now what is not stored. */
  flush () {
    return this.#dirty || this.#busy !== null ? this.#write() : Promise.resolve()
  }

  /** Store the rest, and let others have the session. */
  async close () {
    await this.flush()
    this.#stop()
  }

  /** Let others have the session as it is stored. */
  leave () {
    this.#stop()
  }

  /** Forget the session, and all that is stored of it. */
  async remove () {
    const host = this.#host
    this.#stop()
    await this.#busy
    await this.#backend.remove(this.#key, this.#fence).catch(error => host?.failed(error))
  }

  #stop () {
    this.#host = null
    this.#env.clearTimeout(this.#timer)
    this.#unlock()
  }

  /** @returns {Promise<void>} */
  #write () {
    this.#again = true
    this.#env.clearTimeout(this.#timer)
    this.#timerAt = Infinity
    return (this.#busy ??= this.#run())
  }

  async #run () {
    await null // what happens in one go is one write
    try {
      while (this.#again && this.#host !== null && this.#host.sync.state !== null) {
        this.#again = false
        await this.#writeOnce(this.#host)
      }
    } finally {
      this.#busy = null
    }
  }

  /** @param {KeeperHost} host */
  async #writeOnce (host) {
    const news = this.#news
    const change = this.#change(host)
    try {
      await this.#backend.write(this.#key, this.#fence, change)
    } catch (error) {
      return this.#failed(host, error)
    }
    this.#kept = news
    this.#exists = true
    this.#off = false
    if (change.meta === undefined) return
    this.#pending = change.meta.inflight !== null || change.typed.length > 0
    this.#inflight = change.meta.inflight?.id ?? null
  }

  /**
   * What there is to write now; it counts as written.
   * @param {KeeperHost} host
   * @returns {import('./backend.js').Write}
   */
  #change ({ sync, about }) {
    const typed = this.#typed
    this.#typed = []
    this.#dirty = false
    // from now on something pending may be stored, whether or not the write is heard of
    if (!this.#full) {
      this.#pending ||= typed.length > 0
      return { absent: false, typed, since: [] }
    }
    const { pile, ...state } = sync.stored()
    /** @type {import('./backend.js').Write} */
    const change = { absent: !this.#exists, meta: { schema: SCHEMA, fence: this.#fence, seen: this.#env.now(), ...about(), ...state }, since: this.#since, typed: pile.length > 0 ? [pile] : [] }
    const long = JSON.stringify(change.since).length
    if (this.#text || this.#stored + long > Math.max(LONG, /** @type {any} */ (sync.state).base.length / 4)) {
      change.text = String(/** @type {any} */ (sync.state).base)
      change.since = []
      this.#stored = 0
    } else this.#stored += long
    this.#since = []
    this.#full = this.#text = false
    this.#pending ||= change.meta?.inflight !== null || change.typed.length > 0
    return change
  }

  /**
   * It could not be written: another tab has the session, or there is no room, or no
   * database any more.
   * @param {KeeperHost} host
   * @param {any} error
   */
  async #failed (host, error) {
    if (error?.name === 'FencedError') {
      this.#stop()
      return host.fenced(this.#news > this.#kept)
    }
    this.#full = this.#text = this.#dirty = true
    this.#since = []
    // what is stored stays, unless it has what was answered or given back meanwhile, or
    // something is to be sent that it would send again
    if (this.#awaited || this.#inflight !== (host.sync.state?.sent?.id ?? null)) {
      try {
        await this.#backend.remove(this.#key, this.#fence)
        this.#exists = this.#pending = false
        this.#inflight = null
      } catch {}
    }
    if (!this.#off) host.failed(error)
    this.#off = true
    if (this.#host !== null) this.#after(RETRY_MS)
  }
}

/** @param {Record} record */
export function isPending ({ meta, typed }) {
  return meta.inflight !== null || typed.length > 0
}

/** @typedef {Meta} StoredMeta */
