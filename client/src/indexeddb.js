/**
 * Offline storage in IndexedDB: what is typed without a connection outlives the tab.
 *
 *     import { indexeddb } from 'converge-client/indexeddb'
 *     const client = new Client({ url, token, storage: indexeddb() })
 */

import { database } from './offline/database.js'
import { more } from './offline/more.js'
import { fencedError, OfflineStorage } from './offline/storage.js'

/** @import { Backend, Key, Meta } from './offline/backend.js' */
/** @import { Stores } from './offline/database.js' */

/**
 * All keys that begin with some parts.
 * @param {...string} parts
 */
const below = (...parts) => IDBKeyRange.bound(parts, [...parts, []])

/**
 * Call with what a request gives.
 * @param {IDBRequest} request
 * @param {(result: any) => void} call
 */
const then = (request, call) => { request.onsuccess = () => call(request.result) }

/** It was loaded to find what is read. */
const reading = () => /** @type {NonNullable<typeof more>} */ (more)

/** @param {IDBFactory} factory @param {string} name @returns {Backend} */
function backend (factory, name) {
  const transact = database(factory, name)
  const held = new Set() // the locks there are, where the browser has none
  let n = Date.now() * 1000 // of the ops, in their order
  let asked = false

  /**
   * Do something in a session that is still this tab's.
   * @param {Key} key
   * @param {number} fence
   * @param {boolean} absent whether it may be that nothing is stored of it
   * @param {(stores: Stores, row: { meta: Meta, edits: boolean } | undefined) => void} work
   */
  const fenced = async (key, fence, absent, work) => {
    const own = await transact('readwrite', (stores, keep) => then(stores.sessions.get(key), row => {
      const own = row ? row.meta.fence === fence : absent
      if (own) work(stores, row)
      keep(own)
    }))
    if (!own) throw fencedError()
  }

  return {
    transact,

    list: (user, document) => reading().list(transact, below(user, document)),

    lock (key) {
      const locks = globalThis.navigator?.locks
      const id = [name, ...key].join(' ')
      return new Promise((resolve, reject) => {
        if (locks) {
          locks.request(id, { ifAvailable: true }, lock => lock ? new Promise(release => resolve(() => release(null))) : resolve(null)).catch(reject)
        } else if (held.has(id)) resolve(null)
        else {
          held.add(id)
          resolve(() => held.delete(id))
        }
      })
    },

    take: key => reading().take(transact, key, below),

    write (key, fence, { absent, meta, text, since, typed }) {
      // ask the browser, once, not to throw it away when the disk fills
      if (!asked) globalThis.navigator?.storage?.persist?.().catch(() => {})
      asked = true
      return fenced(key, fence, absent, ({ sessions, texts, ops }, row) => {
        if (text !== undefined) {
          texts.put(text, key)
          ops.delete(below(...key, 'since'))
        }
        if (meta) ops.delete(below(...key, 'typed'))
        // what is typed on adds its own few bytes
        if (meta || !row?.edits) sessions.put({ session: key[2], meta: meta ?? row?.meta, edits: typed.length > 0 }, key)
        for (const op of since) ops.put(op, [...key, 'since', n++])
        for (const op of typed) ops.put(op, [...key, 'typed', n++])
      })
    },

    remove: (key, fence) => fenced(key, fence, true, stores => {
      for (const store of Object.values(stores)) store.delete(below(...key))
    }),

    user: user => transact('readwrite', ({ users }, keep) => {
      if (user) users.put(user, 'last')
      then(users.get('last'), row => keep(row ?? null))
    })
  }
}

/**
 * A storage in IndexedDB. Without it, documents are kept in memory, which they say by the
 * event `unstored`.
 * @param {{ name?: string, indexedDB?: IDBFactory }} [options] the database's name, and where
 *   it is, if that is not the global `indexedDB`
 */
export function indexeddb ({ name = 'converge', indexedDB = globalThis.indexedDB } = {}) {
  return new OfflineStorage(backend(indexedDB, name))
}

export default indexeddb
