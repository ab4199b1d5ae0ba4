// Random numbers, texts and ops: the same ones for the same seed.

import { append, DELETE, finish, INSERT, points, RETAIN } from '../../src/ot/op.js'

const PIECES = ['a', 'b', 'c', ' ', '\n', '"', '\\', '\u0001', 'é', 'Ж', '漢', '\u0301', '\u200d', '\uffff', '😀', '👩', '𝒳', '\u{10ffff}']

/** Numbers from 0 to 1 (mulberry32). @param {number} seed */
export function random (seed) {
  let a = seed >>> 0
  const next = () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), a | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = n => Math.floor(next() * n)
  const pick = list => list[below(list.length)]
  const text = most => Array.from({ length: below(most + 1) }, () => pick(PIECES)).join('')
  // An op on a text of so many code points.
  const op = (length, edits = 4) => {
    const out = []
    let left = length
    for (let n = below(edits + 1); n > 0; n--) {
      const kind = below(3)
      if (kind === INSERT) {
        const insert = text(3)
        append(out, INSERT, points(insert), insert)
      } else {
        const take = Math.min(left, below(4))
        append(out, kind === DELETE ? DELETE : RETAIN, take)
        left -= take
      }
    }
    return finish(out)
  }
  return { next, below, pick, text, op }
}
