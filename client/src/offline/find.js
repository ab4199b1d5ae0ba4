/** Finds a session whose tab is gone. */

import { SCHEMA } from './schema.js'

/** @import { Backend, Key, Record } from './backend.js' */
/** @import { Keeper } from './keeper.js' */

/**
 * Take over a session with edits, if there is one.
 * @param {Backend} backend
 * @param {[user: string, document: string]} whose
 * @param {boolean | undefined} any whether one without edits will do
 * @param {(key: Key, fence: number, record: Record, unlock: () => void) => Keeper} make
 */
export async function find (backend, whose, any, make) {
  const list = await backend.list(...whose)
  list.sort((a, b) => Number(b.edits) - Number(a.edits) || b.seen - a.seen)
  for (const { session, edits } of list) {
    if (!edits && !any) continue
    /** @type {Key} */
    const key = [...whose, session]
    const unlock = await backend.lock(key)
    if (!unlock) continue
    const taken = await backend.take(key)
    if (taken && taken.record.meta.schema <= SCHEMA) return make(key, taken.fence, taken.record, unlock)
    unlock()
  }
}
