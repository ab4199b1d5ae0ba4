/** Cuts ops that are too long to be sent as one. */

import { append, DELETE, finish, INSERT, Reader, RETAIN } from './op.js'
import { print } from './wire.js'

/** @import { Component, Op } from './op.js' */

/**
 * Count the bytes of an op on the wire.
 * @param {Op} op
 */
export const bytesOf = op => new TextEncoder().encode(JSON.stringify(print(op))).length

/**
 * Cut an op in two, the second made on top of the first; composed they are the op.
 * @param {Op} op
 * @param {number} most characters that the first inserts, or so; at least 1, so that it says something
 * @returns {[Op, Op]}
 */
function cut (op, most) {
  const reader = new Reader(op)
  /** @type {Component[]} */
  const first = []
  /** @type {Component[]} */
  const second = []
  while (!reader.ended && most > 0) {
    const { kind } = reader
    const length = kind === INSERT ? Math.min(reader.length, most) : reader.length
    most -= kind === INSERT ? length : kind
    reader.pass(first, length)
  }
  for (const { kind, length } of first) if (kind !== DELETE) append(second, RETAIN, length)
  return [finish(first), reader.passRest(second)]
}

/**
 * Cut an op so that the first piece takes at most so many bytes on the wire, unless it cannot
 * be cut, and more than half of that, or so.
 * @param {Op} op
 * @param {number} limit
 * @returns {[Op, Op]}
 */
export function split (op, limit) {
  let most = bytesOf(op)
  let pieces = cut(op, most)
  while (bytesOf(pieces[0]) > limit && most > 1) pieces = cut(op, most >>= 1)
  return pieces
}
