/**
 * A request for a review: a message of the chat that begins with `@` and the id of the
 * reviewer's user. What follows says what to look for; at its end may be which passage is meant.
 */

import { idOf } from './ids.js'

/**
 * @typedef {object} Wish what a member asks for
 * @property {string} wish what to look for, or ''
 * @property {{ from: number, to: number, version: number } | null} range in code points of a version; null: the whole text
 */

/** Characters of what is to be looked for. */
export const MOST_WISHED = 500

const RANGE = /\s*\(characters (\d{1,9}) to (\d{1,9}) of version (\d{1,15})\)\s*$/

/**
 * Read a message.
 * @param {string} body
 * @param {string} userId the reviewer's
 * @returns {Wish | null} null: it asks for nothing
 */
export function requestOf (body, userId) {
  const text = body.trimStart()
  const mention = `@${userId}`
  if (!text.startsWith(mention) || !/^($|[\s,.:;!?])/.test(text.slice(mention.length))) return null
  const rest = text.slice(mention.length).replace(/^[\s,.:;!?]+/, '')
  const [found, from, to, version] = RANGE.exec(rest) ?? []
  const range = found === undefined ? null : { from: Number(from), to: Number(to), version: Number(version) }
  return { wish: rest.slice(0, rest.length - (found?.length ?? 0)).trim(), range }
}

/** The id of the message that answers one: it is answered once, whatever ends meanwhile. @param {string} id */
export const answerId = id => idOf('answer', id)
