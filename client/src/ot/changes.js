/** From an editor's changes, in UTF-16 offsets, to ops, in code points. */

import { append, DELETE, finish, INSERT, points, RETAIN } from './op.js'
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
  for (const { from, to = from, insert = '' } of [...changes].sort((a, b) => a.from - b.from || (a.to ?? a.from) - (b.to ?? b.from))) {
    if (!(Number.isInteger(from + to) && from >= 0 && from <= to && to <= length)) throw new RangeError(`a change from ${from} to ${to} is not within the text, whose length is ${length}`)
    if (typeof insert !== 'string') throw new TypeError('what a change inserts must be a string')
    const last = out[out.length - 1]
    if (from < last?.to) throw new RangeError(`changes must not overlap: one ends at ${last.to}, another begins at ${from}`)
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
  const plain = text.length === text.points
  let at = 0
  for (let { from, to, insert } of ordered(changes, text.length)) {
    if (!plain && (text.unit(from) & 0xfc00) === 0xdc00) insert = text.slice(--from, from + 1) + insert
    if (!plain && (text.unit(to) & 0xfc00) === 0xdc00) insert += text.slice(to, ++to)
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
