/**
 * A database of IndexedDB that is opened when it is needed, and again where it was lost:
 * WebKit closes connections ("Connection to Indexed Database server lost"), and another
 * tab with a newer version of this code wants the old one closed.
 */

/** The stores, each with a key path; a key begins with user, document and session. */
const SESSION = ['user', 'document', 'session']
const STORES = { sessions: SESSION, texts: SESSION, ops: [...SESSION, 'kind', 'n'], users: 'id' }

/**
 * @typedef {Record<keyof typeof STORES, IDBObjectStore>} Stores
 *
 * @callback Transact do something in one transaction; resolves with what `work` kept once it
 *   is complete, and rejects where it was aborted, as where there is no room
 * @param {IDBTransactionMode} mode
 * @param {(stores: Stores, keep: (value: any) => void, fail: (error: Error) => void) => void} work
 * @param {boolean} [again]
 * @returns {Promise<any>}
 */

/**
 * @param {IDBFactory} factory
 * @param {string} name
 * @returns {Transact}
 */
export function database (factory, name) {
  /** @type {Promise<IDBDatabase> | null} */
  let opened = null

  /** Close it; it is opened again when it is needed. */
  const close = () => {
    opened?.then(connection => connection.close(), () => {})
    opened = null
  }

  const open = () => new Promise((resolve, reject) => {
    const request = factory.open(name, 1)
    request.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(STORES)) request.result.createObjectStore(name, { keyPath })
    }
    request.onerror = () => {
      opened = null
      reject(request.error)
    }
    request.onsuccess = () => {
      const { result } = request
      result.onversionchange = close
      result.onclose = () => { opened = null }
      resolve(result)
    }
  })

  /** @type {Transact} */
  const transact = async (mode, work, again) => {
    try {
      const connection = await (opened ??= open())
      return await new Promise((resolve, reject) => {
        const names = Object.keys(STORES)
        const transaction = connection.transaction(names, mode, { durability: 'strict' })
        /** @type {any} */
        let kept
        /** @type {Error | undefined} */
        let failed
        transaction.oncomplete = () => resolve(kept)
        transaction.onabort = () => reject(failed ?? transaction.error)
        work(/** @type {any} */ (Object.fromEntries(names.map(name => [name, transaction.objectStore(name)]))), value => { kept = value }, error => {
          failed = error
          transaction.abort()
        })
      })
    } catch (error) {
      if (again || !/^(InvalidState|Unknown)Error$/.test(/** @type {Error} */ (error)?.name)) throw error
      close()
      return transact(mode, work, true)
    }
  }
  return transact
}
