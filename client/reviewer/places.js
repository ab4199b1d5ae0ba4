/**
 * Finds where a remark belongs. Only an exact quote counts: a model's idea of a position is
 * never asked for. A quote that stands more than once needs what stands around it, or which
 * one it is; a remark whose place is not certain is dropped.
 */

import { print, Text, toOp } from '../src/ot/index.js'

/** @import { Range } from './parts.js' */
/** @import { WireOp } from '../src/ot/op.js' */

/** More of a quote than these are not told apart. */
const MOST = 200
/** What is remembered of each side of a passage, to find it in a later text. */
const AROUND = 24

/** A mark, a joiner or a variation selector: it belongs to the character before it. */
const CONTINUES = /^[\p{M}\u200d\u{1f3fb}-\u{1f3ff}]/u

/**
 * The offsets of a quote between two offsets, without those that cut a character from its marks.
 * @param {string} text
 * @param {string} quote
 * @param {Range} within
 */
export function occurrences (text, quote, { from, to }) {
  if (CONTINUES.test(quote) || quote.endsWith('\u200d')) return []
  return all(text, quote, from, to).filter(at => !CONTINUES.test(text.slice(at + quote.length, at + quote.length + 2)))
}

/** @param {string} text @param {string} quote @param {number} from @param {number} to */
function all (text, quote, from, to) {
  const found = []
  for (let at = text.indexOf(quote, from); at >= 0 && at + quote.length <= to && found.length < MOST; at = text.indexOf(quote, at + 1)) found.push(at)
  return found
}

/**
 * Find a remark's passage in a part of a text.
 * @param {string} text
 * @param {Range} part
 * @param {{ quote: string, before: string, after: string, occurrence: number | null }} remark
 * @returns {Range | string} or why there is none
 */
export function place (text, part, { quote, before, after, occurrence }) {
  const found = occurrences(text, quote, part)
  if (found.length === 0) return 'its quote is not in the text'
  const range = (/** @type {number} */ from) => ({ from, to: from + quote.length })
  if (found.length === 1) return range(found[0])
  const numbered = occurrence === null ? undefined : found[occurrence - 1]
  if (before === '' && after === '') {
    return numbered === undefined ? `its quote is in the text ${found.length === MOST ? 'too many' : found.length} times` : range(numbered)
  }
  const fit = found.filter(at => fits(text, at, quote, before, after))
  if (fit.length === 1) return range(fit[0])
  if (fit.length === 0) return 'what it says is around its quote is not'
  return numbered !== undefined && fit.includes(numbered) ? range(numbered) : `its quote is in the text ${fit.length} times`
}

/**
 * Return true if the text around a quote ends and begins as it should, but for spaces.
 * @param {string} text @param {number} at @param {string} quote @param {string} before @param {string} after
 */
function fits (text, at, quote, before, after) {
  const end = at + quote.length
  const [left, right] = [before.trim(), after.trim()]
  return text.slice(Math.max(0, at - before.length - left.length - 8), at).trimEnd().endsWith(left) &&
    text.slice(end, end + after.length + right.length + 8).trimStart().startsWith(right)
}

/**
 * What stands around a passage, to find it again by.
 * @param {string} text @param {Range} passage
 * @returns {[string, string]}
 */
export function around (text, { from, to }) {
  return [text.slice(Math.max(0, from - AROUND), from), text.slice(to, to + AROUND)]
}

/**
 * Find a passage in another version of the text: with all that stood around it, or else its
 * quote alone if that is there once. Null: it is not there any more.
 * @param {string} text
 * @param {string} quote
 * @param {[string, string]} around
 * @returns {Range | null}
 */
export function findAgain (text, quote, [before, after]) {
  // with half a character at its ends, perhaps: it is only looked for
  const wide = all(text, before + quote + after, 0, text.length).map(at => at + before.length)
  const [at, more] = wide.length === 1 ? wide : occurrences(text, quote, { from: 0, to: text.length })
  return at === undefined || more !== undefined ? null : { from: at, to: at + quote.length }
}

/**
 * A passage in code points, as the server counts.
 * @param {string} text @param {Range} passage
 */
export function points (text, { from, to }) {
  const before = [...text.slice(0, from)].length
  return { from: before, to: before + [...text.slice(from, to)].length }
}

/**
 * The op that puts a replacement in the place of a passage, without what both begin or end with.
 * @param {string} text @param {Range} passage @param {string} replacement
 * @returns {WireOp}
 */
export function replacing (text, { from, to }, replacement) {
  const least = Math.min(to - from, replacement.length)
  let front = 0
  while (front < least && text[from + front] === replacement[front]) front++
  let back = 0
  while (back < least - front && text[to - 1 - back] === replacement[replacement.length - 1 - back]) back++
  return print(toOp(Text.of(text), [{ from: from + front, to: to - back, insert: replacement.slice(front, replacement.length - back) }]))
}
