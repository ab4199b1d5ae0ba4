/**
 * Where passages are, as the server says: a passage begins with its first character and ends
 * before what is inserted at its end. While its first character lives, its start is pushed by
 * an insert there; once that is deleted, its start stays before one, too. A passage whose text
 * is gone is empty; it returns where an op inserts its quote at the place where it was.
 */

import { DELETE, INSERT, points } from './kit.js'

/** @import { Op } from '../ot/op.js' */

/**
 * @typedef {object} Place in code points of a version of the server's text
 * @property {number} from
 * @property {number} to
 * @property {boolean} alive whether its first character lives
 *
 * @typedef {object} Quoted
 * @property {string} quote its text; of a long one the beginning
 * @property {number} length in code points
 * @property {string} prefix
 * @property {string} suffix
 */

/** @param {string} a @param {string} b how many units they end with in common */
function commonEnd (a, b) {
  let n = 0
  while (n < a.length && n < b.length && a[a.length - 1 - n] === b[b.length - 1 - n]) n++
  return n
}

/** @param {string} a @param {string} b how many units they begin with in common */
function commonStart (a, b) {
  let n = 0
  while (n < a.length && n < b.length && a[n] === b[n]) n++
  return n
}

/**
 * Find a passage in a text: the place with most of what stood around it.
 * @param {string} text
 * @param {Quoted} quoted
 * @returns {number} in code points; -1: it is not there
 */
export function find (text, { quote, length, prefix, suffix }) {
  let best = -1
  let most = -1
  for (let at = quote ? text.indexOf(quote) : -1, tries = 0; at >= 0 && tries < 64; at = text.indexOf(quote, at + 1), tries++) {
    const around = commonEnd(text.slice(Math.max(0, at - prefix.length), at), prefix) + commonStart(text.slice(at + quote.length, at + quote.length + suffix.length), suffix)
    if (around > most) [best, most] = [at, around]
  }
  if (best < 0) return -1
  const from = points(text.slice(0, best))
  return from + length <= points(text) ? from : -1
}

/**
 * Carry a place over an op.
 * @param {Place} place
 * @param {Op} op
 * @param {Quoted | null} [quoted] to find it by, where it comes back
 * @returns {Place}
 */
export function carry ({ from, to, alive }, op, quoted = null) {
  let at = 0
  for (const { kind, length, text } of op) {
    if (at > to) break
    const start = alive ? from + 1 : from
    if (kind === DELETE) {
      if (to > at) to = Math.max(at, to - length)
      if (start > at) {
        if (alive && start <= at + length) alive = false
        from = Math.max(at, start - length) - Number(alive)
      }
      continue
    }
    if (kind === INSERT) {
      if (to > at) to += length
      if (start > at) from += length
      if (quoted && !alive && from === at && to === at) {
        const found = find(text, quoted)
        if (found >= 0) [from, to, alive] = [at + found, at + found + quoted.length, true]
      }
    }
    at += length
  }
  return { from, to, alive }
}
