/**
 * Who else has the document open and where their cursors are, and when the own is said. A cursor
 * is kept in code points of a version of the server's text, and carried over the ops since when
 * it is asked for; it is shown in UTF-16 offsets, carried over what is pending here. Loaded
 * apart from the core, whose algebra it is handed.
 */

import { transformPosition } from '../ot/carry.js'

/** @import { Document } from '../document.js' */
/** @import { Op } from '../ot/op.js' */
/** @import { Cursor, Own, User } from './presence.js' */

/**
 * @typedef {{ clientId: string, userId: string, name?: string | null, color?: string | null, version?: number | null, cursor?: Cursor | null }} Row
 *
 * @typedef {object} Algebra
 * @property {typeof import('../ot/index.js').invert} invert
 * @property {typeof import('./state.js').typed} typed
 */

/** Ops remembered for cursors that come late; up to twice as many. */
const REMEMBERED = 64
/** Cursors are said at most so often, ... */
const OFTEN_MS = 100
/** ... and this long after others have moved them, since every client carries them meanwhile. */
const AGAIN_MS = 3000
const NAME_LENGTH = 100
/** A user who is typing in the chat is shown by this behind their name, ... */
const TYPING = ' (typing)'
/** ... for this long after the last key. */
const TYPING_MS = 4000

/** A name without what is said behind it. @param {string | null} name @returns {{ name: string | null, typing?: boolean }} */
const heard = name => name?.endsWith(TYPING) ? { name: name.slice(0, -TYPING.length) || null, typing: true } : { name }

/** @param {string} name @param {number} most */
const cut = (name, most) => [...name].slice(0, most).join('')

/** @param {Cursor} cursor @param {(position: number) => number} move */
const moved = ({ anchor, head }, move) => ({ anchor: move(anchor), head: move(head) })

export class People {
  /** @type {Map<string, Row>} */
  #rows = new Map()
  /** @type {{ from: number, to: number, op: Op, userId: string | null }[]} */
  #recent = []
  /** @type {Record<string, any>} `name`, `color` and `cursor`, in code points */
  #own = {}
  /** @type {any} */
  #timer
  /** @type {any} */
  #pause
  #due = Infinity
  #saidAt = 0
  #said = ''
  #document
  #algebra

  /** @param {Document} document @param {Algebra} algebra */
  constructor (document, algebra) {
    this.#document = document
    this.#algebra = algebra
  }

  /**
   * Everyone else who has the document open.
   * @returns {User[]}
   */
  get users () {
    const { state } = this.#document.sync
    if (state) this.#carry(state.version)
    const pending = state && this.#algebra.typed(state)
    return Array.from(this.#rows.values(), ({ clientId, userId, name = null, color = null, version, cursor }) => ({
      clientId,
      userId,
      ...heard(name),
      color,
      cursor: pending && cursor && version === state.version ? moved(cursor, position => state.shown.offset(transformPosition(position, pending, 'left'))) : null
    }))
  }

  /** Show others this from now on. @param {Own} own */
  set (own) {
    for (const [key, value] of Object.entries(own)) if (value !== undefined) this.#own[key] = value
    if (own.name) this.#own.name = cut(own.name, NAME_LENGTH)
    if (own.typing !== undefined) this.#pauseAfter(own.typing)
    this.#sayAt(this.#saidAt + OFTEN_MS)
  }

  /** A user who types no more is not typing. @param {boolean} typing */
  #pauseAfter (typing) {
    const { env } = this.#document
    env.clearTimeout(this.#pause)
    if (typing) this.#pause = env.setTimeout(() => this.set({ typing: false }), TYPING_MS)
  }

  /**
   * Take what the server says of others.
   * @param {{ users?: Row[], left?: string[] }} message
   * @param {boolean} all whether it names everybody
   */
  update ({ users = [], left = [] }, all) {
    if (all) this.#rows.clear()
    for (const id of left) this.#rows.delete(id)
    for (const row of users) if (row.clientId !== this.#document.presence.own) this.#rows.set(row.clientId, row)
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

  /** What is shown has changed. @param {Op} op @param {boolean} own */
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

  /** Ops flow, on a connection that knows nothing of this client yet. */
  connected () {
    this.#said = ''
    this.#sayAt(0)
  }

  stop () {
    this.#sayAt(-Infinity)
    for (const timer of [this.#timer, this.#pause]) this.#document.env.clearTimeout(timer)
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
    const { cursor, typing, ...own } = this.#own
    if (!flowing || !state || !Object.keys(this.#own).length) return
    if (typing) own.name = cut(own.name ?? '', NAME_LENGTH - TYPING.length) + TYPING
    else if (typing === false) own.name ??= null
    const { invert, typed } = this.#algebra
    const away = invert(typed(state))
    const place = cursor && moved(cursor, point => transformPosition(point, away, 'left'))
    // the same place by another version is nothing new
    const what = JSON.stringify([own, place])
    if (what === this.#said) return
    this.#said = what
    this.#saidAt = env.now()
    link.send({ type: 'presence', ...own, cursor: place, version: place ? state.version : undefined })
  }
}
