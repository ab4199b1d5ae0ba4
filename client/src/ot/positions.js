/** Positions, there and back. */

import { invert } from './algebra.js'
import { transformPosition as carry } from './carry.js'

/** @import { Op } from './op.js' */

/** Not exported as it is, or esbuild loads its file, which others load apart, at once. */
export const transformPosition = carry

/**
 * Return where a position after an op was before it; inside an insert, that insert's place.
 * @param {number} position
 * @param {Op} op
 */
export const untransformPosition = (position, op) => carry(position, invert(op), 'left')
