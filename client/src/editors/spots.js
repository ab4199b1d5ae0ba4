/** What is said beside a text, as editors show it: passages and suggestions by where they are. */

/** @import { Document } from '../document.js' */

/**
 * @typedef {{ id: string, kind: 'thread' | 'suggestion', from: number, to: number }} Spot
 * @typedef {{ spots: Spot[], inserts: { at: number, id: string, text: string }[], deletes: Spot[] }} Shown
 */

/**
 * Everything that is within a text of a length.
 * @param {Document} doc @param {{ resolved?: boolean }} options @param {number} length @returns {Shown}
 */
export function read (doc, { resolved = false }, length) {
  /** @type {Shown} */
  const shown = { spots: [], inserts: [], deletes: [] }
  for (const { id, from, to, orphan, resolved: done } of doc.comments.list) {
    if (from !== null && to !== null && to <= length && !orphan && (resolved || !done)) shown.spots.push({ id, kind: 'thread', from, to })
  }
  for (const { id, changes, stale } of doc.suggestions.list) {
    if (!changes?.length || stale || changes[changes.length - 1].to > length) continue
    shown.spots.push({ id, kind: 'suggestion', from: changes[0].from, to: changes[changes.length - 1].to })
    for (const { from, to, insert } of changes) {
      if (to > from) shown.deletes.push({ id, kind: 'suggestion', from, to })
      if (insert) shown.inserts.push({ at: to, id, text: insert })
    }
  }
  shown.spots.sort((a, b) => a.from - b.from || a.to - b.to)
  return shown
}

/** The spot at an offset: the smallest. @param {Shown} shown @param {number} head @returns {Spot | undefined} */
export const spotAt = ({ spots }, head) =>
  spots.filter(({ from, to }) => from <= head && head <= to).sort((a, b) => (a.to - a.from) - (b.to - b.from))[0]

/** The next spot after an offset, or the last one before it. @param {Shown} shown @param {number} head @param {1 | -1} way */
export const spotFrom = ({ spots }, head, way) =>
  way > 0 ? spots.find(({ from }) => from > head) : spots.filter(({ from }) => from < head).at(-1)

/**
 * Accept the suggestion at a spot, or reject it, or withdraw one's own; false: that cannot be.
 * @param {Document} doc @param {Spot | undefined} spot @param {boolean} accept
 */
export function decide ({ suggestions, userId, canEdit }, spot, accept) {
  if (spot?.kind !== 'suggestion') return false
  const own = suggestions.get(spot.id)?.userId === userId
  if (!canEdit && (accept || !own)) return false
  const done = accept ? suggestions.accept(spot.id) : own ? suggestions.withdraw(spot.id) : suggestions.reject(spot.id)
  done.catch(() => {}) // `rejected` says so
  return true
}
