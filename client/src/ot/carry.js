/** Where positions go; it takes no code of the core's along where it is loaded apart. */

/** @import { Op, Side } from './op.js' */

const INSERT = 1
const DELETE = 2

/**
 * Return where a position is after an op. An insert right there pushes it (`right`) or not.
 * @param {number} position
 * @param {Op} op
 * @param {Side} side
 */
export function transformPosition (position, op, side) {
  let before = 0
  for (const { kind, length } of op) {
    if (kind === INSERT) {
      if (position === 0 && side === 'left') break
    } else if (position < length) {
      if (kind === DELETE) position = 0
      break
    } else position -= length
    if (kind !== DELETE) before += length
  }
  return before + position
}
