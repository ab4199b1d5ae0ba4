/** From an editor's changes, in UTF-16 offsets, to ops, in code points. */

import { append, DELETE, finish, half, INSERT, LOW, points, RETAIN } from './op.js'
import { clean } from './wire.js'

/** @import { Component, Op } from './op.js' */
/** @import { Change, Text } from './text.js' */

/**
 * Check changes, bring them in order and join those that touch.
 * @param {readonly Change[]} changes
 * @param {number} length of the text
 */
function ordered (changes, length) {
  /** @type {Change[]} */
  const out = []
  for (const { from, to, insert } of changes.map(({ from, to = from, insert = '' }) => ({ from, to, insert })).sort((a, b) => a.from - b.from || a.to - b.to)) {
    const last = out[out.length - 1]
    if (!(Number.isInteger(from + to) && from >= 0 && from <= to && to <= length)) throw new RangeError(`a change from ${from} to ${to} is not within the text, whose length is ${length}`)
    if (typeof insert !== 'string') throw new TypeError(`a change inserts a string, not ${insert}`)
    if (from < last?.to) throw new RangeError(`a change from ${from} overlaps one to ${last.to}`)
    if (from === last?.to) {
      last.to = to
      last.insert += insert
    } else out.push({ from, to, insert })
  }
  return out
}

/**
 * Make an op of changes of a text. A change that cuts a character in two (as when an editor
 * compares 😀 with 😁) takes the whole of it; what is inserted is cleaned.
 * @param {Text} text
 * @param {readonly Change[]} changes
 * @returns {Op}
 */
export function toOp (text, changes) {
  /** @type {Component[]} */
  const op = []
  let at = 0
  /** @param {number} offset whether it cuts a character in two */
  const cuts = offset => text.length !== text.points && half(text.slice(offset, offset + 1), 0) === LOW
  for (let { from, to, insert } of ordered(changes, text.length)) {
    if (cuts(from)) insert = text.slice(--from, from + 1) + insert
    if (cuts(to)) insert += text.slice(to, ++to)
    insert = clean(insert)
    const start = text.point(from)
    const end = text.point(to)
    append(op, RETAIN, start - at)
    append(op, INSERT, points(insert), insert)
    append(op, DELETE, end - start)
    at = end
  }
  return finish(op)
}
