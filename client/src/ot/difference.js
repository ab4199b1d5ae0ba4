/** The difference of two texts as an op: between a common beginning and a common end. */

import { append, DELETE, finish, half, HIGH, INSERT, LOW, points, RETAIN } from './op.js'

/** @import { Component, Op } from './op.js' */

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
 * Return the op that makes `to` of `from`.
 * @param {string} from
 * @param {string} to
 * @param {typeof import('./way.js').way} [way] finds the shortest; without, and where that would
 *   take too long, what lies between is replaced as a whole
 * @returns {Op}
 */
export function difference (from, to, way) {
  const [start, end] = common(from, to)
  const a = [...from.slice(start, from.length - end)]
  const b = [...to.slice(start, to.length - end)]
  /** @type {Component[]} */
  const op = []
  append(op, RETAIN, points(from.slice(0, start)))
  if (!way?.(a, b, (kind, length, text) => append(op, kind, length, text))) {
    append(op, INSERT, b.length, b.join(''))
    append(op, DELETE, a.length)
  }
  return finish(op)
}
