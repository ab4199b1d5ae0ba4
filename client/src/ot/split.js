/** Cuts ops that are too long to be sent as one. */

import { append, DELETE, finish, INSERT, Reader, RETAIN } from './op.js'

/** @import { Component, Op } from './op.js' */

/** No component but an insert takes more bytes on the wire. */
const COMPONENT_BYTES = 24

/**
 * Bytes of a code unit in JSON in UTF-8; a surrogate is half of four.
 * @param {number} unit
 */
function unitBytes (unit) {
  if (unit < 0x80) return unit === 0x22 || unit === 0x5c ? 2 : unit < 0x20 ? 6 : 1
  return unit < 0x800 || (unit & 0xf800) === 0xd800 ? 2 : 3
}

/**
 * Count the code points at the beginning of a text that take at most `room` bytes.
 * @param {string} text
 * @param {number} room
 */
function fitting (text, room) {
  let count = 0
  for (let i = 0; i < text.length; i++) {
    room -= unitBytes(text.charCodeAt(i))
    if (room < 0) break
    if ((text.charCodeAt(i) & 0xfc00) !== 0xd800) count++
  }
  return count
}

/**
 * Cut an op in two: the first takes at most `limit` bytes on the wire (and says something),
 * the second is made on top of it. Composed they are the op.
 * @param {Op} op
 * @param {number} limit
 * @returns {[Op, Op]}
 */
export function split (op, limit) {
  const reader = new Reader(op)
  /** @type {Component[]} */
  const first = []
  let says = false
  for (let room = limit; !reader.ended;) {
    let length = reader.length
    room -= COMPONENT_BYTES
    if (reader.kind === INSERT) {
      // no unit takes more than six bytes: look closer only where that might not fit
      if (6 * reader.text.length > room) length = fitting(reader.text, room)
      if (length === 0 && !says) length = 1
      room = length < reader.length ? 0 : room - 6 * reader.text.length
    }
    if (length === 0 || (says && room < 0)) break
    says ||= reader.kind !== RETAIN
    reader.pass(first, length)
  }
  /** @type {Component[]} */
  const second = []
  for (const component of first) if (component.kind !== DELETE) append(second, RETAIN, component.length)
  return [finish(first), reader.passRest(second)]
}
