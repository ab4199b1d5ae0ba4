/** The way to a relay, and the documents that are open on it. */

import { failure } from './core/error.js'
import { later } from './core/later.js'
import { load } from './core/more.js'
import { Document } from './document.js'
import { environment } from './net/environment.js'

/** @import { Environment } from './net/environment.js' */
/** @import { TokenFunction } from './net/link.js' */

/**
 * @typedef {object} ClientOptions
 * @property {string | URL} url the relay's: `wss://`, `ws://`, `https://` or `http://`, with a
 *   path in front if it has one; in a page it may be relative to the page's
 * @property {TokenFunction} token returns a token, a JWT; called at each connect and before
 *   the last one expires; `fresh`: the last one was refused or expires. It may throw where
 *   there is no network; without a token (null), the status is `unauthenticated`
 * @property {any} [storage] of `converge-client/indexeddb`
 * @property {any} [WebSocket] a WebSocket class, where there is none (Node 20: that of `ws`)
 * @property {typeof fetch} [fetch]
 * @property {Partial<Environment>} [environment] of a test: time and chance
 */

/** The way to a relay, and the documents that are open on it. */
export class Client {
  /** @type {Map<string, Document>} */
  #documents = new Map()
  /** @type {(() => void) | undefined} */
  #unlisten
  #closed = false
  /** @type {import('./rest.js').RestApi | null} */
  #rest = null
  /** @type {string | null | undefined} a token that was asked for to know the user, and not used yet */
  #held = null

  /** @param {ClientOptions} options */
  constructor ({ url, token, storage, WebSocket, fetch, environment: given }) {
    if (typeof token !== 'function') throw new TypeError('token must be a function')
    /** The relay's, for WebSockets. @internal */
    this.url = String(new URL(url, globalThis.location?.href)).replace(/^http/, 'ws').replace(/\/*([?#].*)?$/, '')
    if (!/^wss?:/.test(this.url)) throw new TypeError(`url must begin with ws or http: ${url}`)
    /** @internal */
    this.env = environment({ WebSocket, fetch, ...given })
    /** @internal */
    this.storage = storage
    /** @internal @type {TokenFunction} */
    this.token = ask => {
      const held = this.#held
      this.#held = null
      return (!ask.fresh && held) || token(ask)
    }
  }

  /**
   * Where a document's WebSocket is.
   * @param {string} id
   * @internal
   */
  socketUrl (id) {
    return `${this.url}/v1/collab/${encodeURIComponent(id)}`
  }

  /**
   * Open a document; each `open` wants a `release`. The same id gives the same Document.
   * @param {string} id
   * @returns {Document}
   */
  open (id) {
    if (this.#closed) throw failure('closed', 'the client is closed')
    if (!this.env.WebSocket) throw new TypeError('new Client() needs a WebSocket here')
    let document = this.#documents.get(id)
    if (!document) {
      this.#unlisten ??= this.env.listen(name => this.#happened(name))
      document = new Document(this, id)
      this.#documents.set(id, document)
      document.start()
    }
    return document.retain()
  }

  /**
   * Whose documents these are, by a token that the next connection takes.
   * @returns {Promise<string | undefined>}
   * @internal
   */
  async user () {
    if (this.env.offline()) return
    const token = await this.token({ fresh: false })
    this.#held = token
    return (await load())?.claims(token).sub
  }

  /**
   * The REST API with this client's tokens, a method for each route. Its code is loaded when it is used first.
   * @returns {import('./rest.js').RestApi}
   */
  get rest () {
    return (this.#rest ??= later(async () => (await import('./rest.js')).rest({ ...this, fetch: this.env.fetch })))
  }

  /** Ask the token function again where no token was good: the user has logged in. */
  authenticate () {
    for (const document of this.#documents.values()) document.authenticate()
  }

  /**
   * Close all documents. What is pending and not stored is given back by `rejected`.
   * Resolves when the rest is stored.
   */
  async close () {
    this.#closed = true
    await Promise.all(Array.from(this.#documents.values(), document => document.end('closed', 'the client was closed')))
  }

  /**
   * A document has ended.
   * @param {Document} document
   * @internal
   */
  forget (document) {
    if (this.#documents.get(document.id) === document) this.#documents.delete(document.id)
    if (this.#documents.size > 0) return
    this.#unlisten?.()
    this.#unlisten = undefined
  }

  /**
   * Something happens to the page. Returns true if it should not be left, since edits would
   * be lost.
   * @param {string} name
   */
  #happened (name) {
    let risky = false
    for (const document of this.#documents.values()) {
      const { offline, link } = document
      offline?.flush()
      document.restate()
      risky ||= document.atRisk
      if (name === 'pagehide') link.leave()
      else if (/^(online|pageshow|visible)$/.test(name)) {
        link.wake()
        offline?.wake()
      }
    }
    return risky
  }
}
