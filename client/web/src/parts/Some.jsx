/** Long lists are drawn in pieces: a page with ten thousand rows would not answer for seconds. */

import { useState } from 'preact/hooks'

/** Rows that are drawn at first, and again as many by each click. */
const AT_ONCE = 100

/**
 * The rows of a list that are drawn, and a button for more of them if there are.
 * @template T
 * @param {readonly T[]} list
 * @param {(row: T) => boolean} [wanted] drawn in any case
 * @returns {{ some: T[], more: import('preact').ComponentChildren }}
 */
export function useSome (list, wanted = () => false) {
  const [count, setCount] = useState(AT_ONCE)
  const some = list.filter((row, n) => n < count || wanted(row))
  const left = list.length - some.length
  return { some, more: left > 0 && <button type='button' class='quiet wide' onClick={() => setCount(count + AT_ONCE)}>Show more ({left})</button> }
}
