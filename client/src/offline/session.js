/** What ties a document to a storage: its own session, and those that tabs have left behind. */

/** @import { Document } from '../document.js' */
/** @import { Keeper } from './keeper.js' */
/** @import { OfflineStorage } from './storage.js' */

/** @typedef {ReturnType<typeof tie>} Session */

/** How long to wait for a storage that does not answer, and for a token to know the user by. */
const PATIENCE_MS = 3000
/** How often to look for sessions whose tab is gone. */
const LOOK_MS = 60_000

/**
 * @param {OfflineStorage} storage
 * @param {Document} document
 */
export function tie (storage, document) {
  const { client, id, env, sync } = document
  /** @type {Keeper | null} */
  let keeper = null
  /** @type {string | null} whose session it is */
  let user = null
  /** @type {{ leave: () => void, wake: () => void } | null} a session of a tab that is gone, being sent */
  let orphan = null
  /** @type {any} */
  let timer
  let adopting = false
  let ended = false
  let beginning = false // it is not known yet what is stored

  /** @param {unknown} error */
  const failed = error => document.unstored(error)
  const about = () => ({ role: document.role, title: document.title })

  /** @param {Keeper} found @param {string} whose */
  const take = (found, whose) => {
    const { record } = found
    keeper = sync.keeper = found
    user = whose
    found.attach({ sync, about, fenced, failed })
    if (record) document.restore(record, whose)
  }

  /** Let a keeper that comes late know what there is. @param {Keeper} late */
  const catchUp = late => {
    late.advance(null)
    late.change(null)
    if (sync.flowing) live()
  }

  /** Another tab has taken this session, since this one seemed to be gone. @param {boolean} unstored */
  const fenced = unstored => {
    keeper = sync.keeper = null
    sync.surrender(unstored)
    fresh()
  }

  /** Get a session that has nothing yet. */
  const fresh = async () => {
    const whose = user
    if (ended || whose === null) return
    try {
      const found = await storage.fresh(env, whose, id)
      if (ended || keeper || user !== whose) return found.leave()
      take(found, whose)
      catchUp(found)
    } catch (error) {
      failed(error)
    }
  }

  /** Get a session, and what is stored in it. */
  const begin = async () => {
    let late = false
    beginning = true
    const found = (async () => {
      // whose it is: what the token says, or without a network who was here last
      const whose = await soon(client.user()) ?? await storage.user()
      if (!whose) return
      let got = await storage.attach(env, whose, id)
      if (late && ![null, whose].includes(document.userId)) return got.leave()
      if (late && got.record) {
        // the document goes on without it: what is stored is sent like any other tab's
        got.leave()
        got = await storage.fresh(env, whose, id)
      }
      if (ended) return got.leave()
      take(got, whose)
      if (late) catchUp(got)
    })()
    found.catch(failed).finally(() => {
      beginning = false
      if (late && document.userId !== null) identified(document.userId)
    })
    await soon(found, () => { late = true })
  }

  /**
   * What comes of something, or null if it fails or takes too long.
   * @template T
   * @param {Promise<T>} wanted
   * @param {() => void} [slow]
   * @returns {Promise<T | null>}
   */
  const soon = (wanted, slow) => new Promise(resolve => {
    const limit = env.setTimeout(() => {
      slow?.()
      resolve(null)
    }, PATIENCE_MS - (slow ? 0 : 1000))
    wanted.catch(() => null).then(value => {
      env.clearTimeout(limit)
      resolve(value)
    })
  })

  /** The server says whose token it is. @param {string} whose */
  const identified = whose => {
    if (user === whose || beginning) return
    const left = keeper
    const other = user !== null
    keeper = sync.keeper = null
    user = whose
    // nothing is ever sent again as another user: the session stays stored for its own
    left?.leave()
    if (other && sync.pending) sync.giveAllBack('other_user', 'these edits were made by another user')
    fresh()
  }

  /** Ops flow: time to look after what other tabs have left. */
  const live = () => {
    if (!keeper || adopting || ended) return
    adopting = true
    adopt().catch(failed).finally(() => { adopting = false })
    env.clearTimeout(timer)
    timer = env.setTimeout(live, LOOK_MS)
  }

  /** Send the edits of sessions whose tab is gone, one session after the other. */
  const adopt = async () => {
    while (!ended && sync.flowing && user !== null) {
      const found = await storage.orphan(env, user, id)
      if (!found) return
      const { drain } = await import('./orphan.js').catch(error => {
        found.leave()
        throw error
      })
      if (ended) return found.leave()
      await drain(document, user, found, about, own => { orphan = own })
    }
  }

  return {
    begin,
    identified,
    connected: live,

    get keeper () {
      return keeper
    },

    /** Whether what is pending would outlive the page. */
    get safe () {
      return keeper?.safe === true
    },

    /** Store now what is not stored: the page may be going. */
    flush () {
      keeper?.flush()
    },

    wake () {
      orphan?.wake()
      if (sync.flowing) live()
    },

    /**
     * The document ends. Resolves when all is stored, or forgotten.
     * @param {boolean} forget
     */
    async end (forget) {
      ended = true
      env.clearTimeout(timer)
      orphan?.leave()
      await (forget ? keeper?.remove() : keeper?.close())
    }
  }
}
