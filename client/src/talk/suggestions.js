/** `document.suggestions`: edits that are proposed, and decided by those who may edit. */

import { DELETE, failure, INSERT } from './kit.js'
import { Part } from './part.js'
import { carry } from './place.js'

/** @import { Op, WireOp } from '../ot/op.js' */
/** @import { Change } from '../ot/text.js' */
/** @import { Talk } from '../talk.js' */
/** @import { Item } from './outbox.js' */
/** @import { Place } from './place.js' */

/**
 * @typedef {object} Suggestion
 * @property {string} id
 * @property {Change[] | null} changes what it would do to `document.text`, in order, in UTF-16 offsets; null: that is not known yet
 * @property {boolean} stale what it touches is gone: it cannot be accepted
 * @property {string} note
 * @property {string | null} userId who made it
 * @property {string | null} at
 * @property {'open' | 'accepted' | 'rejected' | 'withdrawn'} status
 * @property {string | null} decidedBy
 * @property {string | null} decidedAt
 * @property {number | null} version that it became
 * @property {boolean} pending said here, and not committed yet
 */

/** @typedef {{ op: Op, version: number, stale: boolean, deletes: boolean, sides: Place[][] | null }} Carried */

/** @param {Op} op */
const deletes = op => op.some(({ kind }) => kind === DELETE)

/** The characters on both sides of every place where an op inserts. @param {Op} op */
function sidesOf (op) {
  const sides = []
  let at = 0
  for (const { kind, length } of op) {
    if (kind !== INSERT) at += length
    // at the beginning of the text there is nothing before, which is never deleted
    else sides.push([{ from: at - 1, to: at, alive: true }, { from: at, to: at + 1, alive: true }])
  }
  return sides
}

/** @param {Op} op @param {number} version @param {boolean} stale @returns {Carried} */
const carriedOf = (op, version, stale = false) => ({ op, version, stale, deletes: deletes(op), sides: deletes(op) ? null : sidesOf(op) })

/** @param {Place[]} side */
const gone = ([left, right]) => left.from === left.to && right.from === right.to

/** `document.suggestions`: edits that are proposed, and decided by those who may edit. @extends {Part<Suggestion>} */
export class Suggestions extends Part {
  /** @type {Map<string, any>} */
  #rows = new Map()

  /** @internal @param {Talk} talk */
  constructor (talk) {
    super(talk)
    /**
     * Resolves when all open suggestions are there.
     * @type {Promise<Suggestions>}
     */
    this.loaded = this.ready.promise
  }

