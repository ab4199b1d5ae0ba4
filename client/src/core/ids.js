/**
 * Ids of operations: UUIDs of version 8 that begin with a random part of the session and
 * end in a counter, which keeps the database's index compact. A session's random part is
 * made anew whenever a document is loaded, so no id is ever made twice.
 */

/**
 * @param {() => number} random
 * @returns {() => string}
 */
export function ids (random) {
  const prefix = '********-****-8***-8***-'.replace(/\*/g, () => Math.floor(random() * 16).toString(16))
  let count = 0
  return () => prefix + (++count).toString(16).padStart(12, '0')
}
