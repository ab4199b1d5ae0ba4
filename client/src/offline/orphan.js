/** Sends what a tab that is gone has left behind. Loaded apart. */

import { restore } from './restore.js'

/** @import { Document } from '../document.js' */
/** @import { Record } from './backend.js' */
/** @import { Keeper, KeeperHost } from './keeper.js' */

/**
 * Send the edits of a session whose tab is gone, on a connection of their own, and forget it.
 * @param {Document} document
 * @param {string} user whose session it is
 * @param {Keeper} found
 * @param {KeeperHost['about']} about
 * @param {(orphan: { leave: () => void, wake: () => void } | null) => void} tell what may be done
 *   with it meanwhile; null: it is over
 * @returns {Promise<void>}
 */
export const drain = (document, user, found, about, tell) => new Promise(resolve => {
  const nothing = () => {}
  const done = () => {
    other.link.stop()
    tell(null)
    resolve()
  }
  const leave = () => {
    other.keeper = null
    found.leave()
    done()
  }
  const pending = () => {
    if (!other.pending) found.remove().then(done, done)
  }
  const other = document.second({
    change: nothing,
    advance: nothing,
    connected: nothing,
    status: nothing,
    unauthenticated: leave,
    closed: leave,
    message: message => {
      if (message.type === 'joined' && message.userId !== user) leave()
    },
    pending,
    rejected: (draft, refusal, batches) => document.giveBack(other, draft, refusal, batches)
  })
  tell({ leave, wake: other.link.wake })
  other.restore(/** @type {Record} */ (found.record), restore)
  other.keeper = found
  found.attach({ sync: other, about, fenced: done, failed: nothing })
  pending()
  if (other.pending) other.link.start()
})
