/**
 * The core's code that is not needed at once. It is asked for when a document is opened, so
 * that it is there long before it matters; what matters goes on without it, if less well.
 */

/** @type {typeof import('./extra.js') | undefined} */
export let more

/** Load it; a test does so before. */
export const load = async () => (more ??= await import('./extra.js').catch(() => undefined))
