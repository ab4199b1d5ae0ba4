/**
 * What the user says, until it is answered: one message at a time, in order, frozen as soon as
 * what it is about is committed, and sent again as it was after a lost connection. Where there
 * is a storage, all of it is in there too; what is said without a connection is not shown
 * before it is stored.
 */

import { deferred, failure } from './kit.js'

/** @import { Document } from '../document.js' */
/** @import { Kept } from '../offline/said_keeper.js' */
/** @import { Op } from '../ot/op.js' */
/** @import { Place } from './place.js' */

/**
 * @typedef {object} Saying
 * @property {string} of the type of its message
 * @property {string} id of what it is about
 * @property {string} [body] the draft, if it is refused
 * @property {any} [message] as it is sent; of what moves, only once it is frozen
 * @property {boolean} [moves] it is about some of the text: frozen anew where the server has forgotten its version
 * @property {Place} [place] of what moves, in what is shown: the passage of a comment, ...
 * @property {Op} [op] ... or a suggestion
 * @property {string} [threadId] of a new one
 * @property {string} [quote]
 * @property {string} [note]
 * @property {string} [life] of the document whose version the message names
 *
 * @typedef {object} Waiting
 * @property {number} n by which they are in order
 * @property {number} tries
 * @property {string | null} [user] who said it
 * @property {boolean} [hidden] it is about to be stored
 * @property {boolean} [kept] it is stored, ...
 * @property {boolean} [loose] ... without its message, or with an old one
 * @property {boolean} [again] it may have been frozen otherwise before
 * @property {() => 'there' | 'sought' | 'gone'} [settle] another tab said it: find what it is about
 *
 * @typedef {Saying & Waiting & import('../core/edits.js').Deferred<any>} Item
 *
 * @typedef {object} Part of what is said
 * @property {(item: Item) => object | null | undefined} [freeze] the message; nothing: it cannot be said yet; null: never any more
 * @property {(item: Item, event: any) => boolean} answers whether an event is the answer
 * @property {(item: Item) => any} result what the caller gets
 * @property {(item: Item) => void} announce tell that it is said
 */

/** How long an answer may take until the connection is looked at, ... */
const PATIENCE_MS = 15_000
/** ... and until it is given up. */
const LONG_PATIENCE_MS = 60_000
/** How long a storage may take until what is said is shown without it. */
const STORED_MS = 3000
/** How often to look for what is not in the text yet. */
const LOOK_MS = 5000

/**
 * @param {Document} document
 * @param {(of: string) => Part} partOf
 * @param {() => void} changed something was said, or answered
 */
