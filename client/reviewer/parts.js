/** Cuts a long text into parts that are asked about one by one. */

/** Where a part ends best: after an empty line, else after a line, a sentence, a word. */
const ENDS = ['\n\n', '\n', '. ', ' ']

/** @typedef {{ from: number, to: number }} Range in UTF-16 offsets of the whole text */

/**
 * Cut the text between two offsets into parts of at most `most` UTF-16 units. Together they
 * are the whole; no character is cut in two.
 * @param {string} text
 * @param {number} most at least 2
 * @param {Range} [whole]
 * @returns {Range[]}
 */
export function cut (text, most, { from, to } = { from: 0, to: text.length }) {
  /** @type {Range[]} */
  const parts = []
  while (to - from > most) {
    const end = from + endOf(text.slice(from, from + most))
    parts.push({ from, to: end })
    from = end
  }
  if (to > from) parts.push({ from, to })
  return parts
}

/** Cut a part in two, for an answer that was cut off. @param {string} text @param {Range} part */
export function halve (text, part) {
  return cut(text, Math.ceil((part.to - part.from) / 2) + 1, part)
}

/** @param {string} window as long as a part may be, with more text behind it */
function endOf (window) {
  for (const end of ENDS) {
    const at = window.lastIndexOf(end)
    if (at + end.length > window.length / 2) return at + end.length
  }
  const last = window.charCodeAt(window.length - 1)
  return window.length - (last >= 0xd800 && last < 0xdc00 ? 1 : 0)
}
