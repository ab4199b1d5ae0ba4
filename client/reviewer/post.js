/**
 * Posts remarks and answers, over REST: the only part that knows how. A remark has its id and never
 * changes once it may have been sent, so that sending it again is safe.
 */

import { failure } from '../src/core/error.js'
import { exchange } from './http.js'

/** @import { TokenFunction } from '../src/net/link.js' */
/** @import { Surroundings } from './http.js' */
/** @import { Placed } from './journal.js' */

const TIMEOUT_MS = 45_000 // the relay takes up to 40 s to answer

/**
 * Each rejects with `code` and `status`.
 * @typedef {object} Poster
 * @property {(remark: Placed) => Promise<void>} post
 * @property {(id: string, body: string) => Promise<void>} say in the chat
 */

/**
 * @param {object} to
 * @param {string} to.url the relay's
 * @param {string} to.document
 * @param {TokenFunction} to.token
 * @param {Surroundings} surroundings
 * @returns {Poster}
 */
export function poster ({ url, document, token }, surroundings) {
  const base = String(url).replace(/^ws/, 'http').replace(/\/*([?#].*)?$/, '')

  /** @param {string} path @param {object} body @param {boolean} fresh @returns {Promise<void>} */
  const send = async (path, body, fresh) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${await token({ fresh })}` }
    const init = { method: 'POST', headers, body: JSON.stringify(body) }
    const answer = await exchange(`${base}/v1/docs/${encodeURIComponent(document)}/${path}`, init, surroundings, { timeout: TIMEOUT_MS, what: 'the relay' })
    if (answer.ok) return
    if (answer.status === 401 && !fresh) return send(path, body, true)
    throw failure(answer.body?.code ?? 'unavailable', answer.body?.detail ?? `the relay answered ${answer.status}`, { status: answer.status })
  }

  return {
    post: ({ kind, id, threadId, version, from, to, op, body }) => kind === 'comment'
      ? send('threads', { body, from, to, version, threadId, id }, false)
      : send('suggestions', { baseVersion: version, op, note: body, id }, false),
    say: (id, body) => send('messages', { body, id }, false)
  }
}