  /** Those that are open, oldest first. */
  get list () {
    return this.drawn(() => this.#draw())
  }

  /** One of them, or one that was decided since this is open. @param {string} id @returns {Suggestion | undefined} */
  get (id) {
    const row = this.#rows.get(id)
    return this.list.find(each => each.id === id) ?? (row && this.#show(row))
  }

  /**
   * Propose changes of the text, as `document.edit` takes them.
   * @param {Partial<Change> & { from: number } | readonly (Partial<Change> & { from: number })[]} changes
   * @param {{ note?: string }} [options]
   * @returns {Promise<Suggestion>} once it is committed
   */
  async add (changes, { note = '' } = {}) {
    const { document } = this.talk
    const { state } = document.sync
    if (!state) throw failure('not_loaded', `document ${document.id} is not loaded yet`)
    const op = this.talk.algebra.toOp(state.shown, /** @type {Change[]} */ ([changes].flat()))
    if (op.length === 0) throw new RangeError('a suggestion changes something')
    const id = document.sync.nextId()
    return this.talk.say({ of: 'suggest', id, body: op.map(({ text }) => text).join(''), op, note, moves: true })
  }

  /**
   * The message of a suggestion; nothing: it cannot be said yet; null: never any more.
   * @param {Item} item
   * @internal
   */
  freeze ({ id, op, note }) {
    const { state } = this.talk.document.sync
    if (!state || !op) return
    if (op.length === 0) return null
    // what is typed here and not committed is waited for
    if (state.sent || state.pile.length > 0) return
    return { id, baseVersion: state.version, op: this.talk.algebra.print(op), ...(note && { note }) }
  }

  /**
   * Make a suggestion's changes; or those of several, in this order, all or none.
   * @param {string | string[]} id
   * @returns {Promise<void>} once it is committed
   */
  accept (id) {
    return this.#decide(id, true)
  }

  /**
   * Decide against a suggestion, or several.
   * @param {string | string[]} id
   * @returns {Promise<void>}
   */
  reject (id) {
    return this.#decide(id, false)
  }

  /**
   * Make the changes of several, or of all that are open, oldest first. One that is stale, or
   * becomes so by one before it or by what others do meanwhile, is left out and stays open.
   * @param {string[]} [ids]
   * @returns {Promise<{ accepted: string[], left: string[] }>} once it is committed
   */
  async acceptAll (ids = this.list.map(({ id }) => id)) {
    const { acceptAll } = await import('./accept_all.js')
    const { ask, track, algebra: { parse } } = this.talk
    this.#draw() // all are at one version then
    return acceptAll(ids, {
      known: new Map([...this.#rows].filter(([, { status, carried }]) => status === 'open' && carried.version === track.version).map(([id, { carried }]) => [id, carried])),
      after: (carried, over) => this.#over({ ...carried }, over),
      list: async () => {
        const { version, suggestions } = await (await ask('GET', 'suggestions')).all()
        return new Map(suggestions.map((/** @type {any} */ { id, op, stale }) => [id, carriedOf(parse(op), version, stale)]))
      },
      accept: group => this.accept(group)
    })
  }

  /** @param {string | string[]} id @param {boolean} accept */
  async #decide (id, accept) {
    await this.talk.say({ of: 'decide', id: String(id), message: Array.isArray(id) ? { ids: id, accept } : { id, accept } })
  }

  /**
   * Take back a suggestion of one's own.
   * @param {string} id
   * @returns {Promise<void>}
   */
  async withdraw (id) {
    await this.talk.say({ of: 'suggest', id, message: { id, withdrawn: true } })
  }

  /** Whether an event is the answer. @param {Item} item @param {any} event @internal */
  answers ({ of, id, message }, event) {
    if (of === 'suggest') return event.id === id && (message.withdrawn ? event.status === 'withdrawn' : /^(suggest|decide)$/.test(event.type))
    const ids = id.split(',')
    const status = message.accept ? 'accepted' : 'rejected'
    return event.type === 'decide' && ids.includes(event.id) && ids.every(each => this.#rows.get(each)?.status === status)
  }

  /** What the caller gets. @param {Item} item @internal */
  result ({ id, moves }) {
    return moves && this.get(id)
  }

  // ---- what the server says ----

  /** @param {any} row @param {boolean} _live @returns {(() => void) | undefined} @internal */
  take (row, _live) {
    const { id, changed } = row
    const earlier = this.#rows.get(id)
    if (changed <= (earlier?.changed ?? 0)) return
    const carried = earlier?.carried ?? carriedOf(this.talk.algebra.parse(row.op), row.baseVersion)
    this.#rows.set(id, { ...row, carried })
    return () => this.#tell(id)
  }

  /** @param {string} id */
  #tell (id) {
    const shown = this.get(id)
    if (shown) this.talk.document.emit('suggestion', shown)
  }

  /** @param {Item} item @internal */
  announce ({ id }) {
    for (const each of id.split(',')) this.#tell(each)
  }

  /** The first list. @internal */
  list_ () {
    return this.#where()
  }

  /** Ask for all as they are, at a version or at the newest: those of versions after it are not among them. @param {number} [at] */
  async #where (at) {
    const { ask } = this.talk
    const { version, changed, suggestions } = await (await ask('GET', 'suggestions', { version: at })).all()
    const told = []
    for (const row of suggestions) {
      const { id } = row
      const earlier = this.#rows.get(id)
      if (earlier && earlier.status !== 'open') continue
      const { stale, sides = null, deletes: had = false } = earlier?.carried ?? {}
      const op = this.talk.algebra.parse(row.op)
      const carried = { ...carriedOf(op, version, row.stale || !!stale), ...(sides && { sides: null }), deletes: had || deletes(op) }
      if (!earlier || earlier.changed < row.changed) told.push(id)
      this.#rows.set(id, { status: 'open', decidedBy: null, decidedAt: null, version: null, ...earlier, ...row, carried })
    }
    this.talk.stamp++
    for (const id of told) this.#tell(id)
    return changed
  }

  /** @internal */
  forget () {
    this.#rows.clear()
  }

  // ---- where they are ----

  /** What is shown has changed: what is not sent yet goes with it. @param {Op} op @internal */
  shift (op) {
    for (const item of this.talk.outbox.all) if (item.op) item.op = this.talk.algebra.transform(item.op, op, 'left')
  }

  /** Bring a suggestion to the version held; false: that cannot be. @param {Carried} carried */
  #carry (carried) {
    const { track } = this.talk
    const ops = track.since(carried.version)
    if (!ops) return false
    if (ops.length > 0) this.#over(carried, track.whole(ops)).version = track.version
    return true
  }

  /** Carry one over an operation. @param {Carried} carried @param {Op} over */
  #over (carried, over) {
    carried.op = this.talk.algebra.transform(carried.op, over, 'left')
    carried.sides &&= carried.sides.map(side => side.map(place => carry(place, over)))
    carried.stale ||= carried.deletes ? !deletes(carried.op) : !!carried.sides?.every(gone)
    return carried
  }

  async #locate () {
    if (await this.locate(() => this.#where(this.talk.track.version))) for (const { id } of this.list) this.#tell(id)
  }

  /** @param {any} row @returns {Suggestion} */
  #show ({ id, carried, note = '', userId = null, at = null, status, decidedBy = null, decidedAt = null, version = null, pending = false }) {
    const { track, document } = this.talk
    const { state } = document.sync
    let changes = null
    if (status === 'open' && state && carried) {
      // what is said here and not sent is on what is shown already
      const op = carried.shown ?? (carried.version === track.version ? this.talk.algebra.transform(carried.op, track.typed, 'left') : null)
      changes = op && state.shown.apply(op).changes
    }
    return { id, changes, stale: !!carried?.stale, note, userId, at, status, decidedBy, decidedAt, version, pending }
  }

  /** @returns {Suggestion[]} */
  #draw () {
    const { document, outbox, track } = this.talk
    const open = [...this.#rows.values()].filter(({ status }) => status === 'open')
    let lost = false
    for (const { carried } of open) if (!this.#carry(carried)) lost ||= carried.version < track.version
    if (lost) this.#locate()
    /** @type {Map<string, Suggestion>} */
    const list = new Map(open.sort((a, b) => a.at < b.at ? -1 : a.at > b.at ? 1 : a.id < b.id ? -1 : 1).map(row => [row.id, this.#show(row)]))
    for (const { of, id, op, note, moves } of outbox.items) {
      if (moves && of === 'suggest') {
        if (!list.has(id)) list.set(id, this.#show({ id, note, userId: document.userId, status: 'open', pending: true, carried: op && { shown: op, stale: op.length === 0 } }))
      } else if (/^(suggest|decide)$/.test(of)) {
        for (const each of id.split(',')) {
          const there = list.get(each)
          if (there) list.set(each, { ...there, pending: true })
        }
      }
    }
    return [...list.values()]
  }
}
