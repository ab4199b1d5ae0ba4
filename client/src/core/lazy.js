/** Objects whose code is loaded when they are used first, so that who does not use them pays nothing. */

/**
 * An object that stands for another one until it is there: each method is one that loads it,
 * and calls it then. It is no promise itself, so it may be awaited by mistake.
 * @param {() => Promise<any>} load
 * @returns {any}
 */
export const lazy = load => new Proxy({}, {
  get: (_, name) => name === 'then' ? undefined : async (/** @type {any[]} */ ...given) => (await load())[name](...given)
})
