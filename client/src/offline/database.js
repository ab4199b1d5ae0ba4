/**
 * A database of IndexedDB that is opened when it is needed, and again where it was lost:
 * WebKit closes connections ("Connection to Indexed Database server lost"), and another
 * tab with a newer version of this code wants the old one closed.
 */

/** The stores; their keys are arrays that begin with user, document and session, but for users'. */
const STORES = /** @type {const} */ (['sessions', 'texts', 'ops', 'users'])

/**
 * @typedef {Record<typeof STORES[number], IDBObjectStore>} Stores
 *
 * @callback Transact do something in one transaction; resolves with what `work` kept once it
 *   is complete, and rejects where it was aborted, as where there is no room
 * @param {IDBTransactionMode} mode
 * @param {(stores: Stores, keep: (value: any) => void) => void} work
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
    request.onupgradeneeded = () => STORES.forEach(store => request.result.createObjectStore(store))
    request.onerror = () => reject(request.error)
    request.onsuccess = () => {
      const { result } = request
      result.onversionchange = result.onclose = close
      resolve(result)
    }
  })

  /** @type {Transact} */
  const transact = async (mode, work, again) => {
    try {
      const connection = await (opened ??= open())
      return await new Promise((resolve, reject) => {
        const transaction = connection.transaction(STORES, mode, { durability: 'strict' })
        /** @type {any} */
        let kept
        transaction.oncomplete = () => resolve(kept)
        transaction.onabort = () => reject(transaction.error)
        work(/** @type {any} */ (Object.fromEntries(STORES.map(store => [store, transaction.objectStore(store)]))), value => { kept = value })
      })
    } catch (error) {
      close()
      if (again || !/^(InvalidState|Unknown)Error$/.test(/** @type {any} */ (error)?.name)) throw error
      return transact(mode, work, true)
    }
  }
  return transact
}
