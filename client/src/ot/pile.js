/**
 * Ops one after the other, to be composed later: since composing is associative, adding one
 * to many costs no more than the logarithm of them. A pile is a value: adding makes another.
 */

import { compose } from './algebra.js'
import { IDENTITY } from './op.js'

/** @import { Op } from './op.js' */
/** @typedef {readonly Op[]} Pile */

/**
 * @param {Pile} pile
 * @param {Op} op
 * @returns {Pile}
 */
export function heap (pile, op) {
  if (op.length === 0) return pile
  const out = pile.slice()
  while (out.length > 0 && out[out.length - 1].length <= 2 * op.length) op = compose(/** @type {Op} */ (out.pop()), op)
  if (op.length > 0) out.push(op)
  return out
}

/**
 * The whole pile as one op.
 * @param {Pile} pile
 * @returns {Op}
 */
export function whole (pile) {
  return pile.length === 0 ? IDENTITY : pile.reduceRight((later, earlier) => compose(earlier, later))
}
