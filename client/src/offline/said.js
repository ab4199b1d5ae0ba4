/**
 * What is said beside the text and not answered, in IndexedDB. It stands among the ops, in
 * sessions of its own, which a page with an older version of this code neither sees nor
 * removes; so the database is of the same version.
 */

import { gone } from './reading.js'

/** @import { Backend, Key, Said } from './backend.js' */
/** @import { Transact } from './database.js' */

/** The number of the form of its rows; those of a newer one are left alone. */
const SCHEMA = 1

/** With this begin the ids of its sessions; those of edits are in hex. */
export const PREFIX = 'said '

/** All keys of a session: behind it stand the order and the id of what is said. @param {string[]} key */
const below = key => IDBKeyRange.bound(key, [...key, []])

/** Where a storage keeps what is said. @param {Backend} backend */
export const saidOf = backend => backend.said ??= backend.transact && said(backend.transact)

/** @param {Transact} transact @returns {Said} */
function said (transact) {
  /**
   * Do something in a session that is still this tab's.
   * @param {Key} key
   * @param {boolean} held whether it has something, for all this tab knows; else where nothing is, another tab took it
   * @param {(store: IDBObjectStore, keep: (value: any) => void) => void} work
   */
  const fenced = async (key, held, work) => {
    const kept = await transact('readwrite', ({ ops: store }, keep) => {
      store.count(below(key)).onsuccess = (/** @type {any} */ { target }) => {
        if (held && target.result === 0) return
        keep(true)
        work(store, keep)
      }
    })
    if (!kept) throw Object.assign(new Error('another tab has taken this session over'), { name: 'FencedError' })
    return kept
  }

  return {
    async list (user, document) {
      const rows = await transact('readonly', ({ ops: store }, keep) => {
        store.getAll(IDBKeyRange.bound([user, document, PREFIX], [user, document, 't'])).onsuccess = (/** @type {any} */ { target }) => keep(target.result)
      })
      /** @type {Map<string, { seen: number, schema: number }>} */
      const sessions = new Map()
      for (const { session, seen, schema } of rows) {
        const other = sessions.get(session) ?? { seen: 0, schema: 0 }
        sessions.set(session, { seen: Math.max(seen, other.seen), schema: Math.max(schema, other.schema) })
      }
      return [...sessions].filter(([, meta]) => meta.schema <= SCHEMA && gone({ meta })).map(([session]) => session)
    },

    async write (key, held, put, drop) {
      await fenced(key, held, store => {
        for (const row of put) store.put({ ...row, session: key[2], seen: Date.now(), schema: SCHEMA }, [...key, row.n, row.id])
        for (const { n, id } of drop) store.delete([...key, n, id])
      })
    },

    move: (from, to, held) => fenced(to, held, (store, keep) => {
      store.getAll(below(from)).onsuccess = (/** @type {any} */ { target }) => {
        const rows = target.result
        store.delete(below(from))
        for (const row of rows) store.put({ ...row, session: to[2], seen: Date.now() }, [...to, row.n, row.id])
        keep(rows)
      }
    })
  }
}
