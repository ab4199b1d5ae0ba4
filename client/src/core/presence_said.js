/** How this client is shown to others: what it says of itself, and when it says it again. */

import { clean } from '../ot/index.js'
import { carried, said } from './presence.js'

/** @import { Change } from '../ot/text.js' */
/** @import { Cursor, User } from './presence.js' */
/** @import { Document } from '../document.js' */

/** Cursors are said at most so often, ... */
const OFTEN_MS = 100
/** ... and so long after others have moved them, since everybody carries them meanwhile. */
const AGAIN_MS = 3000
const NAME_LENGTH = 100

export class Presence {
  /** @type {{ name?: string | null, color?: string | null, cursor?: Cursor | null }} */
  #own = {}
  /** @type {any} */
  #timer = null
  #due = Infinity
  #saidAt = -Infinity
  #said = ''

  /** @param {Document} document */
  constructor (document) {
    this.document = document
  }

  /**
   * Everyone else who has the document open.
   * @returns {User[]}
   */
  get users () {
    return this.document.others.list(this.document.sync.state)
  }

  /**
   * Show others what this user is called and where their cursor is. What is not named stays
   * as it was, null takes it away.
   * @param {{ name?: string | null, color?: string | null, cursor?: Cursor | null }} fields
   *   `color` like `#12ab9f`, the cursor in UTF-16 offsets of `document.text`
   */
  set ({ name, color, cursor }) {
    if (name !== undefined) this.#own.name = name === null ? null : [...clean(String(name))].slice(0, NAME_LENGTH).join('')
    if (color !== undefined) {
      if (color !== null && !/^#[0-9a-f]{6}$/i.test(color)) throw new TypeError(`a color is like #12ab9f, not ${color}`)
      this.#own.color = color
    }
    if (cursor !== undefined) {
      if (cursor !== null && !(Number.isInteger(cursor.anchor) && Number.isInteger(cursor.head))) throw new TypeError('a cursor has whole numbers, anchor and head')
      this.#own.cursor = cursor === null ? null : { anchor: this.#within(cursor.anchor), head: this.#within(cursor.head) }
    }
    this.#schedule(OFTEN_MS)
  }

  /** @param {number} offset */
  #within (offset) {
    return Math.max(0, Math.min(offset, this.document.length))
  }

  /** What is shown has changed. @param {Change[]} changes @param {boolean} own */
  follow (changes, own) {
    if (this.#own.cursor) this.#own.cursor = carried(this.#own.cursor, changes, own ? 'right' : 'left')
  }

  /** The server's text has advanced. */
  advanced () {
    if (this.#own.cursor) this.#schedule(AGAIN_MS)
  }

  /** Ops flow, on a connection that knows nothing of this client yet. */
  live () {
    this.#said = ''
    this.#schedule(0)
  }

  stop () {
    this.document.env.clearTimeout(this.#timer)
    this.#due = -Infinity
  }

  /** Say it so soon, but not too soon after the last time. @param {number} ms */
  #schedule (ms) {
    const { env } = this.document
    const now = env.now()
    const due = ms === AGAIN_MS ? now + ms : Math.max(now, this.#saidAt + ms)
    if (due >= this.#due) return
    env.clearTimeout(this.#timer)
    this.#due = due
    this.#timer = env.setTimeout(() => {
      this.#due = Infinity
      this.#say()
    }, due - now)
  }

  #say () {
    const { sync } = this.document
    const { cursor, ...own } = this.#own
    if (!sync.flowing || sync.state === null || Object.keys(this.#own).length === 0) return
    const placed = cursor ? said(sync.state, cursor) : cursor === null ? { cursor } : {}
    // the same place by another version is nothing new
    const what = JSON.stringify([own, placed.cursor])
    if (what === this.#said) return
    this.#said = what
    this.#saidAt = this.document.env.now()
    sync.link?.send({ type: 'presence', ...own, ...placed })
  }
}
