/**
 * The difference of two texts as an op: the shortest there is (Myers), unless that would
 * take too long; then what lies between a common beginning and a common end is replaced as
 * a whole.
 */

import { append, DELETE, finish, INSERT, points, RETAIN } from './op.js'

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
  if ((a.charCodeAt(start - 1) & 0xfc00) === 0xd800) start--
  while (end < least - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  if ((a.charCodeAt(a.length - end) & 0xfc00) === 0xdc00) end--
  return [start, end]
}

/**
 * Find how far one comes in `a` by so many steps, an insert or a delete each, on every
 * diagonal of the square of two lists: a row for each step, in which entry i is that of the
 * diagonal 2i - step. Null: there are too many steps.
 * @param {string[]} a
 * @param {string[]} b
 */
function paths (a, b) {
  /** @type {Int32Array[]} */
  const rows = []
  for (let step = 0; step <= MOST; step++) {
    const before = rows[step - 1] ?? [0]
    const row = rows[step] = new Int32Array(step + 1)
    for (let i = 0; i <= step; i++) {
      let x = Math.max(before[i] ?? -1, (before[i - 1] ?? -2) + 1)
      const diagonal = 2 * i - step
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x++
      row[i] = x
      if (x >= a.length && diagonal === a.length - b.length) return rows
    }
  }
  return null
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
  const rows = paths(a, b)
  if (rows === null) {
    append(op, INSERT, b.length, b.join(''))
    append(op, DELETE, a.length)
    return op
  }
  // walk back from the end, then forth
  let x = a.length
  let diagonal = x - b.length
  /** @type {[boolean, number][]} whether it inserts, and how much stays behind it */
  const steps = []
  for (let step = rows.length - 1; step > 0; step--) {
    const row = rows[step - 1]
    const i = (diagonal + step) / 2
    const inserts = (row[i] ?? -1) > (row[i - 1] ?? -1)
    const at = inserts ? row[i] : row[i - 1]
    steps.push([inserts, x - at - (inserts ? 0 : 1)])
    x = at
    diagonal += inserts ? 1 : -1
  }
  append(op, RETAIN, x)
  for (const [inserts, stays] of steps.reverse()) {
    if (inserts) append(op, INSERT, 1, b[x++])
    else append(op, DELETE, 1)
    append(op, RETAIN, stays)
    x += stays
  }
  return finish(op)
}
