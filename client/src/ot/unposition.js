/** Where positions came from. */

import { invert } from './algebra.js'
import { transformPosition } from './position.js'

/** @import { Op } from './op.js' */

/**
 * Return where a position after an op was before it; inside an insert, that insert's place.
 * @param {number} position
 * @param {Op} op
 */
export const untransformPosition = (position, op) => transformPosition(position, invert(op), 'left')
