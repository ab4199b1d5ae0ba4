/**
 * Keeps what a session has typed, so that a crash loses nothing and doubles nothing.
 *
 * Typing that is answered within a second is not stored. Once anything is, nothing is sent
 * before the transaction is complete that says what is in flight: otherwise a crash could
 * send a stored beginning again under another id. A write that says what was answered may
 * be lost: the op is sent again then, and recognised. Every write names the fence of this
 * session; where another tab has raised it, this one stops.
 */

import { SCHEMA } from './schema.js'

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

/** @typedef {ReturnType<typeof makeKeeper>} Keeper */

const SOON_MS = 1000
const CACHE_MS = 5000
const RETRY_MS = 30_000
/** Ops since the stored text are kept up to so many characters, or a quarter of the text. */
const LONG = 1 << 16

/**
 * @param {Backend} backend
 * @param {Environment} env
 * @param {Key} key
 * @param {number} fence
 * @param {Record | null} record what is stored
 * @param {() => void} unlock
 */
export function makeKeeper (backend, env, key, fence, record, unlock) {
  /** @type {KeeperHost | null} */
  let host = null
  /** @type {any} */
  let timer
  let timerAt = Infinity
  /** @type {Promise<void> | null} */
  let busy = null
  let again = false
  /** @type {WireOp[]} */
  let since = [] // ops that the stored text lacks
  /** @type {WireOp[]} */
  let typed = [] // what was typed since the last write
  let length = 0 // characters of ops stored behind the stored text
  let exists = record !== null // something is stored, for all this tab knows
  let pending = record !== null && isPending(record) // what is stored has something that was not answered
  /** the id of what is stored as in flight */
  let inflight = record?.meta.inflight?.id
  // the next write says the text too; at first, and to compact what has grown
  let text = !record || record.since.length > 0
  // ... everything, not only what was typed since
  let full = !record || text || record.typed.length > 1
  let dirty = record !== null && full
  let off = false // the last write failed
  let awaited = false // an op waits for the next write to be sent
  let news = 0 // how often something was typed, ...
  let kept = 0 // ... and how much of that is stored
  let cacheAt = 0 // when the text may be stored though nothing is pending

  /** @param {KeeperHost | null} own */
  const sentId = own => own?.sync.state?.sent?.id

  /** It is time to look whether something is long in being answered. */
  const look = () => {
    timerAt = Infinity
    const waits = host?.sync.pending
    const due = (waits ? waits.since + SOON_MS : cacheAt) - env.now()
    if (due > 0) after(due)
    else write()
  }

  /** @param {number} ms */
  const after = ms => {
    const at = env.now() + ms
    if (at >= timerAt) return
    env.clearTimeout(timer)
    timerAt = at
    timer = env.setTimeout(look, ms)
  }

  const stop = () => {
    host = null
    env.clearTimeout(timer)
    unlock()
  }

  /** @returns {Promise<void>} */
  const write = () => {
    again = true
    env.clearTimeout(timer)
    timerAt = Infinity
    return (busy ??= run())
  }

  const run = async () => {
    await null // what happens in one go is one write
    while (again && host?.sync.state) {
      again = false
      await writeOnce(host)
    }
    busy = null
  }

  /** @param {KeeperHost} own */
  const writeOnce = async own => {
    const count = news
    const next = change(own)
    try {
      await backend.write(key, fence, next)
    } catch (error) {
      return failed(own, error)
    }
    kept = count
    exists = true
    off = false
    if (!next.meta) return
    pending = isPending(next)
    inflight = next.meta.inflight?.id
  }

  /**
   * What there is to write now; it counts as written.
   * @param {KeeperHost} own
   * @returns {any}
   */
  const change = ({ sync, about }) => {
    const added = typed
    typed = []
    dirty = false
    // from now on something pending may be stored, whether or not the write is heard of
    if (!full) {
      pending ||= added.length > 0
      return { absent: false, typed: added, since: [] }
    }
    const { pile, ...state } = sync.stored()
    const next = { absent: !exists, meta: { schema: SCHEMA, fence, seen: env.now(), ...about(), ...state }, since, typed: pile.length > 0 ? [pile] : [], text: /** @type {string | undefined} */ (undefined) }
    const { base } = /** @type {NonNullable<Sync['state']>} */ (sync.state)
    length += JSON.stringify(since).length
    if (text || length > Math.max(LONG, base.length / 4)) {
      next.text = String(base)
      next.since = []
      length = 0
    }
    since = []
    full = text = false
    pending ||= isPending(next)
    return next
  }

  /**
   * It could not be written: another tab has the session, or there is no room, or no
   * database any more.
   * @param {KeeperHost} own
   * @param {any} error
   */
  const failed = async (own, error) => {
    if (error?.name === 'FencedError') {
      stop()
      return own.fenced(news > kept)
    }
    full = text = dirty = true
    since = []
    // what is stored stays, unless it has what was answered or given back meanwhile, or
    // something is to be sent that it would send again
    if (awaited || inflight !== sentId(own)) {
      try {
        await backend.remove(key, fence)
        exists = pending = false
        inflight = undefined
      } catch {}
    }
    if (!off) own.failed(error)
    off = true
    if (host) after(RETRY_MS)
  }

  /** Store now what is not stored. */
  const flush = () => dirty || busy ? write() : Promise.resolve()

  return {
    /** What was stored, to begin with. */
    record,

    /** @param {KeeperHost} own */
    attach (own) {
      host = own
      this.record = null
    },

    /** Whether all that is pending is stored. */
    get safe () {
      return !off && !dirty
    },

    /**
     * The server's text has advanced by an op, or (null) jumped.
     * @param {WireOp | null} op
     */
    advance (op) {
      text ||= !op || since.push(op) > 1000
      if (text) since = []
    },

    /**
     * The state is another; by typing alone, if an op is given.
     * @param {WireOp | null} op
     */
    change (op) {
      if (!host) return
      dirty = true
      const { state, flowing } = host.sync
      const waits = state !== null && (state.sent !== null || state.pile.length > 0)
      if (op) news++
      if (!op || !waits) full = true
      else if (!full) typed.push(op)
      if (pending || (waits && !flowing)) return void write()
      if (!waits) cacheAt = env.now() + CACHE_MS
      after(waits ? SOON_MS : CACHE_MS)
    },

    /**
     * Resolves when what was frozen may be sent; null: now.
     * @returns {Promise<void> | null}
     */
    gate () {
      if (inflight === sentId(host) || (!pending && !busy)) return null
      full = dirty = awaited = true
      return write().then(() => {
        awaited = false
        // behind a raised fence nothing is sent; without a storage everything
        if (!host) return new Promise(() => {})
      })
    },

    flush,

    /** Store the rest, and let others have the session. */
    async close () {
      await flush()
      stop()
    },

    /** Let others have the session as it is stored. */
    leave: stop,

    /** Forget the session, and all that is stored of it. */
    async remove () {
      const own = host
      stop()
      await busy
      await backend.remove(key, fence).catch(error => own?.failed(error))
    }
  }
}

/** @param {Pick<Record, 'meta' | 'typed'>} record */
export function isPending ({ meta, typed }) {
  return meta.inflight !== null || typed.length > 0
}
