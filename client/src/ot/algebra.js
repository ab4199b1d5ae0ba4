/**
 * The algebra of ops. It gives exactly what the server's gives; above all `compose` puts a
 * delete of the first op before an insert of the second where they meet, and with that,
 * transforming as `left` over a composition is the same as over one op after the other.
 */

import { append, DELETE, finish, INSERT, Reader, RETAIN } from './op.js'

/** @import { Component, Op, Side } from './op.js' */
/** @import { Text } from './text.js' */

/**
 * Make one op of two: `first`, then `second`.
 * @param {Op} first
 * @param {Op} second
 * @returns {Op}
 */
export function compose (first, second) {
  if (first.length === 0) return second
  /** @type {Component[]} */
  const out = []
  const a = new Reader(first)
  const b = new Reader(second)
  while (!b.ended) {
    if (a.kind === DELETE) a.pass(out)
    else if (b.kind === INSERT) b.pass(out)
    else {
      const length = Math.min(a.length, b.length)
      if (b.kind === RETAIN) a.pass(out, length)
      else {
        if (a.kind === RETAIN) append(out, DELETE, length)
        a.take(length)
      }
      b.take(length)
    }
  }
  return a.passRest(out)
}

/**
 * Carry an op over another that was made on the same text and comes before it now.
 * @param {Op} op
 * @param {Op} over
 * @param {Side} side whether its insert goes first where both insert
 * @returns {Op}
 */
export function transform (op, over, side) {
  if (op.length === 0 || over.length === 0) return op
  /** @type {Component[]} */
  const out = []
  const a = new Reader(op)
  const b = new Reader(over)
  while (!b.ended && !a.ended) {
    if (b.kind === INSERT) {
      if (side === 'left' && a.kind === INSERT) a.pass(out)
      append(out, RETAIN, b.length)
      b.step()
    } else if (a.kind === INSERT) a.pass(out)
    else {
      const length = Math.min(a.length, b.length)
      if (b.kind === RETAIN) a.pass(out, length)
      else a.take(length)
      b.take(length)
    }
  }
  return a.passRest(out)
}

/**
 * Make the op that undoes another.
 * @param {Op} op
 * @param {Text} [text] before it; without, the inverse is good for moving positions alone
 * @returns {Op}
 */
export function invert (op, text) {
  /** @type {Component[]} */
  const out = []
  let at = 0
  for (const { kind, length } of op) {
    if (kind === INSERT) append(out, DELETE, length)
    else {
      if (kind === DELETE) append(out, INSERT, length, text?.at(at, length))
      else append(out, RETAIN, length)
      at += length
    }
  }
  return finish(out)
}
