/**
 * The difference of two texts as an op: the shortest there is (Myers, in linear space),
 * unless that would take too long; then what lies between a common beginning and a common
 * end is replaced as a whole.
 */

import { append, DELETE, finish, INSERT, points, RETAIN } from './op.js'

/** @import { Component, Op } from './op.js' */

/** Steps after which a stretch is replaced as it is. */
const EFFORT = 4_000_000

/** @param {string} text */
const codes = text => Uint32Array.from(text, character => /** @type {number} */ (character.codePointAt(0)))

/** @param {Uint32Array} list */
function textOf (list) {
  let text = ''
  for (let i = 0; i < list.length; i += 4096) text += String.fromCodePoint(...list.subarray(i, i + 4096))
  return text
}

/**
 * Count the UTF-16 units in which two different texts begin alike and end alike, whole
 * characters alone.
 * @param {string} a
 * @param {string} b
 */
function common (a, b) {
  const least = Math.min(a.length, b.length)
  let start = 0
  let end = 0
  while (start < least && a.charCodeAt(start) === b.charCodeAt(start)) start++
  if (start > 0 && (a.charCodeAt(start - 1) & 0xfc00) === 0xd800) start--
  while (end < least - start && a.charCodeAt(a.length - 1 - end) === b.charCodeAt(b.length - 1 - end)) end++
  if (end > 0 && (a.charCodeAt(a.length - end) & 0xfc00) === 0xdc00) end--
  return [start, end]
}

/**
 * Return the op that makes `to` of `from`.
 * @param {string} from
 * @param {string} to
 * @returns {Op}
 */
export function diff (from, to) {
  if (from === to) return []
  /** @type {Component[]} */
  const op = []
  let effort = EFFORT

  /** @param {Uint32Array} a @param {Uint32Array} b */
  const compare = (a, b) => {
    let start = 0
    let end = 0
    const least = Math.min(a.length, b.length)
    while (start < least && a[start] === b[start]) start++
    while (end < least - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
    append(op, RETAIN, start)
    differ(a.subarray(start, a.length - end), b.subarray(start, b.length - end))
    append(op, RETAIN, end)
  }

  /** Neither begins nor ends alike. @param {Uint32Array} a @param {Uint32Array} b */
  const differ = (a, b) => {
    const middle = a.length > 0 && b.length > 0 ? meet(a, b) : null
    if (middle === null) {
      append(op, INSERT, b.length, textOf(b))
      append(op, DELETE, a.length)
      return
    }
    compare(a.subarray(0, middle[0]), b.subarray(0, middle[1]))
    compare(a.subarray(middle[0]), b.subarray(middle[1]))
  }

  /**
   * Find a place on a shortest path, from both ends at once; null if there is no other than
   * to replace everything, or it takes too long.
   * @param {Uint32Array} a @param {Uint32Array} b
   * @returns {[number, number] | null}
   */
  const meet = (a, b) => {
    const [n, m] = [a.length, b.length]
    const delta = n - m
    const most = Math.ceil((n + m) / 2)
    const size = 2 * Math.min(most, Math.ceil(Math.sqrt(2 * EFFORT)) + 1) + 2
    const ahead = new Int32Array(size + 1).fill(-1)
    const back = new Int32Array(size + 1).fill(-1)
    const zero = size >> 1
    ahead[zero + 1] = back[zero + 1] = 0
    for (let d = 0; d <= most; d++) {
      effort -= d
      for (const forward of [true, false]) {
        const [own, other] = forward ? [ahead, back] : [back, ahead]
        for (let k = -d; k <= d; k += 2) {
          if (k > n || k < -m) continue
          let x = k === -d || (k !== d && own[zero + k - 1] < own[zero + k + 1]) ? own[zero + k + 1] : own[zero + k - 1] + 1
          let y = x - k
          const begin = x
          if (y < 0) continue
          while (x < n && y < m && (forward ? a[x] === b[y] : a[n - 1 - x] === b[m - 1 - y])) {
            x++
            y++
          }
          effort -= (x - begin) >> 4
          own[zero + k] = x
          const opposite = zero + delta - k
          const reaches = forward ? (delta & 1) === 1 && Math.abs(delta - k) < d : (delta & 1) === 0 && Math.abs(delta - k) <= d
          if (reaches && x <= n && y <= m && other[opposite] >= 0 && x + other[opposite] >= n) {
            const place = forward ? [x, y] : [n - x, m - y]
            return (place[0] === 0 && place[1] === 0) || (place[0] === n && place[1] === m) ? null : [place[0], place[1]]
          }
        }
      }
      if (effort < 0) return null
    }
    return null
  }

  const [start, end] = common(from, to)
  append(op, RETAIN, points(from.slice(0, start)))
  compare(codes(from.slice(start, from.length - end)), codes(to.slice(start, to.length - end)))
  return finish(op)
}
