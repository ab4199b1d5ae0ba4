/**
 * The difference of two texts as an op: the shortest there is (Myers), unless that would
 * take too long; then what lies between a common beginning and a common end is replaced as
 * a whole.
 */

import { append, DELETE, finish, half, HIGH, INSERT, LOW, points, RETAIN } from './op.js'

/** @import { Component, Op } from './op.js' */

/** Characters inserted and deleted, beyond which it is not looked for the shortest. */
const MOST = 2048

/**
 * Count the UTF-16 units in which two texts begin alike and end alike, whole characters alone.
 * @param {string} a
 * @param {string} b
 */
function common (a, b) {
  const least = Math.min(a.length, b.length)
  let start = 0
  let end = 0
  while (start < least && a[start] === b[start]) start++
  if (half(a, start - 1) === HIGH) start--
  while (end < least - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  if (half(a, a.length - end) === LOW) end--
  return [start, end]
}

/**
 * @typedef {object} Place where a way from one list to the other has come
 * @property {number} x in the one
 * @property {number} y in the other
 * @property {boolean} inserts whether the last step inserted; else it deleted
 * @property {Place | undefined} before that step
 */

/**
 * Find the way of fewest steps, an insert or a delete each, in the square of two lists: a row
 * for each step, in which entry i is the furthest on the diagonal x - y = 2i - step.
 * @param {string[]} a
 * @param {string[]} b
 * @returns {Place | undefined} its end; none if there are too many steps
 */
function way (a, b) {
  /** @type {(Place | undefined)[]} */
  let row = []
  for (let step = 0; step <= MOST; step++) {
    /** @type {(Place | undefined)[]} */
    const next = []
    for (let i = 0; i <= step; i++) {
      const up = row[i]
      const left = row[i - 1]
      const inserts = !left || (up !== undefined && up.x > left.x)
      const before = inserts ? up : left
      if (step > 0 && before === undefined) continue
      let x = (before?.x ?? 0) + (inserts ? 0 : 1)
      let y = x + step - 2 * i
      if (x > a.length || y > b.length) continue
      while (x < a.length && a[x] === b[y]) {
        x++
        y++
      }
      next[i] = { x, y, inserts, before }
      if (x === a.length && y === b.length) return next[i]
    }
    row = next
  }
}

/**
 * Return the op that makes `to` of `from`.
 * @param {string} from
 * @param {string} to
 * @returns {Op}
 */
export function diff (from, to) {
  const [start, end] = common(from, to)
  const a = [...from.slice(start, from.length - end)]
  const b = [...to.slice(start, to.length - end)]
  /** @type {Component[]} */
  const op = []
  append(op, RETAIN, points(from.slice(0, start)))
  let place = a.length > 0 && b.length > 0 && way(a, b)
  if (!place) {
    append(op, INSERT, b.length, b.join(''))
    append(op, DELETE, a.length)
  }
  /** @type {Place[]} */
  const places = []
  for (; place; place = place.before) places.unshift(place)
  for (const { x, inserts, before } of places) {
    if (before) append(op, inserts ? INSERT : DELETE, 1, inserts ? b[before.y] : '')
    append(op, RETAIN, x - (before?.x ?? 0) - (before && !inserts ? 1 : 0))
  }
  return finish(op)
}
