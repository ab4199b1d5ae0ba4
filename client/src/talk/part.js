/**
 * What comments, suggestions and chat have in common: a list that is drawn when it is asked
 * for, and a question to the server where all of it is.
 */

import { deferred } from './kit.js'

/** @import { Talk } from '../talk.js' */

/** How long after a question that failed the next is asked, and at most. */
const AGAIN_MS = 500
const SELDOM_MS = 30_000

/** What comments, suggestions and chat have in common. @template Shown */
export class Part {
  /** @type {{ stamp: number, list: Shown[] }} */
  #drawn = { stamp: -1, list: [] }
  #asking = false
  #againMs = AGAIN_MS

  /** @internal @param {Talk} talk */
  constructor (talk) {
    /** @internal */
    this.talk = talk
    /** @internal @type {import('../core/edits.js').Deferred<any>} */
    this.ready = deferred()
  }

  /** The list, drawn anew if something of it is another. @param {() => Shown[]} draw @internal */
  drawn (draw) {
    const { stamp } = this.talk
    if (this.#drawn.stamp !== stamp) this.#drawn = { stamp, list: draw() }
    return this.#drawn.list
  }

  /** Ask where all are, unless that is asked already; returns whether it was asked. @param {() => Promise<any>} where @internal */
  async locate (where) {
    const { env, sync } = this.talk.document
    if (this.#asking || !sync.flowing) return false
    this.#asking = true
    try {
      await where()
      this.#againMs = AGAIN_MS
    } catch {
      // a later look asks again
      await new Promise(resolve => env.setTimeout(() => resolve(null), this.#againMs))
      this.#againMs = Math.min(SELDOM_MS, 2 * this.#againMs)
    }
    this.#asking = false
    this.talk.stamp++
    return true
  }
}
