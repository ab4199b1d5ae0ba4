/** A document as programs and editors see it. */

import { deferred } from './core/edits.js'
import { Emitter } from './core/emitter.js'
import { failure } from './core/error.js'
import { later } from './core/later.js'
import { Presence } from './core/presence.js'
import { typed } from './core/state.js'
import { makeSync } from './core/sync.js'
import { NO_HISTORY, note, pass, reverse } from './core/undo.js'
import { compose, invert, parse, print, toOp, transform } from './ot/index.js'

/** @import { Client } from './client.js' */
/** @import { Sync } from './core/sync.js' */
/** @import { Batch, Edit } from './core/edits.js' */
/** @import { User } from './core/presence.js' */
/** @import { Chat, Comment, Comments, Message, Suggestion, Suggestions, Talk, Thread } from './talk.js' */
/** @import { History } from './core/undo.js' */
/** @import { Op, WireOp } from './ot/op.js' */
/** @import { Change } from './ot/text.js' */

/**
 * @typedef {'connecting' | 'connected' | 'reconnecting' | 'offline' | 'unauthenticated' | 'closed'} Status
 * @typedef {'owner' | 'editor' | 'commenter' | 'viewer'} Role
 *
 * @typedef {object} ChangeEvent
 * @property {Change[]} changes in order, in UTF-16 offsets of the text before all of them
 * @property {'local' | 'remote'} origin
 * @property {string | null} userId who made it; null if that is several users' or not known
 * @property {number} version of the server's text that the document stands on
 * @property {unknown} source what the caller of `edit` gave as source, so that editors know their own
 * @property {boolean} undo made by undo or redo
 *
 * @typedef {object} RejectedEvent an edit that the server refused, taken out of the text
 * @property {string} code `forbidden`, `invalid`, `too_large`, `not_found`, `malformed`, `closed`, ...
 * @property {string} message
 * @property {string | null} operationId
 * @property {Change[]} changes what was taken out: `document.edit(changes)` would make it again
 * @property {string} text the text with the changes, as a draft; what was said in a comment, suggestion or message
 * @property {'comment' | 'thread' | 'suggest' | 'decide' | 'chat'} [of] what was refused, if that is no edit
 * @property {string} [id] of that
 *
 * @typedef {object} ClosedEvent
 * @property {string} code `forbidden`, `not_found`, `malformed` or `closed`
 * @property {string} message
 *
 * @typedef {object} DocumentEvents
 * @property {ChangeEvent} change
 * @property {null | { edits: number, since: number }} pending
 * @property {{ version: number }} saved
 * @property {Status} status
 * @property {Role} role
 * @property {string} title
 * @property {User[]} presence
 * @property {RejectedEvent} rejected
 * @property {{ version: number }} diverged
 * @property {ClosedEvent} closed
 * @property {unknown} unstored the storage failed, with this error: edits are kept in memory alone
 * @property {Thread} thread a thread came or changed
 * @property {Comment} comment
 * @property {Suggestion} suggestion
 * @property {Message} chat
 */


/** A document, made by `client.open(id)`. */
export class Document {
  /** @type {Emitter<DocumentEvents>} */
  #events = new Emitter()
  /** @type {History} */
  #history = NO_HISTORY
  #references = 0
  /** @type {Status} */
  #status = 'connecting'
  #connected = false // it was, once
  #authenticated = true
  /** @type {ClosedEvent | null} */
  #closed = null
  /** @type {import('./core/edits.js').Deferred<Document>} */
  #loading = deferred()
  #talking = false // its code is wanted
  /** @type {import('./core/edits.js').Deferred<Talk>} */
  #talked = deferred()
  /** @internal @type {Talk | undefined} */
  talk

