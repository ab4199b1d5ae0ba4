/** How this client is shown to others: what it says of itself, and when it says it again. */

import { clean } from '../ot/index.js'
import { carried, said } from './presence.js'

/** @import { Op } from '../ot/op.js' */
/** @import { Cursor, User } from './presence.js' */
/** @import { Document } from '../document.js' */

/** Cursors are said at most so often, ... */
const OFTEN_MS = 100
/** ... and so long after others have moved them, since everybody carries them meanwhile. */
const AGAIN_MS = 3000
const NAME_LENGTH = 100

/** `document.presence`: how this client is shown to others, and who they are. */
export class Presence {
  /** @type {{ name?: string | null, color?: string | null, cursor?: Cursor | null }} the cursor in code points */
  #own = {}
  /** @type {any} */
  #timer
  #due = Infinity
  #saidAt = 0
  #said = ''
  #document

  /** @internal @param {Document} document */
  constructor (document) {
    this.#document = document
  }

  /**
   * Everyone else who has the document open.
   * @returns {User[]}
   */
  get users () {
    return this.#document.others.list(this.#document.sync.state)
  }

  /**
   * Show others what this user is called and where their cursor is. What is not named stays
   * as it was, null takes it away.
   * @param {{ name?: string | null, color?: string | null, cursor?: Cursor | null }} fields
   *   `color` like `#12ab9f`, the cursor in UTF-16 offsets of `document.text`
   */
  set ({ name, color, cursor }) {
    /** @param {number} offset */
    const within = offset => {
      if (!Number.isInteger(offset)) throw new TypeError(`no place for a cursor: ${offset}`)
      return this.#document.sync.state?.shown.point(Math.max(0, offset)) ?? 0
    }
    if (color && !/^#[0-9a-f]{6}$/i.test(color)) throw new TypeError(`a color is like #12ab9f, not ${color}`)
    const place = cursor && { anchor: within(cursor.anchor), head: within(cursor.head) }
    if (name !== undefined) this.#own.name = name && [...clean(name)].slice(0, NAME_LENGTH).join('')
    if (color !== undefined) this.#own.color = color
    if (place !== undefined) this.#own.cursor = place
    this.#sayAt(this.#saidAt + OFTEN_MS)
  }

  /** What is shown has changed. @internal @param {Op} op @param {boolean} own */
  follow (op, own) {
    const { cursor } = this.#own
    if (cursor) this.#own.cursor = carried(cursor, op, own ? 'right' : 'left')
  }

  /** The server's text has advanced. @internal */
  advanced () {
    if (this.#own.cursor) this.#sayAt(this.#document.env.now() + AGAIN_MS)
  }

  /** Ops flow, on a connection that knows nothing of this client yet. @internal */
  live () {
    this.#said = ''
    this.#sayAt(0)
  }

  /** @internal */
  stop () {
    this.#document.env.clearTimeout(this.#timer)
    this.#due = -Infinity
  }

  /** Say it then, if that is not to happen sooner. @param {number} due */
  #sayAt (due) {
    if (due >= this.#due) return
    const { env } = this.#document
    env.clearTimeout(this.#timer)
    this.#due = due
    this.#timer = env.setTimeout(() => {
      this.#due = Infinity
      this.#say()
    }, Math.max(0, due - env.now()))
  }

  #say () {
    const { sync, env } = this.#document
    const { cursor, ...own } = this.#own
    if (!sync.flowing || !sync.state || !Object.keys(this.#own).length) return
    const placed = cursor ? said(sync.state, cursor) : cursor === null ? { cursor } : {}
    // the same place by another version is nothing new
    const what = JSON.stringify([own, placed.cursor])
    if (what === this.#said) return
    this.#said = what
    this.#saidAt = env.now()
    sync.link.send({ type: 'presence', ...own, ...placed })
  }
}
