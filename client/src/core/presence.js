/**
 * How this client is shown to others, and who they are. Little of it is needed at once: the
 * rest is loaded meanwhile, and is told then what has happened.
 */

import { clean, invert } from '../ot/index.js'
import { when } from './more.js'
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
 * @property {string | null} name the name that the user gave themself, unchecked
 * @property {string | null} color like `#12ab9f`
 * @property {Cursor | null} cursor in UTF-16 offsets of the document's text
 * @property {boolean} [typing] they write a message for the chat
 *
 * @typedef {{ name?: string | null, color?: string | null, cursor?: Cursor | null, typing?: boolean }} Own the cursor in code points
 */

/** `document.presence`: how this client is shown to others, and who they are. */
export class Presence {
  /** @type {People | undefined} */
  #people
  /** @type {[string, ...any[]][]} what they were not told yet */
  #early = []
  #document

  /** @internal @param {Document} document */
  constructor (document) {
    this.#document = document
    /** The connection that this is. @internal */
    this.own = ''
    when(found => {
      this.#people = new found.People(document, { invert, typed })
      this.#pass()
    })
  }

  /** Pass on what has happened. */
  #pass () {
    const early = this.#early.splice(0)
    for (const [name, ...given] of early) /** @type {any} */ (this.#people)[name](...given)
    if (early.some(([name]) => name === 'update')) this.#document.emit('presence', this.users)
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
   * @param {{ name?: string | null, color?: string | null, cursor?: Cursor | null, typing?: boolean }} fields
   *   `color` like `#12ab9f`, the cursor in UTF-16 offsets of `document.text`; `typing` at each
   *   key in a field for the chat: it lasts for four seconds, or until it is false
   */
  set ({ name, color, cursor, typing }) {
    /** @param {number} offset */
    const within = offset => {
      if (!Number.isInteger(offset)) throw new TypeError(`no such place: ${offset}`)
      return this.#document.sync.state?.shown.point(Math.max(0, offset)) ?? 0
    }
    if (color && !/^#[0-9a-f]{6}$/i.test(color)) throw new TypeError(`a color is like #12ab9f, not ${color}`)
    this.tell('set', { name: name && clean(name), color, cursor: cursor && { anchor: within(cursor.anchor), head: within(cursor.head) }, typing })
  }

  /**
   * Something happens that they should know.
   * @param {['set' | 'update' | 'follow' | 'advance' | 'connected' | 'stop', ...any[]]} call
   * @internal
   */
  tell (...call) {
    this.#early.push(call)
    if (this.#people) this.#pass()
  }
}
