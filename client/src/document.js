/** A document as programs and editors see it. */

import { deferred } from './core/edits.js'
import { Emitter } from './core/emitter.js'
import { failure } from './core/error.js'
import { Others } from './core/presence.js'
import { Presence } from './core/presence_said.js'
import { Sync } from './core/sync.js'
import { NO_HISTORY, note, pass, redo, undo } from './core/undo.js'
import { invert, parse, reach, toOp } from './ot/index.js'

/** @import { Client } from './client.js' */
/** @import { Batch, Edit } from './core/edits.js' */
/** @import { User } from './core/presence.js' */
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
 * @property {string} text the text with the changes, as a draft
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
 * @property {any} thread
 * @property {any} comment
 * @property {any} suggestion
 * @property {any} chat
 */

/** @type {Record<number, string>} */
const ENDS = { 4400: 'malformed', 4403: 'forbidden', 4404: 'not_found' }
/** @type {Record<string, 'thread' | 'comment' | 'suggestion' | 'chat'>} */
const TALK = { thread: 'thread', comment: 'comment', suggest: 'suggestion', suggestion: 'suggestion', decide: 'suggestion', chat: 'chat' }

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

  /**
   * Use `client.open(id)`.
   * @param {Client} client
   * @param {string} id
   */
  constructor (client, id) {
    this.client = client
    this.env = client.env
    /** The document's id, a UUID. */
    this.id = id
    /** @type {string | null} */
    this.title = null
    /** @type {Role | null} */
    this.role = null
    /** @type {string | null} the user whose token it is */
    this.userId = null
    this.others = new Others()
    this.presence = new Presence(this)
    this.sync = this.second({
      changed: (op, changes, how) => this.#changed(op, changes, how),
      advanced: (op, from, userId) => this.#advanced(op, from, userId),
      pending: () => this.#pendingChanged(),
      gaveBack: (draft, failed, batches) => this.gaveBack(this.sync, draft, failed, batches),
      live: () => this.#live(),
      told: message => this.#told(message),
      moved: () => this.restate(),
      unauthenticated: () => {
        this.#authenticated = false
        this.restate()
      },
      ended: (code, reason) => this.end(ENDS[code], reason || `the connection was closed with ${code}`)
    })
    this.link = this.sync.link
    /** @type {import('./offline/session.js').Session | undefined} */
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
    return this.sync.state === null ? '' : String(this.sync.state.shown)
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
    return this.#closed === null && (this.role === null || this.role === 'owner' || this.role === 'editor')
  }

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
    return this.#edit(toOp(shown, /** @type {Change[]} */ (Array.isArray(changes) ? changes : [changes])), source)
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
    if (reach(parsed) > shown.points) throw new RangeError(`the op reaches to ${reach(parsed)}, beyond the end of the text at ${shown.points}`)
    return this.#edit(parsed, source)
  }

  #editable () {
    if (this.#closed !== null) throw failure('closed', `document ${this.id} is closed`)
    if (this.sync.state === null) throw failure('not_loaded', `document ${this.id} is not loaded yet`)
    if (!this.canEdit) throw failure('forbidden', `a ${this.role} must not edit document ${this.id}`)
    return this.sync.state
  }

  /** @param {Op} op */
  #inverse = op => {
    const { shown } = /** @type {NonNullable<typeof this.sync.state>} */ (this.sync.state)
    return invert(op, (from, length) => shown.at(from, length))
  }

  /** @param {Op} op @param {unknown} source @returns {Edit} */
  #edit (op, source) {
    if (op.length === 0) {
      return { committed: Promise.resolve({ operationId: null, version: this.version, at: null }), changes: [] }
    }
    this.#history = note(this.#history, op, this.#inverse(op), this.env.now())
    return this.#make(op, { source })
  }

  /** @param {Op} op @param {{ source?: unknown, undo?: boolean }} how @returns {Edit} */
  #make (op, how) {
    const { batch, changes } = this.sync.edit(op, how)
    return { committed: batch.promise, changes }
  }

  /** Whether there is an edit of this document's own to undo. */
  get canUndo () {
    return this.#history.done.length > 0
  }

  get canRedo () {
    return this.#history.undone.length > 0
  }

  /**
   * Undo the last edits made here; what others wrote stays. Null: there is nothing to undo.
   * @param {{ source?: unknown }} [options]
   */
  undo ({ source } = {}) {
    return this.#reverse(undo, source)
  }

  /**
   * Make again what was undone last.
   * @param {{ source?: unknown }} [options]
   */
  redo ({ source } = {}) {
    return this.#reverse(redo, source)
  }

  /** @param {typeof undo} how @param {unknown} source */
  #reverse (how, source) {
    this.#editable()
    const { op, history } = how(this.#history, this.#inverse)
    this.#history = history
    return op === null ? null : this.#make(op, { source, undo: true })
  }

  /**
   * Resolves when all that was typed so far is committed; rejects if something was refused.
   * @returns {Promise<void>}
   */
  async saved () {
    const { sentBatch, batch } = this.sync
    await Promise.all([sentBatch?.promise, batch?.promise])
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
    return this.#events.on(name, listener)
  }

  /** Whether an event is being told: some listeners may not have heard of the last changes yet. */
  get telling () {
    return this.#events.delivering
  }

  // ---- coming and going ----

  /** Load what is stored, then connect. */
  async start () {
    await this.offline?.begin()
    if (this.#closed === null) this.link.start()
  }

  /**
   * A state of this document, and a link of its own to keep it the server's.
   * @param {import('./core/sync.js').SyncHost} host
   */
  second (host) {
    return new Sync(this.client, this.id, host)
  }

  /**
   * Begin with what a session of this user's had stored.
   * @param {import('./offline/backend.js').Record} record
   * @param {string} user
   */
  restore (record, user) {
    this.userId = user
    this.role = /** @type {Role | null} */ (record.meta.role)
    this.title = record.meta.title
    this.sync.restore(record)
    this.restate()
    this.#loading.resolve(this)
  }

  /**
   * The storage failed: edits are kept in memory alone.
   * @param {unknown} error
   */
  unstored (error) {
    this.#events.emit('unstored', error)
  }

  /** Whether what is pending would be lost with the page. */
  get atRisk () {
    return this.pending !== null && this.#closed === null && this.offline?.safe !== true
  }

  /** One more uses it. */
  retain () {
    this.#references++
    return this
  }

  /**
   * One user of the document less. After the last it is closed, but not at once: who opens
   * it again in the same moment gets the same Document, and pending edits are sent first.
   */
  release () {
    if (this.#references === 0) throw failure('closed', `document ${this.id} was released more often than opened`)
    this.#references--
    this.env.setTimeout(() => this.#closeIfUnused(), 0)
  }

  #closeIfUnused () {
    if (this.#references === 0 && this.#closed === null && this.pending === null) this.end('closed', 'the document was released')
  }

  /**
   * It ends for good; what is pending and not stored is given back. Where the user may not
   * read the document any more, what is stored of it is forgotten, edits only if they could
   * be given back.
   * @param {string} code
   * @param {string} message
   */
  async end (code, message) {
    if (this.#closed !== null) return
    const { sync, offline } = this
    sync.over = true
    this.link.stop()
    sync.lost(0)
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
    this.presence.stop()
    await offline?.end(forget)
    if (!stays) return
    if (offline.safe) for (const batch of [sync.sentBatch, sync.batch]) batch?.reject(failure(code, `${message}; the edit is stored`))
    else sync.giveAllBack(code, message)
  }

  /** Ask for a token again, after none was good. */
  authenticate () {
    if (this.#authenticated || this.#closed !== null) return
    this.#authenticated = true
    this.link.authenticate()
  }

  // ---- what happens to it ----

  /** Say the status, if it is another. */
  restate () {
    const status = this.#closed !== null ? 'closed' : !this.#authenticated ? 'unauthenticated'
      : this.sync.flowing ? 'connected' : this.env.offline() ? 'offline' : this.#connected ? 'reconnecting' : 'connecting'
    if (status === this.#status) return
    this.#status = status
    this.#events.emit('status', status)
  }

  #live () {
    this.#connected = true
    this.restate()
    this.#loading.resolve(this)
    this.presence.live()
    this.offline?.live()
  }

  /**
   * @param {Op} op @param {Change[]} changes
   * @param {{ origin: 'local' | 'remote', userId: string | null, source?: unknown, undo?: boolean }} how
   */
  #changed (op, changes, { origin, userId, source, undo = false }) {
    if (origin === 'remote') this.#history = pass(this.#history, op)
    this.presence.follow(changes, origin === 'local')
    this.#events.emit('change', { changes, origin, userId: origin === 'local' ? this.userId : userId, version: this.version, source, undo })
  }

  /** @param {Op | null} op @param {number} from @param {string | null} userId */
  #advanced (op, from, userId) {
    this.others.advance(op, from, this.version, userId)
    this.presence.advanced()
  }

  #pendingChanged () {
    const { pending } = this
    this.#events.emit('pending', pending)
    if (pending !== null) return
    this.#events.emit('saved', { version: this.version })
    this.#closeIfUnused()
  }

  /**
   * Edits are given back.
   * @param {Sync} sync this document's, or an orphan's
   * @param {Op} draft
   * @param {{ code: string, message: string, operationId: string | null }} failed
   * @param {Batch[]} batches
   */
  gaveBack (sync, draft, failed, batches) {
    const { shown } = /** @type {NonNullable<typeof this.sync.state>} */ (sync.state)
    const { text, changes } = shown.apply(draft)
    for (const batch of batches) batch.reject(failure(failed.code, failed.message, { changes, operationId: failed.operationId }))
    // what another tab has in its storage is not lost
    if (failed.code !== 'taken_over') this.#events.emit('rejected', { ...failed, changes, text: String(text) })
  }

  /** @param {any} message */
  #told (message) {
    switch (message.type) {
      case 'joined':
        this.offline?.identified(message.userId)
        this.userId = message.userId
        this.#retitle(message.title)
        this.#rerole(message.role)
        this.others.own = message.clientId
        return this.#present(message, true)
      case 'presence': return this.#present(message)
      case 'role': return this.#rerole(message.role)
      case 'title': return this.#retitle(message.title)
      case 'error':
        if (message.code === 'diverged') this.#events.emit('diverged', { version: this.version })
        return
      default:
        if (Object.hasOwn(TALK, message.type)) this.#events.emit(TALK[message.type], message)
    }
  }

  /** @param {any} message @param {boolean} [all] */
  #present (message, all) {
    this.others.update(message, this.version, all)
    this.#events.emit('presence', this.presence.users)
  }

  /** @param {Role} role */
  #rerole (role) {
    if (role === this.role) return
    this.role = role
    this.#events.emit('role', role)
  }

  /** @param {string} title */
  #retitle (title) {
    if (title === this.title) return
    this.title = title
    this.#events.emit('title', title)
  }
}
