/** Sessions in a storage: which one a tab takes, and whose tabs are gone. */

import { makeKeeper, SCHEMA } from './keeper.js'
import { tie } from './session.js'

/** @import { Backend, Key } from './backend.js' */
/** @import { Environment } from '../net/environment.js' */
/** @import { Keeper } from './keeper.js' */

export class OfflineStorage {
  /** @param {Backend} backend */
  constructor (backend) {
    this.backend = backend
    /** The user who was here last: for a start without a network. */
    this.user = () => backend.user()
  }

  /** @param {import('../document.js').Document} document */
  tie (document) {
    return tie(this, document)
  }

  /**
   * Get a session for a document: one whose tab is gone, those with edits first, or a new one.
   * @param {Environment} env
   * @param {string} user
   * @param {string} document
   */
  async attach (env, user, document) {
    await this.backend.user(user)
    return await this.orphan(env, user, document, true) ?? this.fresh(env, user, document)
  }

  /**
   * Get a new session.
   * @param {Environment} env
   * @param {string} user
   * @param {string} document
   */
  async fresh (env, user, document) {
    /** @type {Key} */
    const key = [user, document, '****************'.replace(/\*/g, () => Math.floor(env.random() * 16).toString(16))]
    const unlock = await this.backend.lock(key)
    return makeKeeper(this.backend, env, key, 1, null, unlock ?? (() => {}))
  }

  /**
   * Get a session with edits whose tab is gone, if there is one.
   * @param {Environment} env
   * @param {string} user
   * @param {string} document
   * @param {boolean} [any] whether one without edits will do
   * @returns {Promise<Keeper | null>}
   */
  async orphan (env, user, document, any) {
    const sessions = await this.backend.list(user, document)
    sessions.sort((a, b) => Number(b.edits) - Number(a.edits) || b.seen - a.seen)
    for (const { session, edits } of sessions) {
      if (!edits && !any) continue
      /** @type {Key} */
      const key = [user, document, session]
      const unlock = await this.backend.lock(key)
      if (!unlock) continue
      const taken = await this.backend.take(key)
      if (taken && taken.record.meta.schema <= SCHEMA) return makeKeeper(this.backend, env, key, taken.fence, taken.record, unlock)
      unlock()
    }
    return null
  }
}

/** What a backend fails with where another tab has taken the session over. */
export function fencedError () {
  return Object.assign(new Error('another tab has taken this session over'), { name: 'FencedError' })
}
