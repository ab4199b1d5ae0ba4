/**
 * What a document is, as a value, and how it changes, as functions that change nothing.
 *
 * `base` is the server's text at `version`. On top of it stands one op that was sent and
 * not answered, and on top of that what was typed since; `shown` is all of that together.
 * The two stay two: transforming to the right over their composition is not exact.
 */

import { compose, difference, equal, heap, IDENTITY, invert, split, Text, transform, whole } from '../ot/index.js'
import { more } from './more.js'

/** @import { Op } from '../ot/op.js' */
/** @import { Pile } from '../ot/pile.js' */
/** @import { Change } from '../ot/text.js' */

/**
 * @typedef {object} Sent an op under way: sent again, it goes exactly as it was
 * @property {string} id
 * @property {number} base the version it was made on
 * @property {Op} op as it is sent
 * @property {Op} now the same, carried to the version held
 * @property {boolean} more the first piece of a longer op, whose rest waits behind it
 */

/**
 * @typedef {object} Point what names a state of the server's text
 * @property {number} version
 * @property {string | null} operationId of the op that made it
 * @property {number | null} sequenceId
 */

/**
 * @typedef {Point & { base: Text, sent: Sent | null, pile: Pile, shown: Text }} State
 * @typedef {{ state: State, op: Op, changes: Change[] }} Step with what it did to `shown`
 */

/**
 * @param {string} content
 * @param {Point} point
 * @returns {State}
 */
export function begin (content, point) {
  const base = Text.of(content)
  return { ...point, base, sent: null, pile: [], shown: base }
}

/** @param {State} state */
export const isPending = ({ sent, pile }) => sent !== null || pile.length > 0

/**
 * All that is pending as one op on the base: good for positions, not for transforming others
 * to the right.
 * @param {State} state
 */
export const typed = ({ sent, pile }) => compose(sent?.now ?? IDENTITY, whole(pile))

/**
 * Make a state of parts, where an op brings what was shown to what is.
 * @param {State} state
 * @param {Op} op on what was shown
 * @returns {Step}
 */
function shown (state, op) {
  const { text, changes } = state.shown.apply(op)
  return { state: { ...state, shown: isPending(state) ? text : state.base }, op, changes }
}

/**
 * The user edits what is shown.
 * @param {State} state
 * @param {Op} op
 */
export function edit (state, op) {
  return shown({ ...state, pile: heap(state.pile, op) }, op)
}

/**
 * Freeze what was typed into an op to be sent, or the first piece of it.
 * @param {State} state with nothing sent
 * @param {string} id
 * @param {number} limit bytes of an op on the wire
 * @returns {State}
 */
export function freeze (state, id, limit) {
  const [op, rest] = split(whole(state.pile), limit)
  const more = rest.length > 0
  const sent = op.length === 0 ? null : { id, base: state.version, op, now: op, more }
  return { ...state, sent, pile: more ? [rest] : [], shown: sent === null ? state.base : state.shown }
}

/**
 * Carry what was typed over an op that comes below it, and that op over what was typed.
 * @param {Pile} pile
 * @param {Op} op
 * @returns {[Pile, Op]}
 */
function carryPile (pile, op) {
  if (pile.length === 0 || op.length === 0) return [pile, op]
  const own = whole(pile)
  return [heap([], transform(own, op, 'left')), transform(op, own, 'right')]
}

/**
 * Take an op of somebody else.
 * @param {State} state
 * @param {Op} op
 * @param {Point} point what it makes
 * @returns {Step}
 */
export function receive (state, op, point) {
  const { text: base, changes } = state.base.apply(op)
  if (!isPending(state)) return { state: { ...state, ...point, base, shown: base }, op, changes }
  let { sent } = state
  if (sent) {
    const { now } = sent
    sent = { ...sent, now: transform(now, op, 'left') }
    op = transform(op, now, 'right')
  }
  const [pile, over] = carryPile(state.pile, op)
  return shown({ ...state, ...point, base, sent, pile }, over)
}

/**
 * Put an op in the place of the one that was sent: the answer, which is the same unless the
 * server sees it otherwise, or nothing, when it was refused or is in the text already.
 * @param {State} state with something sent
 * @param {Op} by on the base
 * @param {Partial<Point>} [point] what it makes
 * @returns {Step}
 */
export function settle (state, by, point = {}) {
  const { sent, base } = state
  const now = /** @type {Sent} */ (sent).now
  const op = equal(now, by) ? IDENTITY : compose(invert(now, base), by)
  const [pile, over] = carryPile(state.pile, op)
  return shown({ ...state, ...point, base: base.apply(by).text, sent: null, pile }, over)
}

/**
 * Take back what was sent, and with the piece of a longer op its rest. `draft` is what was
 * taken, as an op on what is shown then.
 * @param {State} state with something sent
 * @returns {Step & { draft: Op }}
 */
export function takeBack (state) {
  let sent = /** @type {Sent} */ (state.sent)
  if (sent.more) {
    sent = { ...sent, now: typed(state), more: false }
    state = { ...state, sent, pile: [] }
  }
  const step = settle(state, IDENTITY)
  return { ...step, draft: transform(sent.now, whole(step.state.pile), 'left') }
}

/**
 * Let what was sent, and is known not to be in the server's text, be typed again.
 * @param {State} state
 * @returns {State}
 */
export function thaw (state) {
  return { ...state, sent: null, pile: heap([], typed(state)) }
}

/**
 * Take the server's text as a whole. What is pending is carried over the difference; what
 * was sent is then made on the new version, under its old id, so that the server takes it
 * once whatever became of it.
 * @param {State} state
 * @param {string} content
 * @param {Point} point
 * @param {'in' | 'out' | 'as it was'} what is known of the op that was sent: that the text
 *   has it; that it is to be made on the new text; that it stays as it was sent
 * @returns {Step}
 */
export function replace (state, content, point, what) {
  const { sent, base } = state
  if (sent && what === 'in') state = { ...state, base: base.apply(sent.now).text, sent: null }
  const step = receive(state, difference(String(state.base), content, more?.way), point)
  const { sent: carried } = step.state
  if (!carried || what !== 'out') return step
  const { now } = carried
  return { ...step, state: { ...step.state, sent: now.length === 0 ? null : { ...carried, base: point.version, op: now } } }
}
