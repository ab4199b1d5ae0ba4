/**
 * What reviews of a document have taken today, in a file, so that a new start does not forget
 * it. Days are those of UTC.
 */

import { idOf } from './ids.js'
import { Journal } from './journal.js'

/** @typedef {{ schema: 1, day: string, reviews: number, tokens: number, last: string | null }} Sums `last`: the request that was counted last */

export class Ledger {
  #journal
  #now

  /** @param {string} folder @param {string[]} of whose it is @param {() => number} now */
  constructor (folder, of, now) {
    this.#journal = new Journal(folder, idOf('ledger', ...of))
    this.#now = now
  }

  /** @returns {Sums} of today */
  get today () {
    const day = new Date(this.#now()).toISOString().slice(0, 10)
    const sums = /** @type {Sums | null} */ (/** @type {unknown} */ (this.#journal.state))
    return sums?.day === day ? sums : { schema: 1, day, reviews: 0, tokens: 0, last: sums?.last ?? null }
  }

  /** Count a review; one that was begun before, and ended by force, is not counted again. @param {string} request */
  begin (request) {
    const { reviews, last } = this.today
    if (last !== request) this.#write({ reviews: reviews + 1, last: request })
  }

  /** A review was none: nothing was asked. @param {string} request */
  undo (request) {
    const { reviews, last } = this.today
    if (last === request && reviews > 0) this.#write({ reviews: reviews - 1, last: null })
  }

  /** @param {number} tokens */
  spend (tokens) {
    this.#write({ tokens: this.today.tokens + tokens })
  }

  /** @param {Partial<Sums>} changes */
  #write (changes) {
    this.#journal.state = /** @type {any} */ ({ ...this.today, ...changes })
    this.#journal.save()
  }

  release () {
    this.#journal.release()
  }
}
