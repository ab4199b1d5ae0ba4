/** The REST API, in the name of a user. */

/** An answer that is no success: what the server says of it. */
export class Problem extends Error {
  /** @param {number} status @param {string} code @param {string} detail */
  constructor (status, code, detail) {
    super(detail)
    this.status = status
    this.code = code
  }
}

/** Where the page is served from, with a slash at the end. */
export const base = new URL('.', location.href).href

export class Api {
  /** @param {() => string | null} token */
  constructor (token) {
    this.token = token
  }

  /**
   * Ask, and get what the answer holds; a Problem is thrown.
   * @param {string} method
   * @param {string} path like `docs/…`, below /v1/
   * @param {object} [body]
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  async ask (method, path, body, signal) {
    return (await this.#answer(method, path, body, signal)).value
  }

  /** @param {string} path @param {AbortSignal} [signal] */
  get (path, signal) { return this.ask('GET', path, undefined, signal) }
  /** @param {string} path @param {object} body */
  post (path, body) { return this.ask('POST', path, body) }
  /** @param {string} path @param {object} body */
  put (path, body) { return this.ask('PUT', path, body) }
  /** @param {string} path @param {object} body */
  patch (path, body) { return this.ask('PATCH', path, body) }
  /** @param {string} path */
  delete (path) { return this.ask('DELETE', path) }

  /**
   * A page of a list, and the path of the next one.
   * @param {string} path
   * @returns {Promise<{ value: any, next: string | null }>}
   */
  async page (path) {
    const { answer, value } = await this.#answer('GET', path)
    const next = /<[^>]*\/v1\/([^>]+)>;\s*rel="?next/.exec(answer.headers.get('link') ?? '')
    return { value, next: next?.[1] ?? null }
  }

  /**
   * The first page of a list with the rows of those behind it, as far as they are read.
   * @param {string} path
   * @param {string} list the name of its rows
   * @param {number} [most] pages that are read
   * @returns {Promise<any>}
   */
  async all (path, list, most = 100) {
    const { value, next: second } = await this.page(path)
    for (let next = second, count = 1; next !== null && count < most; count++) {
      const page = await this.page(next)
      value[list].push(...page.value[list])
      next = page.next
    }
    return value
  }

  /** @param {string} method @param {string} path @param {object} [body] @param {AbortSignal} [signal] */
  async #answer (method, path, body, signal) {
    const token = this.token()
    const answer = await fetch(`${base}v1/${path}`, {
      method,
      signal,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      body: body === undefined ? undefined : JSON.stringify(body)
    })
    const text = await answer.text()
    const value = text !== '' && /json/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(text) : null
    if (!answer.ok) throw new Problem(answer.status, value?.code ?? 'unknown', value?.detail ?? `the server answered ${answer.status}`)
    return { answer, value }
  }
}

/**
 * What to tell a user about an error.
 * @param {any} error
 */
export function explain (error) {
  if (error instanceof Problem) {
    if (error.status === 503) return 'The database is not reachable now. Try again in a moment.'
    if (error.status === 429) return 'Too many requests. Wait a moment, then try again.'
    return error.message.charAt(0).toUpperCase() + error.message.slice(1)
  }
  return error instanceof TypeError ? 'The server is not reachable. Check the connection.' : String(error?.message ?? error)
}
