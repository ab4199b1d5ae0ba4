/**
 * The storage's code that is needed only where a tab has left something behind. It is asked
 * for when a document is opened.
 */

/** @type {typeof import('./extra.js') | undefined} */
export let more

/** @type {Promise<typeof more> | undefined} */
let loading

/** Load it; a test does so before. Where that fails, it is asked for again with the next connection. */
export const load = () => (loading ??= import('./extra.js').then(found => (more = found), () => (loading = undefined)))