  /**
   * Use `client.open(id)`.
   * @param {Client} client
   * @param {string} id
   */
  constructor (client, id) {
    /** @internal */
    this.client = client
    /** @internal */
    this.env = client.env
    /** The document's id, a UUID. */
    this.id = id
    /**
     * What it is called, once that is known.
     * @type {string | null}
     */
    this.title = null
    /**
     * The user's role in it, once that is known.
     * @type {Role | null}
     */
    this.role = null
    /**
     * The user whose token it is.
     * @type {string | null}
     */
    this.userId = null
    /** How this client is shown to others, and who they are. */
    this.presence = new Presence(this)
    /** @internal */
    this.sync = this.second({
      change: (op, changes, { origin, userId, source, undo = false }) => {
        const local = origin === 'local'
        if (!local) this.#history = pass(this.#history, op)
        this.presence.tell('follow', op, local)
        this.#events.emit('change', { changes, origin, userId: local ? this.userId : userId, version: this.version, source, undo })
      },
      advance: (op, from, userId) => this.presence.tell('advance', op, from, this.version, userId),
      pending: () => {
        const { pending } = this
        this.#events.emit('pending', pending)
        if (pending) return
        this.#events.emit('saved', { version: this.version })
        this.closeIfUnused()
      },
      rejected: (draft, failed, batches) => this.giveBack(this.sync, draft, failed, batches),
      connected: () => {
        this.#connected = true
        if (this.#talking) this.#talk(!this.talk)
        this.restate()
        this.#loading.resolve(this)
        this.presence.tell('connected')
        this.offline?.connected()
      },
      message: message => this.#told(message),
      status: () => this.restate(),
      unauthenticated: () => {
        this.#authenticated = false
        this.restate()
      },
      closed: (code, reason) => this.end(code, reason)
    })
    /** @internal */
    this.link = this.sync.link
    /** @internal @type {import('./offline/session.js').Session | undefined} */
    this.offline = client.storage?.tie(this)
    /**
     * Resolves when there is a text, from storage or from the server.
     * @type {Promise<Document>}
     */
    this.loaded = this.#loading.promise
  }

  // ---- what it is ----

  /** The text with all that was typed; made anew after each change, so ask for it seldom if it is long. */
  get text () {
    return String(this.sync.state?.shown ?? '')
  }

  /** The length of `text` in UTF-16 units. */
  get length () {
    return this.sync.state?.shown.length ?? 0
  }

  /**
   * A part of the text, between two UTF-16 offsets, without making all of it.
   * @param {number} from
   * @param {number} [to]
   */
  slice (from, to = this.length) {
    return this.sync.state?.shown.slice(from, to) ?? ''
  }

  /** The version of the server's text that this stands on. */
  get version () {
    return this.sync.state?.version ?? 0
  }

  /** Whether the user may edit, as far as is known. */
  get canEdit () {
    return !this.#closed && /owner|editor/.test(this.role ?? 'editor')
  }

  /** Of the connection; `closed` for good. */
  get status () {
    return this.#status
  }

  /**
   * What is not committed yet: how many edits, and since when, in milliseconds since 1970.
   */
  get pending () {
    return this.sync.pending
  }

  // ---- editing ----

  /**
   * Change the text.
   * @param {Partial<Change> & { from: number } | readonly (Partial<Change> & { from: number })[]} changes
   *   in UTF-16 offsets of `text`, all of them of the text before any of them is made;
   *   line ends become "\n", lone surrogates and U+0000 become U+FFFD
   * @param {{ source?: unknown }} [options] `source` comes back in the `change` event
   * @returns {Edit}
   */
  edit (changes, { source } = {}) {
    const { shown } = this.#editable()
    return this.#edit(toOp(shown, /** @type {Change[]} */ ([changes].flat())), source)
  }

  /**
   * Change the text by an op in code points, `[5, "hi", { d: 3 }]`.
   * @param {WireOp} op
   * @param {{ source?: unknown }} [options]
   * @returns {Edit}
   */
  apply (op, { source } = {}) {
    const { shown } = this.#editable()
    const parsed = parse(op)
    shown.apply(parsed) // throws if it does not fit
    return this.#edit(parsed, source)
  }

  #editable () {
    const { state } = this.sync
    /** @param {string} code @param {string} why */
    const not = (code, why) => failure(code, `document ${this.id} is ${why}`)
    if (this.#closed) throw not('closed', 'closed')
    if (!state) throw not('not_loaded', 'not loaded yet')
    if (!this.canEdit) throw not('forbidden', `read-only for a ${this.role}`)
    return state
  }

  /** @param {Op} op */
  #inverse = op => {
    const { shown } = /** @type {NonNullable<typeof this.sync.state>} */ (this.sync.state)
    return invert(op, shown)
  }

