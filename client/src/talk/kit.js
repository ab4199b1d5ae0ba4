/**
 * What talk needs of the core's small things, so that its code is loaded apart without cutting
 * the core's in two; the algebra it is handed by its document.
 */

/** @import { Op } from '../ot/op.js' */

export const INSERT = 1
export const DELETE = 2

/**
 * @typedef {object} Algebra
 * @property {typeof import('../ot/index.js').compose} compose
 * @property {typeof import('../ot/index.js').parse} parse
 * @property {typeof import('../ot/index.js').print} print
 * @property {typeof import('../ot/index.js').toOp} toOp
 * @property {typeof import('../ot/index.js').transform} transform
 * @property {typeof import('../core/state.js').typed} typed
 */

/** Count the code points of a well-formed string. @param {string} text */
export function points (text) {
  let count = 0
  for (const _ of text) count++
  return count
}

/**
 * Return where a position before an op is after it, before what is inserted there.
 * @param {number} position
 * @param {Op} op
 */
export function after (position, op) {
  let at = 0
  for (const { kind, length } of op) {
    if (at >= position) break
    if (kind === DELETE) position = Math.max(at, position - length)
    else {
      if (kind === INSERT) position += length
      at += length
    }
  }
  return position
}

/**
 * Return where a position after an op was before it; inside an insert, that insert's place.
 * @param {number} position
 * @param {Op} op
 */
export function before (position, op) {
  let at = 0 // before the op
  let now = 0 // after it
  for (const { kind, length } of op) {
    if (kind === DELETE) {
      if (now < position) at += length
    } else if (now + length >= position) return kind === INSERT ? at : at + position - now
    else {
      now += length
      if (kind !== INSERT) at += length
    }
  }
  return at + position - now
}

/** @param {string} code @param {string} message @param {object} [more] @returns {Error & { code: string } & Record<string, any>} */
export const failure = (code, message, more) => Object.assign(new Error(message), { name: 'ConvergeError', code }, more)

/**
 * A promise and its ends; nobody has to take its failure.
 * @returns {import('../core/edits.js').Deferred<any>}
 */
export function deferred () {
  /** @type {any} */
  const ends = {}
  ends.promise = new Promise((resolve, reject) => Object.assign(ends, { resolve, reject }))
  ends.promise.catch(() => {})
  return ends
}
