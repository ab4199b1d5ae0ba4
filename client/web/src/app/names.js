/** What users are called, by their ids: from members, presence and sample users. */

import { Store } from './store.js'

/** @type {Store<Map<string, string>>} */
export const names = new Store(new Map())

/** @param {Iterable<{ userId: string, name?: string | null }>} users */
export function learn (users) {
  const map = new Map(names.value)
  let news = false
  for (const { userId, name } of users) {
    if (!name || map.get(userId) === name) continue
    map.set(userId, name)
    news = true
  }
  if (news) names.set(map)
}

/** @param {string | null} userId */
export function called (userId) {
  if (userId === null) return 'earlier'
  return names.value.get(userId) ?? (/^[0-9a-f]{8}-/.test(userId) ? `user ${userId.slice(0, 4)}` : userId)
}
