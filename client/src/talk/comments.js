/** `document.comments`: threads of comments on passages of the text. */

import { after, before, INSERT, points } from './kit.js'
import { Part } from './part.js'
import { carry, find } from './place.js'

/** @import { Op } from '../ot/op.js' */
/** @import { Talk } from '../talk.js' */
/** @import { Item } from './outbox.js' */
/** @import { Place, Quoted } from './place.js' */

/**
 * @typedef {object} Comment
 * @property {string} id
 * @property {string} threadId
 * @property {string | null} userId
 * @property {string} body
 * @property {string | null} at when, by the server's clock; null: not committed yet
 * @property {string | null} editedAt
 * @property {boolean} pending said here, and not committed yet
 *
 * @typedef {object} Thread a passage of the text, and what is said about it
 * @property {string} id
 * @property {number | null} from in UTF-16 offsets of `document.text`; null: where it is is not known yet
 * @property {number | null} to
 * @property {boolean} orphan its passage was deleted; `from` is where it was
 * @property {string} quote the passage, as it was
 * @property {number | null} version of which it was made
 * @property {string | null} userId who began it
 * @property {string | null} at
 * @property {boolean} resolved
 * @property {string | null} resolvedBy
 * @property {string | null} resolvedAt
 * @property {Comment[]} comments oldest first
 * @property {boolean} pending
 *
 * @typedef {{ version: number, place: Place, quoted: Quoted } & Record<string, any>} Row
 */

/** How long orphans wait before the server is asked whether their passage has come back, and at most. */
const LOOK_MS = 500
const LOOK_SELDOM_MS = 60_000
const WINDOW = 32 * 1024

/** @param {any} row */
const quotedOf = ({ quote, length = points(quote), prefix = '', suffix = '' }) => ({ quote, length, prefix, suffix })

/** `document.comments`: threads of comments on passages of the text. @extends {Part<Thread>} */
export class Comments extends Part {
  /** @type {Map<string, Row>} */
  #threads = new Map()
  /** @type {Map<string, any>} */
  #comments = new Map()
  /** @type {Map<string, number>} numbers of what was deleted */
  #gone = new Map()
  #lookMs = LOOK_MS
  /** @type {any} */
  #looking

  /** @internal @param {Talk} talk */
  constructor (talk) {
    super(talk)
    /**
     * Resolves when all threads are there.
     * @type {Promise<Comments>}
     */
    this.loaded = this.ready.promise
  }

  /** All threads, in the order of the text, those without a place last. */
  get list () {
    return this.drawn(() => this.#draw())
  }

  /** @param {string} id of a thread */
  get (id) {
    return this.list.find(thread => thread.id === id)
  }

  /**
   * Begin a thread on a passage: a range of `document.text`, in UTF-16 offsets.
   * @param {{ from: number, to: number, body: string }} comment
   * @returns {Promise<Thread>} once it is committed
   */
  async add ({ from, to, body }) {
    const { document } = this.talk
    const shown = document.sync.state?.shown
    if (!shown || !(Number.isInteger(from + to) && from >= 0 && from < to && to <= shown.length)) throw new RangeError(`a comment is on some text of the document, not from ${from} to ${to}`)
    const threadId = document.sync.nextId()
    const id = document.sync.nextId()
    const start = shown.point(from)
    const end = shown.point(to - 1) + 1
    return this.talk.say({ of: 'comment', id, body, threadId, place: { from: start, to: end, alive: true }, quote: shown.at(start, end - start), moves: true })
  }

  /**
   * The message of a comment on a passage; nothing: it cannot be said yet; null: never any more.
   * @param {Item} item
   * @internal
   */
  freeze ({ id, threadId, body, place }) {
    const { document, track } = this.talk
    const { state } = document.sync
    if (!state || !place) return
    const { from, to } = place
    if (from === to) return null
    const typed = track.typed
    const base = [from, to].map(position => before(position, typed))
    // what of it is typed here and not committed is waited for
    if (base[1] - base[0] !== to - from || after(base[0] + 1, typed) - 1 !== from) return
    if (state.base.at(base[0], base[1] - base[0]) !== state.shown.at(from, to - from)) return
    return { id, threadId, body, from: base[0], to: base[1], version: state.version }
  }

  /**
   * Answer in a thread.
   * @param {string} threadId
   * @param {string} body
   * @returns {Promise<Comment>} once it is committed
   */
  async reply (threadId, body) {
    const id = this.talk.document.sync.nextId()
    return this.#say('comment', { id, threadId, body })
  }

  /**
   * Give a comment of one's own another text.
   * @param {string} id
   * @param {string} body
   * @returns {Promise<Comment>}
   */
  async edit (id, body) {
    return this.#say('comment', { id, body })
  }

  /**
   * Delete a comment; with its last one a thread goes.
   * @param {string} id
   * @returns {Promise<void>}
   */
  async delete (id) {
    await this.#say('comment', { id, deleted: true })
  }

  /**
   * Resolve a thread, or open it again.
   * @param {string} id
   * @param {boolean} [resolved]
   * @returns {Promise<Thread>}
   */
  async resolve (id, resolved = true) {
    return this.#say('thread', { id, resolved })
  }

  /** @param {string} of @param {any} message @returns {Promise<any>} */
  #say (of, message) {
    const { id, body } = message
    return this.talk.say({ of, id, body, message })
  }

