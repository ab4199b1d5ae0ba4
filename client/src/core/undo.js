/**
 * Undo and redo of one's own edits. An entry is an op that takes an edit back; others' ops
 * that came since are kept beside it and looked at only when it is wanted, so that an
 * arriving op costs next to nothing. Histories are values.
 */

import { compose, heap, reach, RETAIN, transform, whole } from '../ot/index.js'

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
  const { op, since, at } = stack[stack.length - 1]
  const came = whole(since)
  const rest = stack.slice(0, -1)
  const below = rest[rest.length - 1]
  if (below !== undefined && came.length > 0) rest[rest.length - 1] = { ...below, since: heap(below.since, transform(came, op, 'right')) }
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
  const last = done[done.length - 1]
  if (last !== undefined && at - last.at < GROUP_MS) {
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
  const under = stack => stack.length === 0 ? stack : [...stack.slice(0, -1), { ...stack[stack.length - 1], since: heap(stack[stack.length - 1].since, op) }]
  return { done: under(done), undone: under(undone) }
}

/**
 * Take the last entry that still does something.
 * @param {readonly Entry[]} stack
 */
function pop (stack) {
  while (stack.length > 0) {
    const { op, rest } = lift(stack)
    stack = rest
    if (op.length > 0) return { op, rest }
  }
  return { op: null, rest: stack }
}

/**
 * Return the op that undoes, if there is one, and the history after it.
 * @param {History} history
 * @param {(op: Op) => Op} inverse
 * @returns {{ op: Op | null, history: History }}
 */
export function undo ({ done, undone }, inverse) {
  const { op, rest } = pop(done)
  return { op, history: { done: rest, undone: op === null ? undone : [...undone, { op: inverse(op), since: [], at: -Infinity }] } }
}

/**
 * The same for what was undone.
 * @param {History} history
 * @param {(op: Op) => Op} inverse
 * @returns {{ op: Op | null, history: History }}
 */
export function redo ({ done, undone }, inverse) {
  const { op, rest } = pop(undone)
  return { op, history: { done: op === null ? done : [...done, { op: inverse(op), since: [], at: -Infinity }], undone: rest } }
}
