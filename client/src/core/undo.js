/**
 * Undo and redo of one's own edits. An entry is an op that takes an edit back; others' ops
 * that came since are kept beside it and looked at only when it is wanted, so that an
 * arriving op costs next to nothing. Histories are values.
 */

import { compose, heap, IDENTITY, reach, RETAIN, transform, whole } from '../ot/index.js'

/** @import { Op } from '../ot/op.js' */
/** @import { Pile } from '../ot/pile.js' */

/**
 * @typedef {{ op: Op, since: Pile, at: number }} Entry
 * @typedef {{ done: readonly Entry[], undone: readonly Entry[] }} History
 */

/** Edits that follow each other faster, at one place, are undone together. */
const GROUP_MS = 500
const MOST = 500

/** @type {History} */
export const NO_HISTORY = { done: [], undone: [] }

/**
 * Where an op begins and ends in the text it is made on.
 * @param {Op} op
 */
const range = op => [op.length > 0 && op[0].kind === RETAIN ? op[0].length : 0, reach(op)]

/**
 * Return true if two ops on one text touch.
 * @param {Op} a
 * @param {Op} b
 */
function touch (a, b) {
  const [aFrom, aTo] = range(a)
  const [bFrom, bTo] = range(b)
  return aFrom <= bTo && bFrom <= aTo
}

/**
 * Bring the last entry to the text of now, and what came since below it.
 * @param {readonly Entry[]} stack not empty
 * @returns {{ op: Op, at: number, rest: readonly Entry[] }}
 */
function lift (stack) {
  const rest = stack.slice()
  const { op, since, at } = /** @type {Entry} */ (rest.pop())
  const came = whole(since)
  const below = rest.pop()
  if (below) rest.push({ ...below, since: heap(below.since, transform(came, op, 'right')) })
  return { op: transform(op, came, 'left'), at, rest }
}

/**
 * Note an edit of the user's.
 * @param {History} history
 * @param {Op} op the edit
 * @param {Op} inverse what takes it back
 * @param {number} at now, in milliseconds
 * @returns {History}
 */
export function note ({ done }, op, inverse, at) {
  if (at - (done[done.length - 1]?.at ?? 0) < GROUP_MS) {
    const { op: earlier, rest } = lift(done)
    if (touch(earlier, op)) return { done: [...rest, { op: compose(inverse, earlier), since: [], at }], undone: [] }
  }
  return { done: [...done.slice(1 - MOST), { op: inverse, since: [], at }], undone: [] }
}

/**
 * Note an op that is not the user's.
 * @param {History} history
 * @param {Op} op on what is shown
 * @returns {History}
 */
export function pass ({ done, undone }, op) {
  /** @param {readonly Entry[]} stack */
  const under = stack => {
    const top = stack[stack.length - 1]
    return top ? [...stack.slice(0, -1), { ...top, since: heap(top.since, op) }] : stack
  }
  return { done: under(done), undone: under(undone) }
}

/**
 * Take the last entry of a stack that still does something; what would take that back goes on
 * the other stack.
 * @param {History} history
 * @param {boolean} redo
 * @param {(op: Op) => Op} inverse
 * @returns {{ op: Op, history: History }} the op is empty if there is none
 */
export function reverse ({ done, undone }, redo, inverse) {
  let [stack, other] = redo ? [undone, done] : [done, undone]
  let op = IDENTITY
  while (stack.length > 0 && op.length === 0) ({ op, rest: stack } = lift(stack))
  if (op.length > 0) other = [...other, { op: inverse(op), since: [], at: 0 }]
  return { op, history: redo ? { done: other, undone: stack } : { done: stack, undone: other } }
}
