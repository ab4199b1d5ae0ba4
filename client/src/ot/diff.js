/** The difference of two texts as an op: the shortest there is, unless that would take too long. */

import { difference } from './difference.js'
import { way } from './way.js'

/** @param {string} from @param {string} to */
export const diff = (from, to) => difference(from, to, way)
