/** What ties a document to a storage: its own session, and those that tabs have left behind. */

import { Link } from '../net/link.js'
import { Sync } from './sync.js'

/** @import { Document } from '../document.js' */
/** @import { Keeper } from '../offline/keeper.js' */

/** How long to wait for a storage that does not answer. */
const PATIENCE_MS = 3000
/** How often to look for sessions whose tab is gone. */
const LOOK_MS = 60_000

export class Offline {
  /** @type {Keeper | null} */
  keeper = null
  /** @type {string | null} whose session it is */
  user = null
  #adopting = false
  /** @type {Keeper | null} a session of a tab that is gone, being sent */
  #orphan = null
  #orphanLink = /** @type {Link | null} */ (null)
  /** @type {any} */
  #timer = null
  #ended = false
  #beginning = false // it is not known yet what is stored

  /** @param {Document} document */
  constructor (document) {
    this.document = document
  }

  /** Get a session, and what is stored in it. */
  async begin () {
    const { client, id, env } = this.document
    let late = false
    this.#beginning = true
    const found = (async () => {
      const user = await client.user()
      if (user === null) return null
      let keeper = await client.storage.attach(env, user, id)
      if (late && ![null, user].includes(this.document.userId)) return keeper.leave()
      if (late && keeper.record !== null) {
        // the document goes on without it: what is stored is sent like any other tab's
        keeper.leave()
        keeper = await client.storage.fresh(env, user, id)
      }
      if (this.#ended) return keeper.leave()
      this.#take(keeper, user)
      if (late) this.#catchUp(keeper)
    })()
    /** @type {any} */
    let timer
    await Promise.race([found, new Promise(resolve => { timer = env.setTimeout(() => resolve(late = true), PATIENCE_MS) })])
      .catch(() => {})
    found.catch(error => this.#failed(error)).finally(() => {
      this.#beginning = false
      if (late && this.document.userId !== null) this.identified(this.document.userId)
    })
    env.clearTimeout(timer)
  }

  /** @param {Keeper} keeper @param {string} user */
  #take (keeper, user) {
    const { sync } = this.document
    const { record } = keeper
    this.keeper = sync.keeper = keeper
    this.user = user
    keeper.attach({
      sync,
      about: () => ({ role: this.document.role, title: this.document.title }),
      fenced: unstored => this.#fenced(unstored),
      failed: error => this.#failed(error)
    })
    if (record !== null) this.document.restore(record, user)
  }

  /** @param {unknown} error */
  #failed (error) {
    this.document.unstored(error)
  }

  /** Another tab has taken this session, since this one seemed to be gone. @param {boolean} unstored */
  #fenced (unstored) {
    this.keeper = this.document.sync.keeper = null
    this.document.sync.surrender(unstored)
    return this.#fresh()
  }

  /** Get a session that has nothing yet. */
  async #fresh () {
    const { user, document } = this
    if (this.#ended || user === null) return
    try {
      const keeper = await document.client.storage.fresh(document.env, user, document.id)
      if (this.#ended || this.keeper !== null || this.user !== user) return keeper.leave()
      this.#take(keeper, user)
      this.#catchUp(keeper)
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Let a keeper that comes late know what there is. @param {Keeper} keeper */
  #catchUp (keeper) {
    keeper.advanced(null)
    keeper.changed(null)
    if (this.document.sync.flowing) this.live()
  }

  /** The server says whose token it is. @param {string} user */
  identified (user) {
    if (this.user === user || this.#beginning) return
    const { keeper, document } = this
    const other = this.user !== null
    this.keeper = document.sync.keeper = null
    this.user = user
    // nothing is ever sent again as another user: the session stays stored for its own
    keeper?.leave()
    if (other && document.pending !== null) document.sync.giveAllBack('other_user', 'these edits were made by another user')
    this.#fresh()
  }

  /** Ops flow: time to look after what other tabs have left. */
  live () {
    if (this.keeper === null || this.#adopting || this.#ended) return
    this.#adopting = true
    this.#adopt().catch(error => this.#failed(error)).finally(() => { this.#adopting = false })
    this.document.env.clearTimeout(this.#timer)
    this.#timer = this.document.env.setTimeout(() => this.live(), LOOK_MS)
  }

  /** Send the edits of sessions whose tab is gone, one session after the other. */
  async #adopt () {
    const { client, env, id, sync } = this.document
    while (!this.#ended && sync.flowing && this.user !== null) {
      const keeper = await client.storage.orphan(env, this.user, id)
      if (!keeper) return
      if (this.#ended) return keeper.leave()
      await this.#drain(keeper)
    }
  }

  /** @param {Keeper} keeper */
  #drain (keeper) {
    const { document } = this
    const { record } = keeper
    return /** @type {Promise<void>} */ (new Promise(resolve => {
      const done = () => {
        link.stop()
        this.#orphan = this.#orphanLink = null
        resolve()
      }
      const nothing = () => {}
      const sync = new Sync(document.env, {
        changed: nothing,
        advanced: nothing,
        live: nothing,
        told: message => {
          if (message.type === 'joined' && message.userId !== this.user) leave()
        },
        pending: () => {
          if (sync.pending === null) keeper.remove().then(done, done)
        },
        gaveBack: (draft, failed, batches) => document.gaveBack(sync, draft, failed, batches)
      })
      const link = sync.link = this.#orphanLink = new Link(document.env, document.client.socketUrl(document.id), document.client.token, {
        hello: token => sync.hello(token),
        receive: message => sync.receive(message),
        lost: code => sync.lost(code),
        moved: nothing,
        unauthenticated: () => leave(),
        ended: () => leave()
      })
      const leave = () => {
        sync.keeper = null
        keeper.leave()
        done()
      }
      this.#orphan = keeper
      sync.keeper = keeper
      keeper.attach({ sync, about: () => ({ role: document.role, title: document.title }), fenced: done, failed: nothing })
      sync.restore(/** @type {import('../offline/backend.js').Record} */ (record))
      if (sync.pending === null) keeper.remove().then(done, done)
      else link.start()
    }))
  }

  /** Whether what is pending would outlive the page. */
  get safe () {
    return this.keeper?.safe === true
  }

  /** Store now what is not stored: the page may be going. */
  flush () {
    this.keeper?.flush()
  }

  wake () {
    this.#orphanLink?.wake()
    if (this.document.sync.flowing) this.live()
  }

  /**
   * The document ends. Resolves when all is stored, or forgotten.
   * @param {boolean} forget
   */
  async end (forget) {
    this.#ended = true
    this.document.env.clearTimeout(this.#timer)
    this.#orphanLink?.stop()
    this.#orphan?.leave()
    const { keeper } = this
    if (keeper === null) return
    await (forget ? keeper.remove() : keeper.close())
  }
}
