/**
 * A database of IndexedDB that is opened when it is needed, and again where it was lost:
 * WebKit closes connections ("Connection to Indexed Database server lost"), and another
 * tab with a newer version of this code wants the old one closed.
 */

/** The stores, each with a key path; a key begins with user, document and session. */
const STORES = { sessions: ['user', 'document', 'session'], texts: ['user', 'document', 'session'], ops: ['user', 'document', 'session', 'kind', 'n'], users: 'id' }

export class Database {
  /** @type {Promise<IDBDatabase> | null} */
  #opened = null

  /**
   * @param {IDBFactory} factory
   * @param {string} name
   */
  constructor (factory, name) {
    this.factory = factory
    this.name = name
  }

  /**
   * The connection there is, or a new one.
   * @returns {Promise<IDBDatabase>}
   */
  connection () {
    return (this.#opened ??= new Promise((resolve, reject) => {
      const request = this.factory.open(this.name, 1)
      request.onupgradeneeded = () => {
        for (const [name, keyPath] of Object.entries(STORES)) request.result.createObjectStore(name, { keyPath })
      }
      request.onerror = () => {
        this.#opened = null
        reject(request.error)
      }
      request.onsuccess = () => {
        const database = request.result
        database.onversionchange = () => this.close()
        database.onclose = () => { this.#opened = null }
        resolve(database)
      }
    }))
  }

  /** Close it; it is opened again when it is needed. */
  close () {
    this.#opened?.then(database => database.close(), () => {})
    this.#opened = null
  }

  /**
   * Do something in one transaction; resolves with what `work` kept once it is complete,
   * and rejects where it was aborted, as where there is no room.
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(stores: Record<keyof typeof STORES, IDBObjectStore>, keep: (value: T) => void, fail: (error: Error) => void) => void} work
   * @returns {Promise<T>}
   */
  async transact (mode, work) {
    try {
      return await this.#try(await this.connection(), mode, work)
    } catch (error) {
      if (!['InvalidStateError', 'UnknownError'].includes(/** @type {Error} */ (error).name)) throw error
      this.close()
      return await this.#try(await this.connection(), mode, work)
    }
  }

  /**
   * @template T
   * @param {IDBDatabase} database
   * @param {IDBTransactionMode} mode
   * @param {(stores: any, keep: (value: T) => void, fail: (error: Error) => void) => void} work
   * @returns {Promise<T>}
   */
  #try (database, mode, work) {
    return new Promise((resolve, reject) => {
      const names = Object.keys(STORES)
      const transaction = database.transaction(names, mode, { durability: 'strict' })
      /** @type {any} */
      let kept
      /** @type {Error | null} */
      let failed = null
      transaction.oncomplete = () => resolve(kept)
      transaction.onabort = () => reject(failed ?? transaction.error ?? new Error('the transaction was aborted'))
      work(Object.fromEntries(names.map(name => [name, transaction.objectStore(name)])), value => { kept = value }, error => {
        failed = error
        transaction.abort()
      })
    })
  }
}
