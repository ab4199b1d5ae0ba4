/**
 * Accepts many suggestions: the server takes a group whole or not at all, so those that have
 * become stale, also by one before them in the group, are found first and left out. Loaded when
 * it is asked for.
 */

/** @import { Op } from '../ot/op.js' */
/** @import { Carried } from './suggestions.js' */

/** A group is refused if others edit or decide at the same moment; then it is put together anew. */
const TRIES = 5

/**
 * @param {string[]} ids in the order in which they are accepted
 * @param {object} given
 * @param {Map<string, Carried>} given.known the open ones, at one version
 * @param {(carried: Carried, over: Op) => Carried} given.after one over an operation
 * @param {() => Promise<Map<string, Carried>>} given.list the open ones, as the server has them
 * @param {(ids: string[]) => Promise<void>} given.accept a group
 * @returns {Promise<{ accepted: string[], left: string[] }>}
 */
export async function acceptAll (ids, { known, after, list, accept }) {
  for (let tries = 1; ; tries++) {
    const accepted = good(ids, known, after)
    if (accepted.length === 0) return { accepted, left: ids }
    try {
      await accept(accepted)
      return { accepted, left: ids.filter(id => !accepted.includes(id)) }
    } catch (error) {
      if (/** @type {any} */ (error).code !== 'forbidden' || tries === TRIES) throw error
      known = await list()
      // the role, then, and not what became of one of them
      if (String(good(ids, known, after)) === String(accepted)) throw error
    }
  }
}

/**
 * Those that can be accepted one after the other.
 * @param {string[]} ids @param {Map<string, Carried>} known @param {(carried: Carried, over: Op) => Carried} after
 */
function good (ids, known, after) {
  /** @type {Op[]} */
  const before = []
  return ids.filter(id => {
    const found = known.get(id)
    if (!found) return false
    const carried = before.reduce(after, found)
    if (!carried.stale) before.push(carried.op)
    return !carried.stale
  })
}
