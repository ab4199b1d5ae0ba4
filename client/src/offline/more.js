/**
 * The storage's code that is needed only where a tab has left something behind. It is asked
 * for when a document is opened.
 */

/** @type {typeof import('./extra.js') | undefined} */
export let more

/** Load it; a test does so before. */
export const load = async () => (more ??= await import('./extra.js').catch(() => undefined))
