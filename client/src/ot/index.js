/** The algebra, all of it. */

export { compose, invert, transform } from './algebra.js'
export { toOp } from './changes.js'
export { diff } from './diff.js'
export { difference } from './difference.js'
export { DELETE, equal, IDENTITY, INSERT, points, reach, RETAIN } from './op.js'
export { heap, whole } from './pile.js'
export { bytesOf, split } from './split.js'
export { Text } from './text.js'
export { transformPosition, untransformPosition } from './positions.js'
export { clean, parse, print, UNFIT } from './wire.js'
