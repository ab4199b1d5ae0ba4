/** Sessions in a storage: which one a tab takes, and whose tabs are gone. */

import { makeKeeper, SCHEMA } from './keeper.js'
import { tie } from './session.js'

/** @import { Document } from '../document.js' */
/** @import { Backend, Key } from './backend.js' */
/** @import { Keeper } from './keeper.js' */

export class OfflineStorage {
  /** @param {Backend} backend */
  constructor (backend) {
    this.backend = backend
  }

  /** @param {Document} document */
  tie (document) {
    return tie(document, sessions(this.backend, document))
  }
}

/**
 * The sessions of a document.
 * @param {Backend} backend
 * @param {Document} document
 */
function sessions (backend, { env, id }) {
  return {
    /** Get the user who was here last, or say who it is. */
    user: backend.user.bind(backend),

    /** Get a new session. @param {string} user */
    async fresh (user) {
      /** @type {Key} */
      const key = [user, id, '****************'.replace(/\*/g, () => Math.floor(env.random() * 16).toString(16))]
      return makeKeeper(backend, env, key, 1, null, await backend.lock(key) ?? (() => {}))
    },

    /**
     * Get a session with edits whose tab is gone, if there is one.
     * @param {string} user
     * @param {boolean} [any] whether one without edits will do
     * @returns {Promise<Keeper | null>}
     */
    async orphan (user, any) {
      const list = await backend.list(user, id)
      list.sort((a, b) => Number(b.edits) - Number(a.edits) || b.seen - a.seen)
      for (const { session, edits } of list) {
        if (!edits && !any) continue
        /** @type {Key} */
        const key = [user, id, session]
        const unlock = await backend.lock(key)
        if (!unlock) continue
        const taken = await backend.take(key)
        if (taken && taken.record.meta.schema <= SCHEMA) return makeKeeper(backend, env, key, taken.fence, taken.record, unlock)
        unlock()
      }
      return null
    }
  }
}

/** @typedef {ReturnType<typeof sessions>} Sessions */

/** What a backend fails with where another tab has taken the session over. */
export function fencedError () {
  return Object.assign(new Error('another tab has taken this session over'), { name: 'FencedError' })
}
