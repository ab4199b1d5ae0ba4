/**
 * Reads an answer. What is not a remark of the schema has no effect: other fields are not
 * looked at, a remark that breaks a rule is dropped and reported, nothing is carried out.
 */

import { clean } from '../src/ot/index.js'

/**
 * @typedef {object} Remark
 * @property {'comment' | 'suggestion'} kind
 * @property {string} quote
 * @property {string} before
 * @property {string} after
 * @property {number | null} occurrence
 * @property {string} body
 * @property {string | null} replacement
 *
 * @typedef {{ what: string, why: string }} Dropped
 */

/** Characters of each field; the note of a suggestion may have 1,000 in the server. */
export const LIMITS = { quote: 1000, before: 200, after: 200, replacement: 2000, comment: 2000, suggestion: 1000 }

/** Controls but tabs and line ends, and what turns the direction of writing or is not seen. */
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu
const LINK = /\b[a-z][a-z0-9+.-]*:\/\/[^\s]+|\bwww\.[^\s]+|\b(?:javascript|data|mailto):[^\s]+/gi

/** @param {string} text without what a reader would not see */
const seen = text => clean(text).replace(UNSEEN, '')

/**
 * The remarks of an answer.
 * @param {string} content
 * @returns {{ remarks: Remark[], dropped: Dropped[] } | null} null: it is no JSON object with remarks
 */
export function read (content) {
  const list = objectIn(content)?.remarks
  if (!Array.isArray(list)) return null
  /** @type {Remark[]} */
  const remarks = []
  /** @type {Dropped[]} */
  const dropped = []
  for (const one of list) {
    const remark = checked(one)
    if (typeof remark === 'string') dropped.push({ what: String(JSON.stringify(one)).slice(0, 200), why: remark })
    else remarks.push(remark)
  }
  return { remarks, dropped }
}

/** The object in an answer that may have thoughts or a fence around it. @param {string} content @returns {any} */
function objectIn (content) {
  const text = content.replace(/^\s*<think>[\s\S]*?<\/think>/, '').trim().replace(/^```(?:json)?\s*\n([\s\S]*)\n\s*```$/, '$1')
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}

/** A remark, or why it is none. @param {any} one @returns {Remark | string} */
function checked (one) {
  if (typeof one !== 'object' || one === null) return 'it is no object'
  const { quote, before, after, occurrence = null, body, replacement = null } = one
  /** @type {Remark['kind']} */
  const kind = one.kind
  if (kind !== 'comment' && kind !== 'suggestion') return 'its kind is neither comment nor suggestion'
  if (typeof quote !== 'string' || quote.trim() === '') return 'it has no quote'
  if (typeof body !== 'string') return 'it has no body'
  if (occurrence !== null && !(Number.isSafeInteger(occurrence) && occurrence > 0)) return 'its occurrence is no number from 1'
  /** @type {Remark} */
  const remark = { kind, quote, before: typeof before === 'string' ? before : '', after: typeof after === 'string' ? after : '', occurrence, body: seen(body).trim(), replacement: null }
  const tooLong = /** @type {const} */ (['quote', 'before', 'after']).find(name => [...remark[name]].length > LIMITS[name])
  if (tooLong) return `its ${tooLong} is longer than ${LIMITS[tooLong]} characters`
  if ([...remark.body].length > LIMITS[remark.kind]) return `its body is longer than ${LIMITS[remark.kind]} characters`
  if (brings(remark.body, quote)) return 'its body has a link that is not in its quote'
  if (kind === 'suggestion') return suggestion(remark, replacement)
  return remark.body === '' ? 'its body is empty' : remark
}

/** @param {Remark} remark @param {unknown} replacement @returns {Remark | string} */
function suggestion (remark, replacement) {
  if (typeof replacement !== 'string') return 'it has no replacement'
  const { quote } = remark
  if ([...replacement].length > LIMITS.replacement) return `its replacement is longer than ${LIMITS.replacement} characters`
  if (clean(replacement) !== replacement) return 'its replacement is no text that can be in a document'
  if (replacement === quote) return 'its replacement changes nothing'
  if ((replacement.match(UNSEEN) ?? []).some(each => !quote.includes(each))) return 'its replacement has characters that cannot be seen'
  if (brings(replacement, quote)) return 'its replacement has a link that is not in its quote'
  return { ...remark, replacement }
}

/** Return true if a text has a link that a quote has not. @param {string} text @param {string} quote */
const brings = (text, quote) => (text.match(LINK) ?? []).some(link => !quote.includes(link.replace(/[.,;:!?)\]}'"]+$/, '')))
