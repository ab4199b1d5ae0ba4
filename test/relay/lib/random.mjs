// Random edits, the same ones for the same seed.

const PIECES = ['a', 'b', 'typing ', '\n', 'é', 'ß', 'Ж', '日', '本', 'e\u0301', '\u0939\u093f', '😀', '👩‍👩‍👧', '𝔘']

// Numbers from 0 to 1 (mulberry32).
export function random (seed) {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), a | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

// An edit of a text: an insert, a deletion, or both at one place.
export function randomEdit (text, next) {
  const length = [...text].length
  const below = n => Math.floor(next() * n)
  const at = below(length + 1)
  const most = Math.min(6, length - at)
  const gone = most > 0 && next() < 0.4 ? 1 + below(most) : 0
  const come = gone === 0 || next() < 0.3 ? PIECES[below(PIECES.length)] : ''
  return [...(at > 0 ? [at] : []), ...(come ? [come] : []), ...(gone ? [{ d: gone }] : [])]
}
