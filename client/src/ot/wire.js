/** Ops as they travel and are stored: JSON like `[5, "hi", { "d": 3 }]`. */

import { append, DELETE, finish, INSERT, points, RETAIN } from './op.js'

/** @import { Component, Op, WireOp } from './op.js' */

/** @param {any} value */
const isLength = value => Number.isSafeInteger(value) && value > 0

/** U+0000, and a surrogate without its other half: with it, it is a character beyond these. */
export const UNFIT = /[\0\ud800-\udfff]/gu

/**
 * Text as it may stand in a document: lone surrogates and U+0000, which PostgreSQL cannot
 * store, become U+FFFD, line ends become "\n". Its length in UTF-16 stays but for line ends.
 * @param {string} text
 */
export function clean (text) {
  return text.replace(/\r\n?/g, '\n').replace(UNFIT, '\ufffd')
}

/**
 * Read an op; a TypeError says what is wrong with it.
 * @param {unknown} wire
 * @returns {Op}
 */
export function parse (wire) {
  /** @type {Component[]} */
  const op = []
  for (const part of Array.isArray(wire) ? wire : [[wire]]) {
    if (typeof part === 'string' && part.search(UNFIT) < 0) append(op, INSERT, points(part), part)
    else if (isLength(part)) append(op, RETAIN, part)
    else if (isLength(part?.d)) append(op, DELETE, part.d)
    else throw new TypeError(`a component is a number, a string without U+0000 and lone surrogates or {"d": number}, not ${JSON.stringify(part)}`)
  }
  return finish(op)
}

/**
 * Write an op.
 * @param {Op} op
 * @returns {WireOp}
 */
export function print (op) {
  return op.map(({ kind, length, text }) => kind === RETAIN ? length : kind === INSERT ? text : { d: length })
}