  /** @param {Op} op @param {unknown} source @returns {Edit} */
  #edit (op, source) {
    if (op.length === 0) {
      return { committed: Promise.resolve({ operationId: null, version: this.version, at: null }), changes: [] }
    }
    this.#history = note(this.#history, op, this.#inverse(op), this.env.now())
    return this.sync.edit(op, { source })
  }

  /** Whether there is an edit of this document's own to undo. */
  get canUndo () {
    return this.#history.done.length > 0
  }

  /** Whether there is something undone to make again. */
  get canRedo () {
    return this.#history.undone.length > 0
  }

  /**
   * Undo the last edits made here; what others wrote stays. Null: there is nothing to undo.
   * @param {{ source?: unknown }} [options]
   */
  undo ({ source } = {}) {
    return this.#reverse(false, source)
  }

  /**
   * Make again what was undone last.
   * @param {{ source?: unknown }} [options]
   */
  redo ({ source } = {}) {
    return this.#reverse(true, source)
  }

  /** @param {boolean} again @param {unknown} source @returns {Edit | null} */
  #reverse (again, source) {
    this.#editable()
    const { op, history } = reverse(this.#history, again, this.#inverse)
    this.#history = history
    return op.length > 0 ? this.sync.edit(op, { source, undo: true }) : null
  }

  /**
   * Resolves when all that was typed so far is committed; rejects if something was refused.
   * @returns {Promise<void>}
   */
  async saved () {
    await Promise.all(this.sync.batches.map(batch => batch.promise))
  }

  // ---- what is said beside it ----

  /** Threads of comments on passages of the text. @returns {Comments} */
  get comments () {
    return this.#part('comments')
  }

  /** Edits that are proposed. @returns {Suggestions} */
  get suggestions () {
    return this.#part('suggestions')
  }

  /** Messages beside the text. @returns {Chat} */
  get chat () {
    return this.#part('chat')
  }

  /**
   * The code of these is loaded when one is used first; until then their lists are empty, and
   * what is said waits. Where it cannot be loaded, it is asked for again with each connection.
   */
  #talk (again = !this.#talking) {
    this.#talking = true
    if (again) import('./talk.js').then(({ Talk }) => this.#talked.resolve(this.talk ??= new Talk(this, { compose, parse, print, toOp, transform, typed })), () => {})
    return this.#talked.promise
  }

  /** @param {'comments' | 'suggestions' | 'chat'} name @returns {any} */
  #part (name) {
    const part = this.#talk().then(talk => /** @type {any} */ (talk[name]))
    return this.talk?.[name] ?? later(() => part, key => {
      const value = /** @type {any} */ (this.talk?.[name] ?? { list: [], unread: 0, mentions: 0, loaded: part.then(({ loaded }) => loaded) })[key]
      return typeof value === 'function' ? null : value
    })
  }

  // ---- listening ----

  /**
   * Call a function at each event of a kind; returns a function that ends that.
   * @template {keyof DocumentEvents} K
   * @param {K} name
   * @param {(event: DocumentEvents[K]) => void} listener
   * @returns {() => void}
   */
  on (name, listener) {
    if (/^(thr|chat|sug|com)/.test(name)) this.#talk()
    return this.#events.on(name, listener)
  }

  /**
   * @template {keyof DocumentEvents} K
   * @param {K} name
   * @param {DocumentEvents[K]} event
   * @internal
   */
  emit (name, event) {
    this.#events.emit(name, event)
  }

  /** Whether an event is being told: some listeners may not have heard of the last changes yet. */
  get telling () {
    return this.#events.delivering
  }

  // ---- coming and going ----

  /** Load what is stored, then connect. @internal */
  async start () {
    await this.offline?.begin()
    if (!this.#closed) this.link.start()
  }

  /**
   * A state of this document, and a link of its own to keep it the server's.
   * @param {import('./core/sync.js').SyncHost} host
   * @internal
   */
  second (host) {
    return makeSync(this.client, this.id, host)
  }

  /**
   * Begin with what a session of this user's had stored.
   * @param {import('./offline/backend.js').Record} record
   * @param {string} user
   * @param {typeof import('./offline/restore.js').restore} restore
   * @internal
   */
  restore (record, user, restore) {
    this.userId = user
    this.role = /** @type {Role | null} */ (record.meta.role)
    this.title = record.meta.title
    this.sync.restore(record, restore)
    this.restate()
    this.#loading.resolve(this)
  }

  /** Whether what is pending would be lost with the page. */
  get atRisk () {
    return !this.#closed && (!!this.pending && !this.offline?.safe || !!this.talk?.atRisk)
  }

  /** One more uses it. @internal */
  retain () {
    this.#references++
    return this
  }

  /**
   * One user of the document less. After the last it is closed, but not at once: who opens
   * it again in the same moment gets the same Document, and pending edits are sent first.
   */
  release () {
    if (--this.#references < 0) throw failure('closed', `document ${this.id} is released too often`)
    this.env.setTimeout(() => this.closeIfUnused(), 0)
  }

  /** @internal */
  closeIfUnused () {
    if (!this.#references && !this.#closed && !this.pending && !this.talk?.busy) this.end('closed', 'the document was released')
  }

  /**
   * It ends for good; what is pending and not stored is given back. Where the user may not
   * read the document any more, what is stored of it is forgotten, edits only if they could
   * be given back.
   * @param {string} code
   * @param {string} message
   * @internal
   */
  async end (code, message) {
    if (this.#closed) return
    const { sync, offline } = this
    sync.end()
    this.#closed = { code, message }
    this.client.forget(this)
    const given = this.pending === null || this.#events.has('rejected')
    const forget = code !== 'closed' && given
    const stays = offline?.keeper && !forget
    if (stays) sync.keeper = null
    else sync.giveAllBack(code, message)
    this.#loading.reject(failure(code, message))
    this.restate()
    this.#events.emit('closed', this.#closed)
    this.presence.tell('stop')
    await offline?.end(forget)
    if (!stays) return
    if (offline.safe) for (const batch of sync.batches) batch.reject(failure(code, `${message}; the edit is stored`))
    else sync.giveAllBack(code, message)
  }

  /** Ask for a token again, after none was good. @internal */
  authenticate () {
    if (this.#authenticated || this.#closed) return
    this.#authenticated = true
    this.link.authenticate()
  }

  // ---- what happens to it ----

  /** Say the status, if it is another. @internal */
  restate () {
    const status = this.#closed ? 'closed' : !this.#authenticated ? 'unauthenticated'
      : this.sync.flowing ? 'connected' : this.env.offline() ? 'offline' : this.#connected ? 'reconnecting' : 'connecting'
    if (status === this.#status) return
    this.#status = status
    this.#events.emit('status', status)
  }

  /**
   * Edits are given back.
   * @param {Sync} sync this document's, or an orphan's
   * @param {Op} draft
   * @param {{ code: string, message: string, operationId: string | null }} failed
   * @param {Batch[]} batches
   * @internal
   */
  giveBack (sync, draft, failed, batches) {
    const { shown } = /** @type {NonNullable<typeof this.sync.state>} */ (sync.state)
    const { text, changes } = shown.apply(draft)
    for (const batch of batches) batch.reject(failure(failed.code, failed.message, { changes, operationId: failed.operationId }))
    // what another tab has in its storage is not lost
    if (failed.code !== 'taken_over') this.#events.emit('rejected', { ...failed, changes, text: String(text) })
  }

  /** @param {any} message */
  #told (message) {
    const { type, code, role = this.role, title = this.title } = message
    if (type === 'joined') {
      this.offline?.identified(message.userId)
      this.userId = message.userId
      this.presence.own = message.clientId
    }
    if (title !== this.title) this.#events.emit('title', this.title = title)
    if (role !== this.role) this.#events.emit('role', this.role = role)
    if (message.users || message.left) this.presence.tell('update', message, type === 'joined' || message.complete)
    if (code === 'diverged') this.#events.emit(code, { version: this.version })
  }
}
