/** Sessions in a storage: which one a tab takes, and whose tabs are gone. */

import { makeKeeper } from './keeper.js'
import { load } from './more.js'
import { tie } from './session.js'

/** @import { Document } from '../document.js' */
/** @import { Backend, Key } from './backend.js' */

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
    backend,

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
     */
    orphan: async (user, any) => (await load())?.find(backend, [user, id], any, (key, fence, record, unlock) => makeKeeper(backend, env, key, fence, record, unlock))
  }
}

/** @typedef {ReturnType<typeof sessions>} Sessions */

/** What a backend fails with where another tab has taken the session over. */
export function fencedError () {
  return Object.assign(new Error('another tab has taken this session over'), { name: 'FencedError' })
}
