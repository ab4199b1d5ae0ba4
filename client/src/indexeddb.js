/**
 * Offline storage in IndexedDB: what is typed without a connection outlives the tab.
 *
 *     import { indexeddb } from 'converge-client/indexeddb'
 *     const client = new Client({ url, token, storage: indexeddb() })
 */

import { Database } from './offline/database.js'
import { fencedError, OfflineStorage } from './offline/storage.js'

/** @import { Backend, Key, Meta, Write } from './offline/backend.js' */

/** A session that wrote so long ago is gone, where there are no locks to tell. */
const GONE_MS = 60_000

/** @param {Key} key */
const path = ({ user, document, session }) => [user, document, session]

/**
 * All keys that begin with some parts.
 * @param {string[]} parts
 */
const below = parts => IDBKeyRange.bound(parts, [...parts, []])

/** @implements {Backend} */
class IndexedDB {
  #n = Date.now() * 1000 // of the ops, in their order
  #held = new Set() // the locks there are, where the browser has none

  /** @param {IDBFactory} factory @param {string} name */
  constructor (factory, name) {
    this.database = new Database(factory, name)
    this.name = name
    this.asked = false
  }

  /** @param {string} user @param {string} document */
  list (user, document) {
    return this.database.transact('readonly', ({ sessions }, /** @type {(found: any[]) => void} */ keep) => {
      const request = sessions.getAll(below([user, document]))
      request.onsuccess = () => keep(request.result.filter(gone).map(({ session, meta, edits }) => ({ session, seen: meta.seen, edits: edits || meta.inflight !== null })))
    })
  }

  /** @param {Key} key @returns {Promise<(() => void) | null>} */
  lock (key) {
    const { locks } = globalThis.navigator ?? {}
    const name = [this.name, ...path(key)].join(' ')
    return new Promise((resolve, reject) => {
      if (locks) {
        locks.request(name, { ifAvailable: true }, lock => lock === null ? resolve(null) : new Promise(release => resolve(() => release(undefined)))).catch(reject)
      } else if (this.#held.has(name)) resolve(null)
      else {
        this.#held.add(name)
        resolve(() => this.#held.delete(name))
      }
    })
  }

  /** @param {Key} key */
  take (key) {
    return this.database.transact('readwrite', ({ sessions, texts, ops }, keep) => {
      const session = sessions.get(path(key))
      session.onsuccess = () => {
        const row = session.result
        if (row === undefined) return
        row.meta.fence++
        sessions.put(row)
        const text = texts.get(path(key))
        const all = ops.getAll(below(path(key)))
        all.onsuccess = () => {
          /** @param {string} kind */
          const of = kind => all.result.filter(op => op.kind === kind).map(({ op }) => op)
          keep({ fence: row.meta.fence, record: { meta: row.meta, text: text.result.text, since: of('since'), typed: of('typed') } })
        }
      }
    })
  }

  /**
   * @param {Key} key
   * @param {number} fence
   * @param {Write} write
   * @returns {Promise<void>}
   */
  write (key, fence, { absent, meta, text, since, typed }) {
    this.#persist()
    return this.#fenced(key, fence, absent, ({ sessions, texts, ops }, row) => {
      if (text !== undefined) {
        texts.put({ ...key, text })
        ops.delete(below([...path(key), 'since']))
      }
      if (meta !== undefined) ops.delete(below([...path(key), 'typed']))
      // what is typed on adds its own few bytes
      if (meta !== undefined || !row.edits) sessions.put({ ...key, meta: meta ?? row.meta, edits: typed.length > 0 })
      for (const op of since) ops.put({ ...key, kind: 'since', n: this.#n++, op })
      for (const op of typed) ops.put({ ...key, kind: 'typed', n: this.#n++, op })
    })
  }

  /** @param {Key} key @param {number} fence @returns {Promise<void>} */
  remove (key, fence) {
    return this.#fenced(key, fence, true, ({ sessions, texts, ops }) => {
      sessions.delete(path(key))
      texts.delete(path(key))
      ops.delete(below(path(key)))
    })
  }

  /**
   * Do something in a session that is still this tab's.
   * @param {Key} key
   * @param {number} fence
   * @param {boolean} absent whether it may be that nothing is stored of it
   * @param {(stores: Record<'sessions' | 'texts' | 'ops', IDBObjectStore>, row: { meta: Meta, edits: boolean }) => void} work
   * @returns {Promise<void>}
   */
  #fenced (key, fence, absent, work) {
    return this.database.transact('readwrite', (stores, keep, fail) => {
      const session = stores.sessions.get(path(key))
      session.onsuccess = () => {
        const row = session.result
        if (row === undefined ? !absent : row.meta.fence !== fence) return fail(fencedError())
        work(stores, row)
      }
    })
  }

  /** @param {string} [user] */
  user (user) {
    return this.database.transact(user === undefined ? 'readonly' : 'readwrite', ({ users }, /** @type {(user: string | null) => void} */ keep) => {
      if (user !== undefined) {
        users.put({ id: 'last', user })
        return keep(user)
      }
      const request = users.get('last')
      request.onsuccess = () => keep(request.result?.user ?? null)
    })
  }

  /** Ask the browser, once, not to throw it away when the disk fills. */
  #persist () {
    if (this.asked) return
    this.asked = true
    globalThis.navigator?.storage?.persist?.().catch(() => {})
  }
}

/**
 * Whether a session's tab may be gone: where there are locks they know better.
 * @param {{ meta: Meta }} row
 */
function gone ({ meta }) {
  return globalThis.navigator?.locks !== undefined || Date.now() - meta.seen > GONE_MS
}

/**
 * A storage in IndexedDB. Without it, documents are kept in memory, which they say by the
 * event `unstored`.
 * @param {{ name?: string, indexedDB?: IDBFactory }} [options] the database's name, and where
 *   it is, if that is not the global `indexedDB`
 */
export function indexeddb ({ name = 'converge', indexedDB = globalThis.indexedDB } = {}) {
  return new OfflineStorage(new IndexedDB(indexedDB, name))
}

export default indexeddb
