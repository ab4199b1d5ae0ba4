/**
 * Who else has the document open, where their cursors are, and how this client is shown to
 * them. A cursor is kept in code points of a version of the server's text, and carried over
 * the ops since when it is asked for; it is shown in UTF-16 offsets, carried over what is
 * pending here.
 */

import { clean, transformPosition, untransformPosition } from '../ot/index.js'
import { typed } from './state.js'

/** @import { Op } from '../ot/op.js' */
/** @import { Document } from '../document.js' */

/**
 * A selection: where it begins, and where its caret is.
 * @typedef {{ anchor: number, head: number }} Cursor
 */
/**
 * @typedef {object} User someone else who has the document open
 * @property {string} clientId of the connection: one user may have several
 * @property {string} userId
 * @property {string | null} name what the user calls itself; nobody has checked that
 * @property {string | null} color like `#12ab9f`
 * @property {Cursor | null} cursor in UTF-16 offsets of the document's text
 *
 * @typedef {{ clientId: string, userId: string, name?: string | null, color?: string | null, version?: number | null, cursor?: Cursor | null }} Row
 */

/** Ops remembered for cursors that come late; up to twice as many. */
const REMEMBERED = 64
/** Cursors are said at most so often, ... */
const OFTEN_MS = 100
/** ... and so long after others have moved them, since everybody carries them meanwhile. */
const AGAIN_MS = 3000
const NAME_LENGTH = 100

/** @param {Cursor} cursor @param {(position: number) => number} move */
const moved = ({ anchor, head }, move) => ({ anchor: move(anchor), head: move(head) })

/** `document.presence`: how this client is shown to others, and who they are. */
export class Presence {
  /** @type {Map<string, Row>} */
  #rows = new Map()
  /** @type {{ from: number, to: number, op: Op, userId: string | null }[]} */
  #recent = []
  /** @type {Record<string, any>} `name`, `color` and `cursor`, in code points */
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
    /** The connection that this is. @internal */
    this.own = ''
  }

  /**
   * Everyone else who has the document open.
   * @returns {User[]}
   */
  get users () {
    const { state } = this.#document.sync
    if (state) this.#carry(state.version)
    const pending = state && typed(state)
    return Array.from(this.#rows.values(), ({ clientId, userId, name = null, color = null, version, cursor }) => ({
      clientId,
      userId,
      name,
      color,
      cursor: pending && cursor && version === state.version ? moved(cursor, position => state.shown.offset(transformPosition(position, pending, 'left'))) : null
    }))
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
    const own = { name: name && [...clean(name)].slice(0, NAME_LENGTH).join(''), color, cursor: cursor && moved(cursor, within) }
    for (const [key, value] of Object.entries(own)) if (value !== undefined) this.#own[key] = value
    this.#sayAt(this.#saidAt + OFTEN_MS)
  }

  /**
   * Take what the server says of others.
   * @param {{ users?: Row[], left?: string[] }} message
   * @param {boolean} all whether it names everybody
   * @internal
   */
  update ({ users = [], left = [] }, all) {
    if (all) this.#rows.clear()
    for (const id of left) this.#rows.delete(id)
    for (const row of users) if (row.clientId !== this.own) this.#rows.set(row.clientId, row)
  }

  /** Carry the cursors that are behind to the version held. @param {number} version */
  #carry (version) {
    for (const row of this.#rows.values()) {
      for (const { from, to, op, userId } of this.#recent) {
        if (!row.cursor || row.version !== from) continue
        // what users write pushes their own cursors
        row.cursor = moved(row.cursor, position => transformPosition(position, op, userId === row.userId ? 'right' : 'left'))
        row.version = to
      }
      // of a version that is not known any more: where it fits, until a fresh one comes
      row.version = Math.max(version, Number(row.version))
    }
  }

  /** What is shown has changed. @internal @param {Op} op @param {boolean} own */
  follow (op, own) {
    const { cursor } = this.#own
    // an editor says better
    if (cursor) this.#own.cursor = moved(cursor, point => transformPosition(point, op, own ? 'right' : 'left'))
  }

  /**
   * The server's text has advanced by an op, or (null) jumped.
   * @param {Op | null} op
   * @param {number} from
   * @param {number} to
   * @param {string | null} userId
   * @internal
   */
  advance (op, from, to, userId) {
    const { length } = this.#recent
    if (!op || length === 2 * REMEMBERED) {
      this.#carry(from)
      this.#recent.splice(0, op ? REMEMBERED : length)
    }
    if (op) this.#recent.push({ from, to, op, userId })
    else this.#carry(to)
    if (this.#own.cursor) this.#sayAt(this.#document.env.now() + AGAIN_MS)
  }

  /** Ops flow, on a connection that knows nothing of this client yet. @internal */
  connected () {
    this.#said = ''
    this.#sayAt(0)
  }

  /** @internal */
  stop () {
    this.#sayAt(-Infinity)
    this.#document.env.clearTimeout(this.#timer)
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
    const { sync: { flowing, state, link }, env } = this.#document
    const { cursor, ...own } = this.#own
    if (!flowing || !state || !Object.keys(this.#own).length) return
    const place = cursor && moved(cursor, point => untransformPosition(point, typed(state)))
    // the same place by another version is nothing new
    const what = JSON.stringify([own, place])
    if (what === this.#said) return
    this.#said = what
    this.#saidAt = env.now()
    link.send({ type: 'presence', ...own, cursor: place, version: place ? state.version : undefined })
  }
}
