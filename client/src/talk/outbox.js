/**
 * What the user says, until it is answered: one message at a time, in order, frozen when it is
 * sent first and sent again as it was after a lost connection.
 */

import { deferred, failure } from './kit.js'

/** @import { Document } from '../document.js' */

/**
 * @typedef {object} Saying
 * @property {string} of the type of its message
 * @property {string} id of what it is about
 * @property {string} [body] the draft, if it is refused
 * @property {() => object | null | undefined} freeze the message; nothing: it cannot be said yet; null: never any more
 * @property {(event: any) => boolean} done whether an event is the answer
 * @property {() => any} result what the caller gets
 * @property {boolean} [moves] frozen anew where the server has forgotten its version
 *
 * @typedef {Saying & { message: any, tries: number, promise: Promise<any>, resolve: (value: any) => void, reject: (error: Error) => void }} Item
 */

/** How long an answer may take until the connection is looked at, ... */
const PATIENCE_MS = 15_000
/** ... and until it is given up. */
const LONG_PATIENCE_MS = 60_000

/**
 * @param {Document} document
 * @param {() => void} changed something was said, or answered
 */
export function makeOutbox (document, changed) {
  const { env, sync } = document
  /** @type {Item[]} */
  let items = []
  /** @type {Item | null} the first, if it is under way on this connection */
  let sent = null
  /** @type {any} */
  let timer

  /** @param {number} ms @param {() => void} call */
  const wait = (ms, call) => {
    env.clearTimeout(timer)
    timer = env.setTimeout(call, ms)
  }

  const halt = () => {
    sent = null
    env.clearTimeout(timer)
  }

  /** Send the first, if it can be. */
  const flush = () => {
    const [first] = items
    if (!first || sent || !sync.flowing) return
    first.message ??= first.freeze()
    if (first.message === null) return giveBack(first, 'gone', 'the text that it is about was deleted')
    if (!first.message) return
    sent = first
    first.tries++
    sync.link.send({ type: first.of, ...first.message })
    wait(PATIENCE_MS, () => {
      sync.link.wake()
      wait(LONG_PATIENCE_MS, sync.link.restart)
    })
  }

  /** @param {Item} item */
  const remove = item => {
    items = items.filter(each => each !== item)
    if (sent === item) halt()
    changed()
  }

  /** @param {Item} item @param {string} code @param {string} message */
  const giveBack = (item, code, message) => {
    remove(item)
    const { of, id, body = '' } = item
    item.reject(failure(code, message, { of, id, body }))
    document.emit('rejected', /** @type {any} */ ({ code, message, operationId: null, changes: [], text: body, of, id }))
    flush()
    document.closeIfUnused()
  }

  return {
    flush,
    /** The connection is lost. */
    halt,

    get items () { return items },

    /** @param {Saying} saying @returns {Promise<any>} */
    say (saying) {
      const item = /** @type {Item} */ (Object.assign(saying, { message: undefined, tries: 0 }, deferred()))
      items = [...items, item]
      changed()
      flush()
      return item.promise
    },

    /** An event came. @param {any} event */
    heard (event) {
      const item = sent
      if (!item || !(item.done(event) || (item.tries > 1 && event.id === item.id && event.type === item.of))) return
      remove(item)
      item.resolve(item.result())
      flush()
      document.closeIfUnused()
    },

    /** What was sent is refused. @param {any} message */
    refused ({ of, id, ids, code, message, retryAfter }) {
      const item = sent
      if (!item || item.of !== of || item.id !== (id ?? String(ids))) return
      halt()
      if (code === 'unavailable' || code === 'rate_limited') {
        sent = item
        wait(retryAfter > 0 ? retryAfter : 1000, () => {
          sent = null
          flush()
        })
      } else if (code === 'stale' && item.moves) {
        item.message = undefined
        flush()
      } else giveBack(item, code, message)
    },

    /** Nothing can be said any more. @param {string} code @param {string} message */
    end (code, message) {
      halt()
      for (const item of items) giveBack(item, code, message)
    }
  }
}
