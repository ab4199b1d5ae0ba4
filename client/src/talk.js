/**
 * What is said beside a document's text: `document.comments`, `document.suggestions` and
 * `document.chat`. This is loaded when one of them is used first, and then follows the document:
 * rows come as events on its connection, and are listed over HTTP where some were missed.
 */

import { Chat } from './talk/chat.js'
import { Comments } from './talk/comments.js'
import { makeFeed } from './talk/feed.js'
import { failure } from './talk/kit.js'
import { makeOutbox } from './talk/outbox.js'
import { carry, find } from './talk/place.js'
import { Suggestions } from './talk/suggestions.js'
import { makeTrack } from './talk/track.js'

export { Chat } from './talk/chat.js'
export { Comments } from './talk/comments.js'
export { Suggestions } from './talk/suggestions.js'

/** @import { Document } from './document.js' */
/** @import { Saying } from './talk/outbox.js' */
/** @import { Algebra } from './talk/kit.js' */
/**
 * @typedef {import('./talk/comments.js').Thread} Thread
 * @typedef {import('./talk/comments.js').Comment} Comment
 * @typedef {import('./talk/suggestions.js').Suggestion} Suggestion
 * @typedef {import('./talk/chat.js').Message} Message
 */

/** Everything that is said beside one document. */
export class Talk {
  #listed = false
  /** Raised at each change of what is shown. @internal */
  stamp = 0

  /** @internal @param {Document} document @param {Algebra} algebra */
  constructor (document, algebra) {
    const { env, sync, client } = document
    /** @internal */
    this.document = document
    /** @internal */
    this.track = makeTrack(document, algebra)
    /** @internal */
    this.algebra = { ...algebra, carry, find }
    this.comments = new Comments(this)
    this.suggestions = new Suggestions(this)
    this.chat = new Chat(this)
    /** @internal */
    this.outbox = makeOutbox(document, of => this.partOf(of), () => { this.stamp++ })
    /** @internal */
    this.feed = makeFeed(env, since => this.#list(since))
    /** Ask the server over HTTP. @internal @type {(method: string, what: string, fields?: object) => Promise<any>} */
    this.ask = async (method, what, fields = {}) => {
      const { caller } = await import('./rest.js')
      return caller({ url: client.url, token: client.token, fetch: env.fetch })(method, `/v1/docs/${encodeURIComponent(document.id)}/${what}`, false, fields)
    }
    this.#follow()
    this.#store()
    document.on('closed', ({ code, message }) => {
      this.feed.stop(false)
      this.outbox.end(code, message)
    })
    document.on('status', status => {
      if (status === 'connected') return
      this.outbox.halt()
      this.feed.stop(false)
    })
    this.life = sync.life
    if (sync.flowing) this.#connected()
  }

  get parts () {
    return [this.comments, this.suggestions, this.chat]
  }

  /** What is said by messages of a type. @param {string} of @internal */
  partOf (of) {
    return of === 'chat' ? this.chat : /^(thread|comment)$/.test(of) ? this.comments : this.suggestions
  }

  /** Whether something is said and not answered. */
  get busy () {
    return this.outbox.all.length > 0
  }

  /** Whether something is said that would be lost with the page. */
  get atRisk () {
    return this.outbox.risky
  }

  /** The user, as far as is known. */
  get userId () {
    return this.document.userId
  }

  /** Let what is said be kept in the client's storage, if it has one. */
  #store () {
    const { document, outbox } = this
    const { offline } = document
    const { backend } = document.client.storage ?? {}
    if (!offline?.load || !backend) return
    const { end } = offline
    offline.end = async forget => {
      await end(forget)
      await (await outbox.keeper)?.end()
    }
    /** It is loaded with the storage's other code; where that fails, again with the next connection. */
    const load = () => outbox.store(offline.load().then(found => found?.keepSaid(this, backend)))
    load()
    document.on('status', async status => { if (status === 'connected' && !await outbox.keeper) load() })
  }

  /** Hear what the document hears. */
  #follow () {
    const { host } = this.document.sync
    const { message, change, advance, connected, pending } = host
    host.message = told => {
      message(told)
      this.#told(told)
    }
    host.change = (op, changes, how) => {
      this.comments.shift(op)
      this.suggestions.shift(op)
      this.stamp++
      this.outbox.moved()
      change(op, changes, how)
      if (how.origin === 'remote') this.outbox.flush()
    }
    host.advance = (op, from, userId) => {
      this.track.advance(op, from)
      if (!op) this.outbox.jumped()
      this.stamp++
      advance(op, from, userId)
    }
    host.pending = () => {
      pending()
      this.outbox.flush()
    }
    host.connected = () => {
      connected()
      this.#connected()
    }
  }

  #connected () {
    const { life } = this.document.sync
    if (life !== this.life) {
      // another document under the same id: nothing of what was said is its
      this.life = life
      this.feed.stop(true)
      this.#listed = false
      for (const part of this.parts) part.forget()
      this.stamp++
    }
    this.outbox.halt()
    this.feed.connect()
    this.outbox.flush()
  }

  /** @param {any} message */
  #told (message) {
    const { type } = message
    if (type === 'talk') this.feed.ask()
    else if (type === 'joined') this.#joined(message.userId)
    else if (type === 'reject') this.outbox.refused(message)
    else if (/^(thread|comment|suggest|decide|chat)$/.test(type) && message.changed) {
      this.take([message], true)
      this.feed.heard(message.changed)
      this.outbox.heard(message)
    }
  }

  /** @param {string} user */
  async #joined (user) {
    this.outbox.identified(user)
    ;(await this.outbox.keeper)?.identified(user)
  }

  /**
   * Take rows, of events or lists.
   * @param {any[]} rows with their types
   * @param {boolean} live
   * @internal
   */
  take (rows, live) {
    /** @type {(() => void)[]} */
    const tell = []
    for (const row of rows) {
      const told = this.partOf(row.type).take(row, live)
      if (told) tell.push(told)
    }
    if (tell.length > 0) this.stamp++
    for (const each of tell) each()
  }

  /** @param {number} since @returns {Promise<number>} */
  async #list (since) {
    if (!this.#listed) return this.#listAll()
    let upTo = since
    for (let page = await this.ask('GET', 'talk', { since }); page; page = await page.next?.()) {
      this.take(page.events, true)
      upTo = page.changed
    }
    return upTo
  }

  /** The first list: what is open, where it is, and the end of the chat. */
  async #listAll () {
    const numbers = await Promise.all(this.parts.map(part => part.list_()))
    this.#listed = true
    for (const part of this.parts) part.ready.resolve(/** @type {any} */ (part))
    return Math.min(...numbers)
  }

  /** @param {Saying} saying @internal */
  say (saying) {
    if (this.document.status === 'closed') throw failure('closed', `document ${this.document.id} is closed`)
    return this.outbox.say(saying)
  }
}
