/**
 * Edits that wait for the server's answer. All that were typed behind one op in flight are
 * answered together, so they share a batch, and a keystroke costs no promise.
 */

/** @import { Change } from '../ot/text.js' */

/**
 * @typedef {object} Committed
 * @property {string | null} operationId the op that brought the edit; null if nothing was
 *   left of it to be sent
 * @property {number} version the version that it made
 * @property {string | null} at when, by the server's clock
 *
 * @typedef {object} Edit one call of `edit`, `apply`, `undo` or `redo`
 * @property {Promise<Committed>} committed resolves once the server has committed the edit;
 *   rejects with a `code`, a `message` and the `changes` that were given back
 * @property {Change[]} changes what it changed, cleaned: in UTF-16 offsets of the text before it
 */

/**
 * @template T
 * @typedef {{ promise: Promise<T>, resolve: (value: T) => void, reject: (error: Error) => void }} Deferred
 */
/** @typedef {Deferred<Committed> & { edits: number, since: number }} Batch `since`: in milliseconds since 1970 */

/**
 * A promise and its ends; nobody has to take its failure.
 * @returns {Deferred<any>}
 */
export function deferred () {
  /** @type {any} */
  const ends = {}
  ends.promise = new Promise((resolve, reject) => Object.assign(ends, { resolve, reject }))
  ends.promise.catch(() => {})
  return ends
}

/**
 * @param {number} since
 * @returns {Batch}
 */
export const batchOf = (since, edits = 0) => ({ ...deferred(), edits, since })