  /** Whether an event is the answer. @param {Item} item @param {any} event @internal */
  answers ({ of, id, body, message }, event) {
    if (event.type !== of || event.id !== id) return false
    if (of === 'thread') return !event.resolvedBy === !message.resolved
    return message.deleted ? !!event.deletedAt : !!message.threadId || event.body === body
  }

  /** What the caller gets. @param {Item} item @internal */
  result ({ of, id, threadId }) {
    return of === 'thread' || threadId ? this.get(threadId ?? id) : this.#find(id)
  }

  /** @param {string} id @returns {Comment | undefined} */
  #find (id) {
    for (const { comments } of this.list) for (const comment of comments) if (comment.id === id) return comment
  }

  // ---- what the server says ----

  /**
   * @param {any} row @param {boolean} _live
   * @returns {(() => void) | undefined} what to tell then
   * @internal
   */
  take (row, _live) {
    const { type, id, changed } = row
    const rows = type === 'thread' ? this.#threads : this.#comments
    if (changed <= (this.#gone.get(id) ?? rows.get(id)?.changed ?? 0)) return
    const earlier = rows.get(id)
    if (row.deletedAt) {
      rows.delete(id)
      this.#gone.set(id, changed)
    } else if (type === 'comment') rows.set(id, row)
    else {
      // a passage never changes: where it is, is known already
      const place = earlier ? {} : { quoted: quotedOf(row), place: { from: row.from, to: row.to, alive: row.alive ?? row.to > row.from } }
      const { version = row.version } = earlier ?? {}
      rows.set(id, { ...earlier, ...row, ...place, made: row.version ?? earlier?.made, version })
    }
    return () => {
      // a thread is one once it has a comment
      const thread = type === 'comment' ? this.get(row.threadId) : undefined
      if (thread?.comments.length === 1 && !earlier) this.#tell('thread', thread)
      if (type === 'comment' || row.deletedAt || this.get(id)?.comments.some(({ pending }) => !pending)) this.#tell(type, row)
    }
  }

  /** @param {'thread' | 'comment'} type @param {any} row */
  #tell (type, row) {
    const { document } = this.talk
    const shown = type === 'thread' ? this.get(row.id) : this.#find(row.id)
    document.emit(type, /** @type {any} */ (shown ?? { ...row, deleted: true }))
  }

  /** @param {Item} item @internal */
  announce ({ of, id, threadId }) {
    if (threadId || of === 'thread') this.#tell('thread', { id: threadId ?? id })
    else this.#tell('comment', { id })
  }

  /** The first list. @internal */
  async list_ () {
    return this.#where()
  }

  /** Ask where all threads are, at a version or at the newest: those of versions after it are not among them. @param {number} [at] */
  async #where (at) {
    const { ask, take } = this.talk
    const { version, changed, threads } = await (await ask('GET', 'threads', { version: at })).all()
    const rows = []
    // an older relay does not say whether the first character lives
    for (const { comments = [], from, to, orphan, alive = !orphan, resolved, madeVersion, ...thread } of threads) {
      const known = this.#threads.get(thread.id)
      const place = { from, to, alive }
      if (known) {
        known.place = place
        known.version = version
        known.lost = false
      } else if (!this.#gone.has(thread.id)) {
        this.#threads.set(thread.id, { ...thread, resolvedBy: thread.resolvedBy ?? null, made: madeVersion, version, place, quoted: quotedOf(thread), changed: 0 })
      }
      if (!known || known.changed < thread.changed) rows.push({ ...thread, type: 'thread' })
      for (const comment of comments) rows.push({ ...comment, threadId: thread.id, type: 'comment' })
    }
    this.talk.stamp++
    take.call(this.talk, rows, false)
    return changed
  }

  /** @internal */
  forget () {
    this.#threads.clear()
    this.#comments.clear()
    this.#gone.clear()
  }

  // ---- where they are ----

  /** What is shown has changed: what is not sent yet moves with it. @param {Op} op @internal */
  shift (op) {
    for (const item of this.talk.outbox.all) if (item.place) item.place = carry(item.place, op)
  }

  /** Bring a thread to the version held; false: that cannot be. @param {Row} row */
  #carry (row) {
    const { track } = this.talk
    const ops = track.since(row.version)
    if (!ops) return false
    for (const op of ops) {
      row.place = carry(row.place, op, row.quoted)
      if (row.place.from === row.place.to) row.maybe ||= op.some(({ kind }) => kind === INSERT)
    }
    row.version = track.version
    return true
  }

  /** Bring all to the version held, and find out of those that cannot be where they are. */
  #carryAll () {
    const { track } = this.talk
    const lost = []
    let maybe = false
    for (const row of this.#threads.values()) {
      row.lost = !this.#carry(row)
      maybe ||= row.maybe
      // what is ahead of the text held is placed when that arrives
      if (row.lost && row.version < track.version) lost.push(row)
    }
    if (lost.length > 0) this.#locate(lost)
    else if (maybe) this.#look()
  }

  /** Ask the server where all are. @param {Row[]} wanted what is told of then */
  async #locate (wanted) {
    if (!await this.locate(() => this.#where(this.talk.track.version))) return
    for (const { id } of wanted) if (this.get(id)) this.#tell('thread', { id })
  }

  /** Orphans may be back: where the text has their quotes near, the server is asked, ever more seldom if in vain. */
  #look () {
    const { env } = this.talk.document
    if (this.#looking) return
    this.#looking = env.setTimeout(async () => {
      this.#looking = undefined
      const { state, flowing } = this.talk.document.sync
      if (!state || !flowing) return
      const asked = []
      for (const row of this.#threads.values()) {
        if (!row.maybe || !this.#carry(row)) continue
        row.maybe = false
        const { place: { from, to }, quoted } = row
        if (from === to && find(state.base.at(Math.max(0, from - WINDOW), 2 * WINDOW + quoted.length), quoted) >= 0) asked.push(row)
      }
      if (asked.length === 0) return
      await this.#locate(asked)
      const back = asked.some(({ place }) => place.from < place.to)
      this.#lookMs = back ? LOOK_MS : Math.min(LOOK_SELDOM_MS, 2 * this.#lookMs)
    }, this.#lookMs)
  }

  /** @param {Place} place in the server's text @param {Quoted} quoted @returns {{ from: number, to: number, orphan: boolean }} */
  #shown (place, quoted) {
    const { track, document } = this.talk
    const { from, to } = track.typed.length > 0 ? carry(place, track.typed, quoted) : place
    const { shown } = /** @type {NonNullable<typeof document.sync.state>} */ (document.sync.state)
    return { from: shown.offset(from), to: shown.offset(to), orphan: from === to }
  }

  /** @returns {Thread[]} */
  #draw () {
    const { document, outbox } = this.talk
    /** @type {Map<string, Thread>} */
    const threads = new Map()
    if (document.sync.state) this.#carryAll()
    for (const row of this.#threads.values()) {
      const { id, quote, made, userId, at, resolvedBy = null, resolvedAt = null, place, quoted } = row
      const where = document.sync.state && !row.lost ? this.#shown(place, quoted) : { from: null, to: null, orphan: false }
      threads.set(id, { id, ...where, quote, version: made, userId, at, resolved: !!resolvedBy, resolvedBy, resolvedAt, comments: [], pending: false })
    }
    for (const { id, threadId, userId, body, at, editedAt = null } of this.#comments.values()) {
      threads.get(threadId)?.comments.push({ id, threadId, userId, body, at, editedAt, pending: false })
    }
    for (const { comments } of threads.values()) comments.sort((a, b) => String(a.at) < String(b.at) ? -1 : 1)
    for (const item of outbox.items) this.#echo(threads, item)
    const end = Infinity
    return [...threads.values()].filter(({ comments }) => comments.length > 0).sort((a, b) => (a.from ?? end) - (b.from ?? end) || (a.to ?? end) - (b.to ?? end) || (a.id < b.id ? -1 : 1))
  }

  /** Show what is said and not committed. @param {Map<string, Thread>} threads @param {Item} item */
  #echo (threads, item) {
    const { document } = this.talk
    const { of, id, body = '', place, threadId, quote = '', message } = item
    const { userId } = document
    const mine = { id, userId, body, at: null, editedAt: null, pending: true }
    if (threadId) {
      if (threads.get(threadId)?.comments.length) return
      const { shown } = document.sync.state ?? {}
      const where = place && shown ? { from: shown.offset(place.from), to: shown.offset(place.to), orphan: place.from === place.to } : { from: null, to: null, orphan: false }
      threads.set(threadId, {
        id: threadId, ...where, quote, version: null, userId, at: null,
        resolved: false, resolvedBy: null, resolvedAt: null, comments: [{ ...mine, threadId }], pending: true
      })
    } else if (of === 'thread') {
      const { resolved } = message
      const thread = threads.get(id)
      if (thread) threads.set(id, { ...thread, resolved, resolvedBy: resolved ? userId : null, pending: true })
    } else if (of === 'comment') {
      for (const thread of threads.values()) {
        const at = thread.comments.findIndex(comment => comment.id === id)
        if (at >= 0 && message.deleted) thread.comments.splice(at, 1)
        else if (at >= 0) thread.comments[at] = { ...thread.comments[at], body, pending: true }
        else if (thread.id === message.threadId) thread.comments.push({ ...mine, threadId: thread.id })
      }
    }
  }
}
