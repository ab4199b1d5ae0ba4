/** Looks after what tabs that are gone have left behind. Loaded apart. */

import { drain } from './orphan.js'
import { saidOf } from './said.js'

/** @import { Document } from '../document.js' */
/** @import { KeeperHost } from './keeper.js' */
/** @import { Sessions } from './storage.js' */

/**
 * Send the edits of sessions whose tab is gone, one session after the other, and let what was
 * said beside the text be said.
 * @param {Document} document
 * @param {string | null} whose it is known where there is a session
 * @param {Sessions} sessions
 * @param {() => boolean} ended
 * @param {KeeperHost['about']} about
 * @param {(orphan: { leave: () => void, wake: () => void } | null) => void} tell what may be done
 *   with the one that is being sent; null: none is
 */
export async function adopt (document, whose, { backend, orphan }, ended, about, tell) {
  const { talk } = document
  const user = /** @type {string} */ (whose)
  // before the edits: it waits for the text that it is about
  if (talk) (await talk.outbox.keeper)?.adopt()
  else if ((await saidOf(backend)?.list(user, document.id))?.length) void document.chat
  for (let found; !ended() && document.sync.flowing && (found = await orphan(user));) {
    if (ended()) return found.leave()
    await drain(document, user, found, about, tell)
  }
}
