/** Taking back what became of a part of a text. */

/** @import { Change } from 'converge-client' */

/**
 * What changes made of a part of a text, the other way round. What was inserted at an end of
 * the part is outside of it. What was deleted comes back as far as it was in the part, and in
 * place of what was inserted for it.
 * @param {string} text before the changes
 * @param {Change[]} changes in their order, in offsets of that text
 * @param {{ from: number, to: number }} part
 * @returns {Change[]} in offsets of the text after them
 */
export function undoing (text, changes, part) {
  /** @type {Change[]} */
  const out = []
  let shift = 0
  for (const { from, to, insert } of changes) {
    const at = from + shift
    const inside = from === to ? from > part.from && from < part.to : from < part.to && to > part.from
    const was = text.slice(Math.max(from, part.from), Math.min(to, part.to))
    if (inside && was !== insert) out.push({ from: at, to: at + insert.length, insert: was })
    shift += insert.length - (to - from)
  }
  return out
}
