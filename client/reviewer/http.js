/**
 * Requests over HTTP that are made again where that may help: no answer in time, a broken
 * connection, 429, 5xx. What the server asks for in Retry-After is waited. An answer is read
 * up to a limit, and redirects are not followed: they could lead a key astray.
 */

import { failure } from '../src/core/error.js'

const AGAIN = new Set([408, 425, 429, 500, 502, 503, 504, 529])
const TRIES = 5
const LONGEST_WAIT_MS = 60_000
const MOST_BYTES = 4_000_000

/**
 * @typedef {object} Surroundings
 * @property {typeof fetch} fetch
 * @property {() => number} now milliseconds since 1970
 * @property {(ms: number, signal: AbortSignal) => Promise<void>} sleep rejects when the signal comes
 * @property {() => number} random from 0 to 1
 * @property {AbortSignal} signal the run's end
 * @property {number} deadline when the run must be over
 * @property {(line: string) => void} log
 *
 * @typedef {{ status: number, ok: boolean, headers: Headers, body: any, text: string }} Answer `body` is what the JSON says, undefined if it is none
 */

/**
 * @param {string} url
 * @param {RequestInit} init
 * @param {Surroundings} surroundings
 * @param {{ timeout: number, what: string, final?: (answer: Answer) => boolean }} options
 *   `final`: an answer that another try will not change
 * @returns {Promise<Answer>}
 */
export async function exchange (url, init, surroundings, { timeout, what, final = () => false }) {
  const { now, sleep, random, signal, deadline, log } = surroundings
  for (let tried = 1; ; tried++) {
    const outcome = await once(url, init, surroundings, Math.min(timeout, deadline - now()), what)
    if (!(outcome instanceof Error) && (!AGAIN.has(outcome.status) || final(outcome))) return outcome
    const why = outcome instanceof Error ? outcome.message : `${what} answered ${outcome.status}`
    const asked = outcome instanceof Error ? null : retryAfter(outcome.headers.get('retry-after'), now())
    const wait = asked ?? 1000 * 2 ** (tried - 1) * (0.5 + random())
    const useless = tried === TRIES ? `${TRIES} times` : wait > LONGEST_WAIT_MS ? `and asks to wait ${Math.ceil(wait / 1000)} s` : now() + wait >= deadline ? 'and there is no time left' : null
    if (useless) throw failure('unavailable', `${why}, ${useless}`, outcome instanceof Error ? {} : { status: outcome.status })
    log(`${why}; again in ${(wait / 1000).toFixed(1)} s`)
    await sleep(wait, signal).catch(error => { throw signal.aborted ? signal.reason : error })
  }
}

/**
 * One try: its answer, or why there was none. Throws when the run has ended, or when another
 * try could not end better.
 * @param {string} url @param {RequestInit} init @param {Surroundings} surroundings @param {number} timeout @param {string} what
 * @returns {Promise<Answer | Error>}
 */
async function once (url, init, { fetch, signal }, timeout, what) {
  if (timeout <= 0) throw failure('no_time', 'the time for this run is over')
  const late = AbortSignal.timeout(Math.ceil(timeout))
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.any([signal, late]) })
    const text = await read(response, what)
    return { status: response.status, ok: response.ok, headers: response.headers, body: parsed(text), text }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (/** @type {any} */ (error).code === 'too_large') throw error
    if (late.aborted) return new Error(`${what} did not answer within ${Math.ceil(timeout / 1000)} s`)
    const { message, cause } = /** @type {any} */ (error)
    return new Error(`${what} cannot be reached: ${cause?.message || cause?.code || message}`)
  }
}

/** @param {Response} response @param {string} what */
async function read (response, what) {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const piece of /** @type {any} */ (response.body ?? [])) {
    bytes += piece.length
    if (bytes > MOST_BYTES) throw failure('too_large', `${what} answered with more than ${MOST_BYTES} bytes`)
    text += decoder.decode(piece, { stream: true })
  }
  return text + decoder.decode()
}

/** @param {string} text */
function parsed (text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * What the header Retry-After asks for, in milliseconds: seconds or a date.
 * @param {string | null} header
 * @param {number} now
 * @returns {number | null}
 */
export function retryAfter (header, now) {
  if (header === null || header.trim() === '') return null
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isNaN(ms) ? null : Math.max(0, ms)
}
