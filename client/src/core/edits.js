/**
 * Edits that wait for the server's answer. All that were typed behind one op in flight are
 * answered together, so they share a batch, and a keystroke costs no promise.
 */

/** @import { ConvergeError } from './error.js' */
/** @import { Change } from '../ot/text.js' */

/**
 * @typedef {object} Committed
 * @property {string | null} operationId the op that brought the edit; null if nothing was
 *   left of it to be sent
 * @property {number} version the version that it made
 * @property {string | null} at when, by the server's clock
 */

export class Batch {
  /** @param {number} since in milliseconds since 1970 */
  constructor (since) {
    this.edits = 0
    this.since = since
    /** @type {Committed | null} */
    this.committed = null
    /** @type {ConvergeError | null} */
    this.failed = null
    /** @type {{ promise: Promise<Committed>, resolve: (value: Committed) => void, reject: (error: Error) => void } | null} */
    this.deferred = null
  }

  /** Whether it is committed; it is made when asked for, and nobody has to take its failure. */
  get promise () {
    if (this.deferred === null) {
      /** @type {any} */
      const deferred = {}
      deferred.promise = new Promise((resolve, reject) => Object.assign(deferred, { resolve, reject }))
      deferred.promise.catch(() => {})
      this.deferred = deferred
      if (this.committed !== null) deferred.resolve(this.committed)
      if (this.failed !== null) deferred.reject(this.failed)
    }
    return /** @type {NonNullable<typeof this.deferred>} */ (this.deferred).promise
  }

  /** @param {Committed} committed */
  resolve (committed) {
    this.committed = committed
    this.deferred?.resolve(committed)
  }

  /** @param {ConvergeError} error */
  reject (error) {
    this.failed = error
    this.deferred?.reject(error)
  }
}

/** One call of `edit`, `apply`, `undo` or `redo`. */
export class Edit {
  #batch

  /**
   * @param {Batch} batch
   * @param {Change[]} changes
   */
  constructor (batch, changes) {
    this.#batch = batch
    /** What it changed, cleaned: in UTF-16 offsets of the text before it. */
    this.changes = changes
  }

  /**
   * Resolves once the server has committed the edit. Rejects with a `code`, a `message`
   * and the `changes` that were given back.
   * @returns {Promise<Committed>}
   */
  get committed () {
    return this.#batch.promise
  }
}
