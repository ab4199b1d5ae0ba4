/** `document.chat`: what is said beside the text, in the order of its commits. */

import { Part } from './part.js'

/** @import { Talk } from '../talk.js' */
/** @import { Item } from './outbox.js' */

/**
 * @typedef {object} Message
 * @property {string} id
 * @property {string | null} userId
 * @property {string} body
 * @property {string | null} at when, by the server's clock; null: not committed yet
 * @property {number | null} version of the text then
 * @property {boolean} pending said here, and not committed yet
 */

/** `document.chat`: what is said beside the text, in the order of its commits. @extends {Part<Message>} */
export class Chat extends Part {
  /** @type {Map<string, any>} */
  #rows = new Map()
  /** @type {(() => Promise<any>) | null | undefined} the page before those that are there */
  #older
  #read = 0

  /** @internal @param {Talk} talk */
  constructor (talk) {
    super(talk)
    /** Messages of others that were not read. */
    this.unread = 0
    /** How many of those have `@` and the user's id. */
    this.mentions = 0
    /**
     * Resolves when the newest messages are there.
     * @type {Promise<Chat>}
     */
    this.loaded = this.ready.promise
  }

  /** The messages, oldest first; before the first there may be `older` ones. */
  get list () {
    return this.drawn(() => this.#draw())
  }

  /** Whether there are messages before the first of `list`. */
  get hasOlder () {
    return !!this.#older
  }

  /**
   * Say something.
   * @param {string} body
   * @returns {Promise<Message>} once it is committed
   */
  async say (body) {
    const id = this.talk.document.sync.nextId()
    return this.talk.say({ of: 'chat', id, body, message: { id, body } })
  }

  /** Load the page before the first message. */
  async older () {
    const page = await this.#older?.()
    if (page) this.#takePage(page)
    return this.hasOlder
  }

  /** Note that everything that is there was read. */
  async read () {
    const { feed, ask } = this.talk
    const { complete } = feed
    this.unread = this.mentions = 0
    if (complete <= this.#read) return
    this.#read = complete
    await ask('PUT', 'read', { changed: complete })
  }

  // ---- what the server says ----

  /** @param {any} row @param {boolean} live @returns {(() => void) | undefined} @internal */
  take (row, live) {
    const { id, changed, userId, body } = row
    const earlier = this.#rows.get(id)
    if (changed <= (earlier?.changed ?? 0)) return
    this.#rows.set(id, row)
    const { document } = this.talk
    if (live && !earlier && userId !== document.userId) {
      this.unread++
      if (document.userId && mentions(body, document.userId)) this.mentions++
    }
    return () => document.emit('chat', /** @type {Message} */ (this.#find(id)))
  }

  /** @param {any} page */
  #takePage (page) {
    this.#older = page.next
    this.talk.take(page.messages.map((/** @type {any} */ message) => ({ ...message, type: 'chat' })), false)
    this.talk.stamp++
  }

  /** @param {Item} item @internal */
  announce ({ id }) {
    this.talk.document.emit('chat', /** @type {Message} */ (this.#find(id)))
  }

  /** Whether an event is the answer. @param {Item} item @param {any} event @internal */
  answers ({ id }, event) {
    return event.type === 'chat' && event.id === id
  }

  /** What the caller gets. @param {Item} item @internal */
  result ({ id }) {
    return this.#find(id)
  }

  /** @param {string} id */
  #find (id) {
    return this.list.find(message => message.id === id)
  }

  /** The first list. @internal */
  async list_ () {
    const { ask } = this.talk
    const [page, { lastRead, messages, mentions }] = await Promise.all([ask('GET', 'messages'), ask('GET', 'read')])
    this.#read = lastRead
    this.unread = messages
    this.mentions = mentions
    this.#takePage(page)
    return page.changed
  }

  /** @internal */
  forget () {
    this.#rows.clear()
    this.unread = this.mentions = this.#read = 0
  }

  /** @returns {Message[]} */
  #draw () {
    const { document, outbox } = this.talk
    /** @type {Message[]} */
    const list = [...this.#rows.values()].sort((a, b) => a.changed - b.changed)
      .map(({ id, userId, body, at, version }) => ({ id, userId, body, at, version, pending: false }))
    for (const { of, id, body = '' } of outbox.items) {
      if (of === 'chat' && !this.#rows.has(id)) list.push({ id, userId: document.userId, body, at: null, version: null, pending: true })
    }
    return list
  }
}

/**
 * Return true if a text has `@` and a user's id.
 * @param {string} body
 * @param {string} userId
 */
export const mentions = (body, userId) => body.includes(`@${userId}`)
