/**
 * The core's code that is not needed at once. It is asked for when a document is opened, so
 * that it is there long before it matters; what matters goes on without it, if less well.
 * Where it cannot be loaded, it is asked for again with each connection that is made.
 */

/** @typedef {typeof import('./extra.js')} Extra */

/** @type {Extra | undefined} */
export let more
/** @type {Promise<Extra | undefined> | undefined} */
let loading
/** @type {((found: Extra) => void)[]} */
const waiting = []

/** Load it; a test does so before. */
export const load = () => (loading ??= import('./extra.js').then(found => {
  more = found
  for (const call of waiting) call(found)
  return found
}, () => (loading = undefined)))

/** Call a function with it, once it is there. @param {(found: Extra) => void} call */
export const when = call => more ? call(more) : waiting.push(call) && load()
