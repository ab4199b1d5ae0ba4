/** The passage of a text that a request is about, and what a user has said of a text already. */

import { failure } from '../src/core/error.js'
import { findAgain } from './places.js'

/** @import { Client } from '../src/client.js' */
/** @import { Document } from '../src/document.js' */
/** @import { Remark } from './answer.js' */
/** @import { Range } from './parts.js' */

/** What is remembered of each side of a passage, to find it in a later text. */
const AROUND = 200

/**
 * @typedef {object} Passage
 * @property {string} quote
 * @property {(text: string, version: number) => Range | null} find where it is in a version's text; null: not any more
 */

/**
 * The passage between two places of a version, in code points.
 * @param {Client} client @param {Document} document
 * @param {{ from: number, to: number, version: number }} range
 * @returns {Promise<Passage>}
 */
export async function passageOf (client, document, { from, to, version }) {
  const { content } = /** @type {{ content: string }} */ (await client.rest.content(document.id, { version }).catch(error => {
    throw failure('passage', `version ${version}, which the passage is of, cannot be read`, { cause: error })
  }))
  const points = [...content]
  if (from >= to || to > points.length) throw failure('passage', `there is no passage from ${from} to ${to} in version ${version}`)
  const quote = points.slice(from, to).join('')
  const start = points.slice(0, from).join('').length
  const exact = { from: start, to: start + quote.length }
  /** @type {[string, string]} */
  const around = [content.slice(Math.max(0, exact.from - AROUND), exact.from), content.slice(exact.to, exact.to + AROUND)]
  return { quote, find: (text, at) => at === version && text === content ? exact : findAgain(text, quote, around) }
}

/**
 * What the user has said of a text and is still open: where it is now.
 * @param {Document} document
 * @returns {(Range & { kind: Remark['kind'] })[]}
 */
export function within ({ comments, suggestions, userId }) {
  const threads = comments.list.filter(thread => thread.userId === userId && !thread.resolved && !thread.orphan)
  const proposed = suggestions.list.filter(suggestion => suggestion.userId === userId && !suggestion.stale && suggestion.changes?.length)
  return [
    ...threads.flatMap(({ from, to }) => from === null || to === null ? [] : [{ kind: /** @type {const} */ ('comment'), from, to }]),
    ...proposed.map(({ changes }) => ({ kind: /** @type {const} */ ('suggestion'), from: changes?.[0].from ?? 0, to: changes?.at(-1)?.to ?? 0 }))
  ]
}
