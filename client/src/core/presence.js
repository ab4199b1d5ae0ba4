/**
 * Who else has the document open, and where their cursors are. A cursor is kept in code
 * points of the server's text as this client holds it, carried over every op that comes;
 * it is shown in UTF-16 offsets, carried over what is pending here.
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

/** Ops remembered for cursors that come late. */
const REMEMBERED = 64

/** @param {Cursor} cursor @param {(position: number) => number} move */
const moved = ({ anchor, head }, move) => ({ anchor: move(anchor), head: move(head) })

export class Others {
  constructor () {
    /** @type {Map<string, Row>} */
    this.rows = new Map()
    this.own = ''
    /** @type {{ from: number, to: number, op: Op, userId: string | null }[]} */
    this.recent = []
  }

  /**
   * Take what the server says.
   * @param {{ users?: Row[], left?: string[], complete?: boolean }} message
   * @param {number} version
   * @param {boolean} [all] whether it names everybody
   */
  update ({ users = [], left = [], complete }, version, all = complete === true) {
    if (all) this.rows.clear()
    for (const id of left) this.rows.delete(id)
    for (const row of users) if (row.clientId !== this.own) this.rows.set(row.clientId, this.#caught(row, version))
  }

  /**
   * Carry a cursor that is behind to the version held.
   * @param {Row} row
   * @param {number} version
   * @returns {Row}
   */
  #caught (row, version) {
    for (const { from, to, op, userId } of this.recent) {
      if (row.cursor && row.version === from) row = this.#over(row, op, to, userId)
    }
    // of a version that is not known any more: where it fits, until a fresh one comes
    return row.cursor && Number(row.version) < version ? { ...row, version } : row
  }

  /** @param {Row} row @param {Op} op @param {number} to @param {string | null} userId @returns {Row} */
  #over (row, op, to, userId) {
    // what users write pushes their own cursors
    const side = userId === row.userId ? 'right' : 'left'
    return { ...row, version: to, cursor: row.cursor && moved(row.cursor, position => transformPosition(position, op, side)) }
  }

  /**
   * The server's text has advanced by an op, or (null) jumped.
   * @param {Op | null} op
   * @param {number} from
   * @param {number} to
   * @param {string | null} userId
   */
  advance (op, from, to, userId) {
    if (op === null) this.recent = []
    else {
      this.recent.push({ from, to, op, userId })
      if (this.recent.length > REMEMBERED) this.recent.shift()
    }
    for (const [id, row] of this.rows) {
      if (!row.cursor) continue
      if (op === null) this.rows.set(id, { ...row, version: Math.max(to, Number(row.version)) })
      else if (row.version === from) this.rows.set(id, this.#over(row, op, to, userId))
      else if (Number(row.version) < to) this.rows.set(id, { ...row, version: to })
    }
  }

  /**
   * Everybody else, with cursors in the text that is shown.
   * @param {State | null} state
   * @returns {User[]}
   */
  list (state) {
    const pending = state === null ? [] : compose(state.sent?.now ?? [], whole(state.pile))
    /** @param {number} position */
    const show = position => /** @type {State} */ (state).shown.offset(transformPosition(position, pending, 'left'))
    return Array.from(this.rows.values(), ({ clientId, userId, name = null, color = null, version, cursor }) => ({
      clientId, userId, name, color, cursor: cursor && state !== null && version === state.version ? moved(cursor, show) : null
    }))
  }
}

/**
 * Where a place of the text that is shown is in the server's text.
 * @param {State} state
 * @param {number} offset
 */
function placed (state, offset) {
  const point = untransformPosition(state.shown.point(offset), whole(state.pile))
  return state.sent === null ? point : untransformPosition(point, state.sent.now)
}

/**
 * One's own cursor as it is said: at the version held.
 * @param {State} state
 * @param {Cursor} cursor in UTF-16 offsets of what is shown
 */
export function said (state, cursor) {
  return { version: state.version, cursor: moved(cursor, offset => placed(state, offset)) }
}

/**
 * Carry one's own cursor over changes of what is shown; an editor says better.
 * @param {Cursor} cursor in UTF-16 offsets
 * @param {import('../ot/text.js').Change[]} changes
 * @param {Side} side
 */
export function carried (cursor, changes, side) {
  return moved(cursor, offset => {
    let shift = 0
    for (const { from, to, insert } of changes) {
      if (from > offset || (from === offset && to === from && side === 'left')) break
      if (to > offset) return from + shift
      shift += insert.length - (to - from)
    }
    return offset + shift
  })
}
