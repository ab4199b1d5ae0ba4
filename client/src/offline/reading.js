/** Reads sessions that tabs have left in IndexedDB. */

/** @import { Backend, Key } from './backend.js' */
/** @import { Transact } from './database.js' */

/** A session whose last write is older than this is gone, where there are no locks to tell. */
const GONE_MS = 60_000

/**
 * Whether a session's tab may be gone: where there are locks they know better.
 * @param {{ meta: { seen: number } }} row
 */
export const gone = ({ meta }) => globalThis.navigator?.locks || Date.now() - meta.seen > GONE_MS

/**
 * @param {Transact} transact
 * @param {IDBKeyRange} range
 * @returns {ReturnType<Backend['list']>}
 */
export const list = (transact, range) => transact('readonly', ({ sessions }, keep) => {
  const all = sessions.getAll(range)
  all.onsuccess = () => keep(all.result.filter(gone).map(({ session, meta, edits }) => ({ session, seen: meta.seen, edits: edits || meta.inflight !== null })))
})

/**
 * @param {Transact} transact
 * @param {Key} key
 * @param {(...parts: string[]) => IDBKeyRange} below
 * @returns {ReturnType<Backend['take']>}
 */
export const take = (transact, key, below) => transact('readwrite', ({ sessions, texts, ops }, keep) => {
  const found = sessions.get(key)
  found.onsuccess = () => {
    const row = found.result
    if (!row) return
    const { meta } = row
    meta.fence++
    sessions.put(row, key)
    const text = texts.get(key)
    const since = ops.getAll(below(...key, 'since'))
    const typed = ops.getAll(below(...key, 'typed'))
    // the last to be asked for is the last to come
    typed.onsuccess = () => keep({ fence: meta.fence, record: { meta, text: text.result, since: since.result, typed: typed.result } })
  }
})
