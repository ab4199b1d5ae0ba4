/**
 * How this client is shown to others, and who they are. Little of it is needed at once: the
 * rest is loaded meanwhile, and is told then what has happened.
 */

import { clean, invert } from '../ot/index.js'
import { load, more } from './more.js'
import { typed } from './state.js'

/** @import { Document } from '../document.js' */
/** @import { People } from './people.js' */

/**
 * A selection: where it begins, and where its caret is.
 * @typedef {{ anchor: number, head: number }} Cursor
 */
/**
 * @typedef {object} User someone else who has the document open
 * @property {string} clientId of the connection: one user may have several
 * @property {string} userId
 * @property {string | null} name what the user calls itself; nobody has checked that
 * @property {string | null} color like `#12ab9f`
 * @property {Cursor | null} cursor in UTF-16 offsets of the document's text
 *
 * @typedef {{ name?: string | null, color?: string | null, cursor?: Cursor | null }} Own the cursor in code points
 */

const NAME_LENGTH = 100

/** `document.presence`: how this client is shown to others, and who they are. */
export class Presence {
  /** @type {People | undefined} */
  #people
  /** @type {[string, ...any[]][]} what happened before there were any */
  #early = []
  #document

  /** @internal @param {Document} document */
  constructor (document) {
    this.#document = document
    /** The connection that this is. @internal */
    this.own = ''
    this.#begin()
  }

  async #begin () {
    const found = more ?? await load()
    if (!found) return // it is tried again with the next connection
    const early = this.#early
    this.#early = []
    const people = this.#people ??= new found.People(this.#document, { invert, typed })
    for (const [name, ...given] of early) /** @type {any} */ (people)[name](...given)
    if (early.some(([name]) => name === 'update')) this.#changed()
  }

  #changed () {
    this.#document.emit('presence', this.users)
  }

  /**
   * Everyone else who has the document open.
   * @returns {User[]}
   */
  get users () {
    return this.#people?.users ?? []
  }

  /**
   * Show others what this user is called and where their cursor is. What is not named stays
   * as it was, null takes it away.
   * @param {{ name?: string | null, color?: string | null, cursor?: Cursor | null }} fields
   *   `color` like `#12ab9f`, the cursor in UTF-16 offsets of `document.text`
   */
  set ({ name, color, cursor }) {
    /** @param {number} offset */
    const within = offset => {
      if (!Number.isInteger(offset)) throw new TypeError(`no place for a cursor: ${offset}`)
      return this.#document.sync.state?.shown.point(Math.max(0, offset)) ?? 0
    }
    if (color && !/^#[0-9a-f]{6}$/i.test(color)) throw new TypeError(`a color is like #12ab9f, not ${color}`)
    /** @type {any} */
    const own = { name: name && [...clean(name)].slice(0, NAME_LENGTH).join(''), color, cursor: cursor && { anchor: within(cursor.anchor), head: within(cursor.head) } }
    for (const key in own) if (own[key] === undefined) delete own[key]
    this.tell('set', own)
  }

  /**
   * Something happens that `people` should know.
   * @param {'set' | 'update' | 'follow' | 'advance' | 'connected' | 'stop'} name
   * @param {...any} given
   * @internal
   */
  tell (name, ...given) {
    if (!this.#people) {
      this.#early.push([name, ...given])
      if (name === 'connected') this.#begin()
    } else {
      /** @type {any} */ (this.#people)[name](...given)
      if (name === 'update') this.#changed()
    }
  }
}
