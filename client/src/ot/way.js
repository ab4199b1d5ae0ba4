/**
 * The shortest way from one list of characters to another (Myers). Loaded apart from the core,
 * of which it takes no code along.
 */

const RETAIN = 0
const INSERT = 1
const DELETE = 2

/** Characters inserted and deleted, beyond which it is not looked for the shortest. */
const MOST = 2048

/**
 * @typedef {object} Place where a way from one list to the other has come
 * @property {number} x in the one
 * @property {number} y in the other
 * @property {boolean} inserts whether the last step inserted; else it deleted
 * @property {Place | undefined} before that step
 */

/**
 * Find the way of fewest steps, an insert or a delete each, in the square of two lists: a row
 * for each step, in which entry i is the furthest on the diagonal x - y = 2i - step.
 * @param {string[]} a
 * @param {string[]} b
 * @returns {Place | undefined} its end; none if there are too many steps
 */
function find (a, b) {
  /** @type {(Place | undefined)[]} */
  let row = []
  for (let step = 0; step <= MOST; step++) {
    /** @type {(Place | undefined)[]} */
    const next = []
    for (let i = 0; i <= step; i++) {
      const up = row[i]
      const left = row[i - 1]
      const inserts = !left || (up !== undefined && up.x > left.x)
      const before = inserts ? up : left
      if (step > 0 && before === undefined) continue
      let x = (before?.x ?? 0) + (inserts ? 0 : 1)
      let y = x + step - 2 * i
      if (x > a.length || y > b.length) continue
      while (x < a.length && a[x] === b[y]) {
        x++
        y++
      }
      next[i] = { x, y, inserts, before }
      if (x === a.length && y === b.length) return next[i]
    }
    row = next
  }
}

/**
 * Find the shortest difference and tell it, component by component; false if there is none to
 * be found in time, or none shorter than replacing the one by the other.
 * @param {string[]} a
 * @param {string[]} b
 * @param {(kind: 0 | 1 | 2, length: number, text?: string) => void} append
 */
export function way (a, b, append) {
  let place = a.length > 0 && b.length > 0 && find(a, b)
  /** @type {Place[]} */
  const places = []
  for (; place; place = place.before) places.unshift(place)
  for (const { x, inserts, before } of places) {
    if (before) append(inserts ? INSERT : DELETE, 1, inserts ? b[before.y] : '')
    append(RETAIN, x - (before?.x ?? 0) - (before && !inserts ? 1 : 0))
  }
  return places.length > 0
}
