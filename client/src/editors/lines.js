/**
 * For editors that know one kind of line end: a document may have "\r" in it, put there by
 * SQL, and offsets in what they show are other ones then.
 */

import { more } from '../core/more.js'
import { difference as textDifference, print, Text, toOp, transform } from '../ot/index.js'

/**
 * A text as such an editor shows it.
 * @param {string} text
 */
export const shown = text => text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text

/**
 * Where an offset of the text is in what is shown.
 * @param {string} text
 * @param {number} offset
 */
export const toShown = (text, offset) => text.includes('\r') ? shown(text.slice(0, offset)).length : offset

/**
 * Where an offset of what is shown is in the text.
 * @param {string} text
 * @param {number} offset
 */
export function toText (text, offset) {
  if (text.includes('\r')) for (const { index } of text.matchAll(/\r\n/g)) if (index < offset) offset++
  return offset
}

/**
 * The one change that makes a text of another, around what they have in common.
 * @param {string} before
 * @param {string} after
 * @param {number} [behind] an offset of `after` behind which nothing has changed, if that may be
 * @returns {import('../ot/text.js').Change | null}
 */
export function difference (before, after, behind = 0) {
  if (before === after) return null
  const most = Math.min(before.length, after.length)
  let same = 0
  while (same < Math.min(most, after.length - behind) && before.charCodeAt(before.length - same - 1) === after.charCodeAt(after.length - same - 1)) same++
  let from = 0
  while (from < most - same && before.charCodeAt(from) === after.charCodeAt(from)) from++
  return { from, to: before.length - same, insert: after.slice(from, after.length - same) }
}

/**
 * Where an offset is after changes.
 * @param {number} offset
 * @param {readonly import('../ot/text.js').Change[]} changes
 */
export function carry (offset, changes) {
  let shift = 0
  for (const { from, to, insert } of changes) {
    if (from >= offset) break
    if (to > offset) return from + shift
    shift += insert.length - (to - from)
  }
  return offset + shift
}

/**
 * What a length becomes by changes.
 * @param {number} length
 * @param {readonly import('../ot/text.js').Change[]} changes
 */
export const grown = (length, changes) => changes.reduce((sum, { from, to, insert }) => sum + insert.length - (to - from), length)

/**
 * Give a document what an editor's text was changed to, while the document may have
 * changed too since both were the same. Returns the text that the editor has then, and the
 * changes that make the document's of it.
 * @param {import('../document.js').Document} document
 * @param {string} base what both have grown from
 * @param {string} value what the editor shows
 * @param {number} behind where the editor's cursor is
 * @param {unknown} source
 */
export function merge (document, base, value, behind, source) {
  const before = Text.of(base)
  const theirs = textDifference(base, document.text, more?.way)
  const change = difference(shown(base), value, behind)
  const same = { text: base, changes: before.apply(theirs).changes, refused: false }
  if (change === null) return same
  const ours = toOp(before, [{ ...change, from: toText(base, change.from), to: toText(base, change.to) }])
  try {
    document.apply(print(transform(ours, theirs, 'left')), { source })
  } catch {
    return { ...same, refused: true } // it must not be
  }
  const { text } = before.apply(ours)
  return { text: String(text), changes: text.apply(transform(theirs, ours, 'right')).changes, refused: false }
}
