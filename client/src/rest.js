/**
 * The REST API: a method for each route of doc/openapi.json.
 *
 *     import { rest } from 'converge-client/rest'
 *     const api = rest({ url: 'https://relay.example.org', token: async () => jwt })
 *     const { documentId } = await api.createDocument({ title: 'Soup' })
 *     for (let page = await api.history(documentId); page; page = await page.next?.()) ...
 *     const { members } = await (await api.members(documentId)).all()
 *
 * The parts of a route's path come first, then one object with the fields of its body, the
 * arguments of its URL, `ifNoneMatch` and `ifMatch`. A client has the same as `client.rest`.
 */

import { ROUTES } from './rest_routes.js'

/** @import { TokenFunction } from './net/link.js' */
/** @import { Rest } from './rest_routes.js' */
/** @typedef {import('./rest_routes.js').Rest} RestApi */

/**
 * What a refusal says, as an Error with `code`, `status` and, where it is known, `retryAfter`
 * in milliseconds.
 * @param {Response} response
 */
async function refusal (response) {
  const problem = await response.json().catch(() => ({}))
  const after = Number(response.headers.get('retry-after'))
  return Object.assign(new Error(problem.detail ?? `the server answered ${response.status}`), {
    name: 'ConvergeError', code: problem.code ?? 'unavailable', status: response.status, problem, ...(after > 0 ? { retryAfter: after * 1000 } : {})
  })
}

/** Pages that are read of one list at most: a million rows, or so. */
const MOST_PAGES = 1000

/**
 * Read the pages behind one, and return it with the rows of all of them.
 * @param {any} page
 */
async function all (page) {
  const whole = { ...page }
  const list = Object.keys(page).find(name => Array.isArray(page[name])) ?? ''
  for (let count = 1; page.next; count++) {
    if (count === MOST_PAGES) throw Object.assign(new Error(`the list has more than ${MOST_PAGES} pages`), { name: 'ConvergeError', code: 'too_large' })
    page = await page.next()
    whole[list] = whole[list].concat(page[list])
  }
  return whole
}

/**
 * @typedef {object} RestOptions
 * @property {string | URL} url the relay's, as a client has it
 * @property {TokenFunction} [token] as a client has it; sign-up and login need none
 * @property {typeof globalThis.fetch} [fetch]
 */

/**
 * Make what asks a relay: method, path, whether that needs no token, and the fields.
 * @param {RestOptions} options
 * @returns {(method: string, path: string, open: boolean, fields: Record<string, any>) => Promise<any>}
 * @internal
 */
export function caller ({ url, token, fetch = globalThis.fetch }) {
  const base = new URL(url, globalThis.location?.href)
  base.protocol = base.protocol.replace(/^ws/, 'http')
  base.search = base.hash = ''
  const root = String(base).replace(/\/+$/, '')

  /**
   * @param {string} method @param {string} place @param {RequestInit & { headers: Record<string, string> }} init
   * @param {boolean} open @param {boolean} fresh
   * @returns {Promise<Response>}
   */
  const send = async (method, place, init, open, fresh = false) => {
    const shown = open ? null : await token?.({ fresh })
    const headers = shown ? { ...init.headers, authorization: `Bearer ${shown}` } : init.headers
    const response = await fetch(root + place, { ...init, method, headers })
    // it may just have expired
    return response.status === 401 && shown && !fresh ? send(method, place, init, open, true) : response
  }

  /** @param {string} method @param {string} path @param {boolean} open @param {Record<string, any>} fields @returns {Promise<any>} */
  const ask = async (method, path, open, { ifNoneMatch, ifMatch, ...fields }) => {
    const writes = method.startsWith('P')
    const query = new URLSearchParams(writes ? {} : Object.entries(fields).filter(([, value]) => value !== undefined && value !== null))
    /** @type {Record<string, string>} */
    const headers = { ...(writes && { 'content-type': 'application/json' }), ...(ifNoneMatch && { 'if-none-match': ifNoneMatch }), ...(ifMatch && { 'if-match': ifMatch }) }
    const response = await send(method, `${path}?${query}`.replace(/\?$/, ''), { headers, body: writes ? JSON.stringify(fields) : undefined }, open)
    if (response.status === 204 || response.status === 304) return null
    if (!response.ok) throw await refusal(response)
    const body = await response.json()
    const next = /<[^>]*\?([^>]*)>; *rel="?next"?/.exec(response.headers.get('link') ?? '')
    return Object.defineProperties(body, {
      etag: { value: response.headers.get('etag') },
      next: { value: next && (() => ask(method, path, open, Object.fromEntries(new URLSearchParams(next[1])))) },
      all: { value: () => all(body) }
    })
  }

  return ask
}

/**
 * @param {RestOptions} options
 * @returns {Rest}
 */
export function rest (options) {
  const ask = caller(options)
  return /** @type {any} */ (Object.fromEntries(Object.entries(ROUTES).map(([name, route]) => {
    const [method, pattern, open] = route.split(' ')
    return [name, (/** @type {any[]} */ ...given) => {
      const path = pattern.replace(/\{\w+\}/g, () => encodeURIComponent(given.shift()))
      return ask(method, path, open !== undefined, given[0] ?? {})
    }]
  })))
}
