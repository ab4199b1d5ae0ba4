/**
 * An OpenAI-compatible endpoint: one question, one answer, told apart from all that can come
 * in place of one. Servers differ in what they take; what one does not know is left out.
 */

import { failure } from '../src/core/error.js'
import { exchange } from './http.js'
import { SCHEMA } from './prompt.js'

/** @import { Answer, Surroundings } from './http.js' */

/**
 * @typedef {object} Said what came of a question
 * @property {'answer' | 'truncated' | 'too_long' | 'refused' | 'malformed'} kind `too_long`: the question does not fit
 * @property {string} content the answer, or why there is none
 * @property {number} tokens what it cost
 */

/** Ways to ask for JSON, the strictest first. */
const FORMATS = [
  { response_format: { type: 'json_schema', json_schema: { name: 'remarks', strict: true, schema: SCHEMA } } },
  { response_format: { type: 'json_object' } },
  {}
]

/**
 * Tokens of a text, roughly: three bytes a token, more than English has and about what Chinese has.
 * @param {string} text
 */
export const estimate = text => Math.ceil(Buffer.byteLength(text) / 3)

/** The address of chat completions, of the one that is given. @param {string} given */
export function addressOf (given) {
  const url = new URL(given)
  if (!/^https?:$/.test(url.protocol)) throw new TypeError(`an endpoint begins with http or https: ${given}`)
  if (url.username || url.password) throw new TypeError('an endpoint must not contain a password; use the key')
  url.pathname = url.pathname.replace(/\/*$/, '').replace(/(\/chat\/completions)?$/, '/chat/completions')
  return url
}

/** Ask one question after the other. */
export class Endpoint {
  #format = 0
  #limit = 'max_tokens'

  /**
   * @param {object} options
   * @param {string} options.endpoint
   * @param {string} options.model
   * @param {string | undefined} options.key
   * @param {number} options.answerTokens
   * @param {number | undefined} options.temperature
   * @param {number} options.timeout of a request, in milliseconds
   * @param {Surroundings} surroundings
   */
  constructor (options, surroundings) {
    this.options = options
    this.url = String(addressOf(options.endpoint))
    this.surroundings = surroundings
  }

  /**
   * @param {{ role: string, content: string }[]} messages
   * @returns {Promise<Said>}
   */
  async ask (messages) {
    for (;;) {
      const answer = await this.#send(messages)
      if (answer.ok) return said(answer, messages)
      const what = complaint(answer)
      if (isTooLong(answer)) return { kind: 'too_long', content: what, tokens: 0 }
      if (!this.#relax(answer)) throw failure('endpoint', `the endpoint answered ${answer.status}: ${what}`, { status: answer.status })
    }
  }

  /** @param {{ role: string, content: string }[]} messages */
  #send (messages) {
    const { model, key, answerTokens, temperature, timeout } = this.options
    const body = { model, messages, [this.#limit]: answerTokens, ...(temperature !== undefined && { temperature }), ...FORMATS[this.#format] }
    const headers = { 'content-type': 'application/json', accept: 'application/json', ...(key && { authorization: `Bearer ${key}` }) }
    // a question that does not fit is 500 in some, and an empty account is 429: neither gets better
    const final = (/** @type {Answer} */ answer) => isTooLong(answer) || answer.body?.error?.code === 'insufficient_quota'
    return exchange(this.url, { method: 'POST', headers, body: JSON.stringify(body) }, this.surroundings, { timeout, what: 'the endpoint', final })
  }

  /** Leave out what the endpoint may not know. Returns false if there is nothing more. @param {Answer} answer */
  #relax (answer) {
    if (answer.status !== 400 && answer.status !== 422) return false
    if (this.#limit === 'max_tokens' && /max_completion_tokens/.test(answer.text)) this.#limit = 'max_completion_tokens'
    else if (this.#format < FORMATS.length - 1) this.#format++
    else return false
    return true
  }
}

/** @param {Answer} answer */
const isTooLong = ({ status, text }) => status >= 400 && /context[_ ](length|size|window)|maximum context|prompt is too long/i.test(text)

/** What an endpoint complains of, without its whole page of HTML. @param {Answer} answer */
function complaint ({ status, body, text }) {
  if (status >= 300 && status < 400) return 'it redirects elsewhere; give that address'
  const { error } = body ?? {}
  return String(error?.message ?? (typeof error === 'string' ? error : null) ?? body?.message ?? text).replace(/\s+/g, ' ').slice(0, 300)
}

/** @param {Answer} answer @param {{ content: string }[]} messages @returns {Said} */
function said ({ body }, messages) {
  const choice = body?.choices?.[0]
  const { refusal } = choice?.message ?? {}
  const content = textOf(choice?.message?.content)
  const tokens = used(body?.usage) ?? estimate(messages.map(message => message.content).join('') + content)
  /** @param {Said['kind']} kind @param {string} content */
  const made = (kind, content) => ({ kind, content, tokens })
  if (typeof refusal === 'string' && refusal !== '') return made('refused', refusal)
  if (choice?.finish_reason === 'content_filter') return made('refused', 'its content filter stopped the answer')
  if (choice?.finish_reason === 'length') return made('truncated', 'its answer was cut off')
  return content === '' ? made('malformed', 'it has no text') : made('answer', content)
}

/** @param {unknown} content text, or parts of it @returns {string} */
function textOf (content) {
  if (Array.isArray(content)) return content.map(part => part?.type === 'text' ? textOf(part.text) : '').join('')
  return typeof content === 'string' ? content : ''
}

/** The tokens that usage names, if it does. @param {any} usage @returns {number | undefined} */
function used (usage) {
  const count = (/** @type {any} */ value) => Number.isSafeInteger(value) && value >= 0 ? value : undefined
  const parts = [usage?.prompt_tokens, usage?.completion_tokens].map(count)
  const sum = (parts[0] ?? 0) + (parts[1] ?? 0)
  const most = Math.max(count(usage?.total_tokens) ?? 0, sum)
  return most > 0 ? most : undefined
}
