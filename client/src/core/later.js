/** Objects whose code is loaded when they are used first. */

/**
 * Stand for an object that is not there yet: its methods wait until it is. What `now` knows,
 * it has already. It is nothing that could be awaited itself.
 * @param {() => Promise<any>} load
 * @param {(name: PropertyKey) => unknown} [now]
 * @returns {any}
 */
export const later = (load, now) => new Proxy({}, {
  get: (_, name) => name === 'then' ? undefined : now?.(name) ?? (async (/** @type {any[]} */ ...given) => (await load())[name](...given))
})
