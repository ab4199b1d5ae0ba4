/** What ties a document to a storage: its own session, and those that tabs have left behind. */

import { load, more } from './more.js'

/** @import { Document } from '../document.js' */
/** @import { Keeper } from './keeper.js' */
/** @import { Sessions } from './storage.js' */

/** @typedef {ReturnType<typeof tie>} Session */

/** How long to wait for a storage that does not answer, and for a token to know the user by. */
const PATIENCE_MS = 3000
/** How often to look for sessions whose tab is gone. */
const LOOK_MS = 60_000

/**
 * @param {Document} document
 * @param {Sessions} sessions
 */
export function tie (document, sessions) {
  const { client, env, sync } = document
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
  /** @type {Promise<void> | undefined} */
  let begun

  /** Edits are kept in memory alone. @param {unknown} error */
  const failed = error => document.emit('unstored', error)
  const about = () => ({ role: document.role, title: document.title })

  /** @param {Keeper} found @param {string} whose */
  const take = (found, whose) => {
    const { record } = found
    keeper = sync.keeper = found
    user = document.userId = whose
    found.attach({ sync, about, fenced, failed })
    if (record && more) document.restore(record, whose, more.restore)
  }

  /** Another tab has taken this session, since this one seemed to be gone. @param {boolean} unstored */
  const fenced = unstored => {
    keeper = sync.keeper = null
    // it sends what was stored of it
    sync.giveAllBack(unstored ? 'fenced' : 'taken_over', 'another tab has taken this session over')
    sync.refresh()
    fresh()
  }

  /** Get a session that has nothing yet. */
  const fresh = async () => {
    const whose = user
    if (ended || whose === null) return
    try {
      const found = await sessions.fresh(whose)
      if (ended || keeper || user !== whose) return found.leave()
      take(found, whose)
      // it comes late: let it know what there is
      found.advance(null)
      found.change(null)
      live()
    } catch (error) {
      failed(error)
    }
  }

  /** Get a session, and what is stored in it. */
  const begin = async () => {
    let late = false
    /** @type {string | null | undefined} */
    let whose
    beginning = true
    const found = (async () => {
      // whose it is: what the token says, or without a network who was here last
      whose = await soon(client.user()) ?? await sessions.user()
      if (!whose) return
      await sessions.user(whose)
      const got = await sessions.orphan(whose, true) ?? await sessions.fresh(whose)
      // if it comes late the document goes on without it: what is stored is sent like any other tab's
      if (ended || late) got.leave()
      else take(got, whose)
    })()
    found.catch(failed).finally(() => {
      beginning = false
      whose = document.userId ?? whose
      if (late && whose) identified(whose)
    })
    await soon(found, () => (late = true))
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

  /** Where ops flow it is time to look after what other tabs have left. */
  const live = () => {
    if (!keeper || adopting || ended || !sync.flowing) return
    adopting = true
    env.clearTimeout(timer)
    load().then(found => found?.adopt(document, user, sessions, () => ended, about, own => (orphan = own))).catch(failed).finally(() => {
      adopting = false
      // without that code, with the next connection
      if (more && !ended) timer = env.setTimeout(live, LOOK_MS)
    })
  }

  return {
    load,
    begin: () => begun ??= begin(),
    identified,
    connected: live,

    get keeper () {
      return keeper
    },

    /** Whether what is pending would outlive the page. */
    get safe () {
      return keeper?.safe
    },

    /** Store now what is not stored: the page may be going. */
    flush () {
      keeper?.flush()
    },

    wake () {
      orphan?.wake()
      live()
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
