/** Cuts ops that are too long to be sent as one. */

import { append, DELETE, finish, INSERT, offsetOf, Reader, RETAIN } from './op.js'

/** @import { Component, Op } from './op.js' */

/** No component but an insert takes more bytes on the wire. */
const COMPONENT_BYTES = 24

/**
 * Count the bytes of something on the wire.
 * @param {unknown} wire
 */
export const bytesOf = wire => new TextEncoder().encode(JSON.stringify(wire)).length

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
  /** @type {Component[]} */
  const second = []
  let room = limit
  for (let says = false; !reader.ended && room > 0;) {
    const { kind, text } = reader
    let { length } = reader
    room -= COMPONENT_BYTES
    if (kind === INSERT) {
      // no unit takes more than six bytes: count only where that might not fit
      let bytes = 6 * text.length
      while (bytes > room && (bytes = bytesOf(text.slice(0, offsetOf(text, reader.length, length)))) > room && length > 1) length >>= 1
      room = length < reader.length ? 0 : room - bytes
    }
    if (says && room < 0) break
    says ||= kind !== RETAIN
    reader.pass(first, length)
  }
  for (const { kind, length } of first) if (kind !== DELETE) append(second, RETAIN, length)
  return [finish(first), reader.passRest(second)]
}
