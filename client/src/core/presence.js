/**
 * Who else has the document open, and where their cursors are. A cursor is kept in code
 * points of a version of the server's text, and carried over the ops since when it is asked
 * for; it is shown in UTF-16 offsets, carried over what is pending here.
 */

import { compose, transformPosition, untransformPosition, whole } from '../ot/index.js'

/** @import { Op, Side } from '../ot/op.js' */
/** @import { State } from './state.js' */

/**
 * @typedef {{ anchor: number, head: number }} Cursor
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

/** @param {Cursor} cursor @param {(position: number) => number} move */
const moved = ({ anchor, head }, move) => ({ anchor: move(anchor), head: move(head) })

export class Others {
  /** @type {Map<string, Row>} */
  #rows = new Map()
  /** @type {{ from: number, to: number, op: Op, userId: string | null }[]} */
  #recent = []
  own = ''

  /**
   * Take what the server says.
   * @param {{ users?: Row[], left?: string[] }} message
   * @param {boolean} all whether it names everybody
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

  /**
   * The server's text has advanced by an op, or (null) jumped.
   * @param {Op | null} op
   * @param {number} from
   * @param {number} to
   * @param {string | null} userId
   */
  advance (op, from, to, userId) {
    const { length } = this.#recent
    if (op && length < 2 * REMEMBERED) return void this.#recent.push({ from, to, op, userId })
    this.#carry(from)
    this.#recent.splice(0, op ? REMEMBERED : length)
    if (op) this.#recent.push({ from, to, op, userId })
    else this.#carry(to)
  }

  /**
   * Everybody else, with cursors in the text that is shown.
   * @param {State | null} state
   * @returns {User[]}
   */
  list (state) {
    if (state) this.#carry(state.version)
    const pending = state ? compose(state.sent?.now ?? [], whole(state.pile)) : []
    return Array.from(this.#rows.values(), ({ clientId, userId, name = null, color = null, version, cursor }) => ({
      clientId,
      userId,
      name,
      color,
      cursor: cursor && state && version === state.version ? moved(cursor, position => state.shown.offset(transformPosition(position, pending, 'left'))) : null
    }))
  }
}

/**
 * One's own cursor as it is said: at the version held.
 * @param {State} state
 * @param {Cursor} cursor in code points of what is shown
 */
export const said = ({ version, sent, pile }, cursor) => ({ version, cursor: moved(cursor, point => untransformPosition(untransformPosition(point, whole(pile)), sent?.now ?? [])) })

/**
 * Carry one's own cursor over a change of what is shown; an editor says better.
 * @param {Cursor} cursor in code points
 * @param {Op} op
 * @param {Side} side
 */
export const carried = (cursor, op, side) => moved(cursor, point => transformPosition(point, op, side))