export function makeOutbox (document, partOf, changed) {
  const { env, sync } = document
  /** @type {Item[]} */
  let items = []
  /** @type {Item | null} the first, if it is under way on this connection */
  let sent = null
  let turn = {} // of sending
  let last = 0
  /** @type {Promise<Kept | undefined> | undefined} what stores it, once that is there */
  let keeper
  /** @type {any} */
  let timer

  /** @param {number} ms @param {() => void} call */
  const wait = (ms, call) => {
    env.clearTimeout(timer)
    timer = env.setTimeout(call, ms)
  }

  const halt = () => {
    sent = null
    turn = {}
    env.clearTimeout(timer)
  }

  /** @param {Item} item @returns {Promise<unknown> | undefined} resolves when it is stored, or cannot be */
  const keep = item => keeper?.then(found => found?.put(item))

  /** The message, frozen if it can be. @param {Item} item */
  const frozen = item => {
    const { moves, settle, message } = item
    if (!moves) return message
    const known = settle?.()
    // versions are those of a life of the document
    if (message && item.life === sync.life) return message
    if (message) melt(item)
    const next = known === 'gone' ? null : partOf(item.of).freeze?.(item)
    if (next) {
      item.message = next
      item.life = sync.life
    } else if (known === 'sought') wait(LOOK_MS, flush)
    return next
  }

  /** It is to be frozen anew: if it came with the old message, its id is taken. @param {Item} item */
  const melt = item => {
    item.message = undefined
    item.loose = item.kept
    item.again ||= item.tries > 0
  }

  /** Send the first, if it can be. */
  const flush = () => {
    const [first] = items
    if (!first || sent || first.hidden || !sync.flowing) return
    const message = frozen(first)
    if (message === null) return giveBack(first, 'gone', 'the text that it is about was deleted')
    if (!message) return
    sent = first
    const own = turn = {}
    // another tab must not freeze it otherwise
    const stored = first.loose && keep(first)
    if (stored) stored.then(() => { if (own === turn) send(first) })
    else send(first)
  }

  /** @param {Item} item */
  const send = item => {
    item.tries++
    sync.link.send({ type: item.of, ...item.message })
    wait(PATIENCE_MS, () => {
      sync.link.wake()
      wait(LONG_PATIENCE_MS, sync.link.restart)
    })
  }

  /** @param {Item} item */
  const remove = item => {
    items = items.filter(each => each !== item)
    if (sent === item) halt()
    keeper?.then(found => found?.drop(item))
    changed()
  }

  /** @param {Item} item */
  const answered = item => {
    remove(item)
    item.resolve(partOf(item.of).result(item))
    flush()
    document.closeIfUnused()
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

  /** These are another tab's, or another user's, from now on. @param {Item[]} gone @param {string} code @param {string} message */
  const leave = (gone, code, message) => {
    items = items.filter(item => !gone.includes(item))
    if (sent && !items.includes(sent)) halt()
    changed()
    for (const { of, id, body = '', reject } of gone) reject(failure(code, message, { of, id, body }))
  }

  /** It is in the list now. @param {Item} item */
  const show = item => {
    item.hidden = false
    changed()
    flush()
    if (items.includes(item)) partOf(item.of).announce(item)
  }

  return {
    flush,
    /** The connection is lost. */
    halt,

    /** The text has moved, and what is about it. */
    moved () {
      if (items.some(({ loose }) => loose)) keeper?.then(found => found?.moved())
    },

    /** The server's text is another, perhaps since it has lost versions: what was not sent is not of those. */
    jumped () {
      for (const item of items) if (item.moves && item.message && !item.tries) melt(item)
    },

    /** What is to be shown. */
    get items () { return items.filter(({ hidden }) => !hidden) },
    get all () { return items },

    /** Whether something would be lost with the page. */
    get risky () { return items.some(({ kept }) => !kept) },

    get keeper () { return keeper },

    /** There is a storage. @param {Promise<Kept | undefined>} coming what keeps it there, once that code is loaded */
    store (coming) {
      keeper = coming
      for (const item of items) if (!item.kept) keep(item)
    },

    /** @param {Saying} saying @returns {Promise<any>} */
    say (saying) {
      last = Math.max(last + 1, env.now() * 1000)
      /** @type {Item} */
      const item = Object.assign(saying, { n: last, tries: 0, user: document.userId, hidden: true }, deferred())
      // what it is about keeps the version of this moment
      frozen(item)
      items = [...items, item]
      const stored = keep(item)
      if (!stored || sync.flowing) show(item)
      else {
        const late = env.setTimeout(() => show(item), STORED_MS)
        stored.then(() => {
          env.clearTimeout(late)
          if (item.hidden && items.includes(item)) show(item)
        })
      }
      return item.promise
    },

    /** Another tab of the user had said it. @param {Item} item */
    take (item) {
      last = Math.max(last, item.n)
      items = [...items, item].sort((a, b) => Number(b === sent) - Number(a === sent) || a.n - b.n)
      item.settle?.()
      show(item)
    },

    /** Another tab has taken over what this one had stored. @param {Item[]} gone */
    taken: gone => leave(gone, 'taken_over', 'another tab has taken it over'),

    /** The server says whose token it is: nothing is ever said as another user. @param {string} user */
    identified (user) {
      const others = items.filter(item => (item.user ??= user) !== user)
      if (others.length === 0) return
      const message = 'this was said by another user'
      leave(others, 'other_user', message)
      for (const { of, id, body = '' } of others) document.emit('rejected', /** @type {any} */ ({ code: 'other_user', message, operationId: null, changes: [], text: body, of, id }))
    },

    /** An event came. @param {any} event */
    heard (event) {
      const item = sent
      if (item && (partOf(item.of).answers(item, event) || (item.tries > 1 && event.id === item.id && event.type === item.of))) answered(item)
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
      } else if (item.moves && (code === 'stale' || (code === 'invalid' && !item.again))) {
        // the history of its version is pruned, or lost by a failover
        melt(item)
        flush()
      } else if (code === 'conflict' && item.again) answered(item)
      else giveBack(item, code, message)
    },

    /** Nothing can be said any more; what is stored is for the next tab. @param {string} code @param {string} message */
    async end (code, message) {
      halt()
      if (code !== 'closed') for (const item of items) giveBack(item, code, message)
      await (await keeper)?.end()
      leave(items.filter(({ kept }) => kept), code, `${message}; it is stored`)
      for (const item of items) giveBack(item, code, message)
    }
  }
}
