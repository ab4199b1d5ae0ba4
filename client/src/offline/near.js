/**
 * What is said about some of the text is stored with that text and what stands around it, so
 * that another tab finds it again, whatever has become of the versions. The places are in code
 * points of the text as it is shown.
 */

/** @import { Op } from '../ot/op.js' */
/** @import { Text } from '../ot/text.js' */

/**
 * @typedef {object} Near
 * @property {number} from
 * @property {number} length
 * @property {string} quote that text; of a long one the beginning
 * @property {string} prefix
 * @property {string} suffix
 */

const QUOTE = 10_000
const AROUND = 32

/** @param {Text} shown @param {number} from @param {number} to @returns {Near} */
export function nearOf (shown, from, to) {
  const before = Math.min(from, AROUND)
  return {
    from,
    length: to - from,
    quote: shown.at(from, Math.min(to - from, QUOTE)),
    prefix: shown.at(from - before, before),
    suffix: shown.at(to, Math.min(shown.points - to, AROUND))
  }
}

/**
 * The text that an op changes, or where it only inserts the character beside it, and the op
 * from where that begins.
 * @param {Text} shown
 * @param {Op} op
 * @returns {{ near: Near, op: Op }}
 */
export function nearOp (shown, op) {
  let reach = 0
  for (const { kind, length } of op) if (kind !== 1) reach += length
  const first = op[0]?.kind === 0 ? op[0].length : 0
  const from = first < reach ? first : Math.max(0, first - 1)
  return { near: nearOf(shown, from, Math.min(shown.points, Math.max(from + 1, reach))), op: shift(op, -from) }
}

/** An op with its beginning moved by a number of code points. @param {Op} op @param {number} by @returns {Op} */
export function shift (op, by) {
  const [first, ...rest] = op
  const retained = by + (first?.kind === 0 ? first.length : 0)
  const changes = first?.kind === 0 ? rest : op
  return retained > 0 ? [{ kind: 0, length: retained, text: '' }, ...changes] : changes
}

/**
 * Find a text where it was, or else where most of what stood around it is.
 * @param {Text} shown
 * @param {Near} near
 * @param {typeof import('../talk/place.js').find} find
 * @returns {number} -1: it is not there
 */
export function seek (shown, near, find) {
  const { from, length, quote, prefix, suffix } = near
  if (!quote) return shown.points === 0 ? 0 : -1
  if (from + length <= shown.points) {
    const there = nearOf(shown, from, from + length)
    if (there.quote === quote && there.prefix === prefix && there.suffix === suffix) return from
  }
  const text = String(shown)
  const few = AROUND / 4
  for (const [before, after] of length <= QUOTE ? [[prefix, suffix], [prefix.slice(-few), suffix.slice(0, few)], [prefix, ''], ['', suffix]] : []) {
    const at = before || after ? text.indexOf(before + quote + after) : -1
    if (at >= 0) return shown.point(at + before.length)
  }
  return find(text, near)
}
