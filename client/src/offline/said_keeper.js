/**
 * Keeps what is said beside a text until it is answered, in a session of this tab's, and takes
 * over the sessions of tabs that are gone. Every write names what is held; where another tab
 * has taken that over, this one leaves it to it. Loaded apart.
 */

import { nearOf, nearOp, seek, shift } from './near.js'
import { PREFIX, saidOf } from './said.js'

/** @import { Talk } from '../talk.js' */
/** @import { Item } from '../talk/outbox.js' */
/** @import { Backend, Key, Said, SaidRow } from './backend.js' */

/** @typedef {ReturnType<typeof keepSaid>} Kept */

const RETRY_MS = 30_000
/** The delay after which what has moved with the text, and is not frozen, is stored anew. */
const SOON_MS = 1000
/** How long what is said of a text may wait for that text, which other tabs' edits may bring. */
const SOUGHT_MS = 30_000

/**
 * @param {Talk} talk
 * @param {Backend} backend
 */
export function keepSaid (talk, backend) {
  const { document, outbox } = talk
  const { env, sync, id } = document
  const said = /** @type {Said} */ (saidOf(backend))
  /** @type {string | null} whose session it is */
  let user = null
  /** @type {Promise<{ key: Key, unlock: () => void }> | null} */
  let session = null
  /** @type {Set<Item>} what is stored in it, ... */
  let held = new Set()
  /** @type {Set<Item>} ... and what is on its way there */
  let known = new Set()
  /** @type {Map<Item, boolean>} what is to be put there, or dropped */
  const todo = new Map()
  /** @type {Promise<void>} one thing after the other */
  let chain = Promise.resolve()
  let off = false // the last write failed
  let ended = false
  /** @type {any} */
  let timer
  /** @type {any} */
  let moving

  /** @param {() => Promise<void>} work */
  const then = work => (chain = chain.then(work).catch(failed))

  /** @param {unknown} error */
  const failed = error => {
    if (!off) document.emit('unstored', error)
    off = true
    env.clearTimeout(timer)
    if (!ended) timer = env.setTimeout(() => then(write), RETRY_MS)
  }

  /** The session, made when it is needed first. @param {string} whose */
  const own = whose => session ??= (async () => {
    /** @type {Key} */
    const key = [whose, id, `${PREFIX}****************`.replace(/\*/g, () => Math.floor(env.random() * 16).toString(16))]
    return { key, unlock: await backend.lock(key) ?? (() => {}) }
  })()

  /** Let others have the session as it is. */
  const leave = () => {
    const left = session
    session = null
    held = new Set()
    known = new Set()
    return left?.then(({ unlock }) => unlock())
  }

  /** Another tab has taken over what is held. */
  const fenced = () => {
    const gone = [...held]
    leave()
    for (const item of gone) todo.delete(item)
    for (const item of todo.keys()) known.add(item)
    outbox.taken(gone.filter(item => outbox.all.includes(item)))
  }

  /** Store what is to be stored. @returns {Promise<void>} */
  const write = async () => {
    if (!user || todo.size === 0) return
    const whose = user
    const { key } = await own(whose)
    if (user !== whose) return
    const mine = held
    const batch = [...todo]
    todo.clear()
    const put = batch.filter(([, puts]) => puts).map(([item]) => ({ item, row: pack(item) }))
    const drop = batch.filter(([, puts]) => !puts).map(([item]) => item)
    try {
      await said.write(key, held.size > 0, put.map(({ row }) => row), drop)
    } catch (/** @type {any} */ error) {
      // the session was left meanwhile: it is another user's tab now
      if (held !== mine) return
      for (const [item, puts] of batch) if (!todo.has(item)) todo.set(item, puts)
      if (error?.name !== 'FencedError') throw error
      fenced()
      return write()
    }
    off = false
    for (const { item, row } of put) {
      mine.add(item)
      item.kept = true
      item.loose = !row.message
    }
    for (const item of drop) {
      mine.delete(item)
      known.delete(item)
    }
  }

  /** Take over what tabs that are gone had said. */
  const adopt = async () => {
    const whose = user
    if (!whose || ended) return
    for (const each of await said.list(whose, id)) {
      const { key } = await own(whose)
      if (user !== whose) return
      if (each === key[2]) continue
      /** @type {Key} */
      const from = [whose, id, each]
      const unlock = await backend.lock(from)
      if (!unlock) continue
      try {
        await take(whose, from, key)
      } finally {
        unlock()
      }
    }
  }

  /** @param {string} whose @param {Key} from @param {Key} key */
  const take = async (whose, from, key) => {
    /** @type {SaidRow[]} */
    let rows
    try {
      rows = await said.move(from, key, held.size > 0)
    } catch (/** @type {any} */ error) {
      if (error?.name !== 'FencedError') throw error
      return fenced()
    }
    // as another user nothing is said: it stays there for its own
    if (user !== whose || (document.userId ?? whose) !== whose) return
    const items = rows.map(row => unpack(row, whose))
    for (const item of items) {
      held.add(item)
      known.add(item)
    }
    for (const item of items) outbox.take(item)
  }

  // ---- the form in which it is stored ----

  /** @param {any} item @returns {SaidRow} */
  const pack = item => {
    const { n, of, id, message, life, body, threadId, note, place, op } = item
    const shown = sync.state?.shown
    // what is about it is remembered as it was last there
    if (shown && place && place.from < place.to) item.near = nearOf(shown, place.from, place.to)
    if (shown && op?.length > 0) {
      const around = nearOp(shown, op)
      item.near = around.near
      item.inner = talk.algebra.print(around.op)
    }
    return JSON.parse(JSON.stringify({ n, of, id, message, life, body, threadId, note, near: item.near, op: item.inner }))
  }

  /** @param {SaidRow} row @param {string} whose */
  const unpack = ({ op: inner, near, ...row }, whose) => {
    /** @type {any} */
    const item = { ...row, near, inner, moves: near !== undefined || !row.message, quote: near?.quote, user: whose, kept: true, loose: !row.message, again: !row.message, tries: row.message ? 1 : 0 }
    item.promise = new Promise((resolve, reject) => Object.assign(item, { resolve, reject }))
    item.promise.catch(() => {})
    // what it was about was gone already when it was stored
    if (item.moves) item.settle = near ? settler(item) : () => 'gone'
    return /** @type {Item} */ (item)
  }

  /** Find what is said about; gone: that has been sought for long. @param {any} item @returns {NonNullable<Item['settle']>} */
  const settler = item => {
    let since = 0
    return () => {
      if (item.place || item.op) return 'there'
      if (place(item)) {
        talk.stamp++
        return 'there'
      }
      if (!sync.flowing || sync.pending) return 'sought'
      since ||= env.now()
      return env.now() - since < SOUGHT_MS ? 'sought' : 'gone'
    }
  }

  /** Place it in what is shown: by its version if the ops since are known, or else by its text. @param {any} item */
  const place = item => {
    const { state, life } = sync
    if (!state) return false
    const { message, near, inner, threadId } = item
    const { carry, find, parse, transform } = talk.algebra
    const { track } = talk
    const ops = message && item.life === life && track.since(message.version ?? message.baseVersion)
    const at = ops ? -1 : seek(state.shown, near, find)
    if (!ops && at < 0) return false
    if (threadId) item.place = ops ? [...ops, track.typed].reduce((place, op) => carry(place, op), { from: message.from, to: message.to, alive: true }) : { from: at, to: at + near.length, alive: true }
    else item.op = ops ? [...ops, track.typed].reduce((own, over) => transform(own, over, 'left'), parse(message.op)) : shift(parse(inner), at)
    return true
  }

  const kept = {
    /** Resolves when it is stored, or cannot be. @param {Item} item */
    put (item) {
      known.add(item)
      todo.set(item, true)
      return then(write)
    },

    /** It is answered, or given back. @param {Item} item */
    drop (item) {
      // what is another tab's or user's stays there
      if (known.has(item)) todo.set(item, false)
      return then(write)
    },

    /** The text has moved, and what is not frozen with it. */
    moved () {
      moving ??= env.setTimeout(() => {
        moving = undefined
        for (const item of outbox.all) if (item.loose && !item.message) todo.set(item, true)
        then(write)
      }, SOON_MS)
    },

    /** Take over what tabs that are gone had said. */
    adopt: () => then(adopt),

    /** The server, or before it the storage, says who this is. @param {string | null | undefined} whose */
    identified (whose) {
      if (!whose || whose === user) return
      if (user) {
        todo.clear()
        leave()
      }
      user = whose
      then(write)
      then(adopt)
    },

    /** The document ends. Resolves when all is stored. */
    async end () {
      ended = true
      env.clearTimeout(moving)
      await chain
      env.clearTimeout(timer)
      await leave()
    }
  }
  document.offline?.begin().then(() => kept.identified(document.userId))
  return kept
}
