/**
 * A text as a value: chunks of a few kilobytes that an edited text shares with the one it
 * was made of. Each chunk knows its code points, so that positions are found without
 * looking at text, and where no character takes two UTF-16 units both counts are the same.
 */

import { DELETE, offsetOf, points, RETAIN } from './op.js'

/** @import { Op } from './op.js' */

/**
 * @typedef {{ text: string, length: number }} Chunk with its length in code points
 * @typedef {{ from: number, to: number, insert: string }} Change in UTF-16 offsets of the text before
 */

const SMALL = 1024
const USUAL = 4096
const LARGE = 8192

/** Makes a list of chunks from pieces, none of them tiny or huge. */
class Chunks {
  constructor () {
    /** @type {Chunk[]} */
    this.list = []
    this.open = ''
    this.openLength = 0
  }

  /** @param {string} text @param {number} length */
  add (text, length) {
    this.open += text
    this.openLength += length
    if (this.open.length > LARGE) this.close()
  }

  close () {
    const { open } = this
    if (open.length <= LARGE) {
      if (open !== '') this.list.push({ text: open, length: this.openLength })
    } else {
      const plain = open.length === this.openLength
      for (let from = 0, to; from < open.length; from = to) {
        to = Math.min(from + USUAL, open.length)
        if (!plain && (open.charCodeAt(to - 1) & 0xfc00) === 0xd800) to++
        const text = open.slice(from, to)
        this.list.push({ text, length: plain ? text.length : points(text) })
      }
    }
    this.open = ''
    this.openLength = 0
  }

  /** @param {Chunk} chunk */
  pass (chunk) {
    if (this.open !== '') {
      if (this.open.length < SMALL) return this.add(chunk.text, chunk.length)
      this.close()
    }
    this.list.push(chunk)
  }
}

export class Text {
  /** @param {string} text well-formed */
  static of (text) {
    const chunks = new Chunks()
    chunks.add(text, points(text))
    chunks.close()
    const made = new Text(chunks.list)
    made.whole = text
    return made
  }

  /** @param {Chunk[]} chunks */
  constructor (chunks) {
    this.chunks = chunks
    /** In UTF-16 units. */
    this.length = 0
    /** In code points. */
    this.points = 0
    /** @type {string | null} */
    this.whole = null
    for (let i = 0; i < chunks.length; i++) {
      this.length += chunks[i].text.length
      this.points += chunks[i].length
    }
  }

  toString () {
    return (this.whole ??= this.chunks.map(chunk => chunk.text).join(''))
  }

  /**
   * The text between two UTF-16 offsets.
   * @param {number} from
   * @param {number} to
   */
  slice (from, to) {
    let text = ''
    let at = 0
    for (const chunk of this.chunks) {
      if (at >= to) break
      const end = at + chunk.text.length
      if (end > from) text += chunk.text.slice(Math.max(0, from - at), to - at)
      at = end
    }
    return text
  }

  /**
   * The UTF-16 offset of a code point.
   * @param {number} point
   */
  offset (point) {
    if (this.length === this.points) return Math.min(point, this.length)
    let at = 0
    for (const chunk of this.chunks) {
      if (point <= chunk.length) return at + offsetOf(chunk.text, chunk.length, point)
      point -= chunk.length
      at += chunk.text.length
    }
    return at
  }

  /**
   * The code point at a UTF-16 offset; of one inside a character, that character's.
   * @param {number} offset
   */
  point (offset) {
    if (this.length === this.points) return Math.min(offset, this.length)
    let at = 0
    for (const chunk of this.chunks) {
      if (offset <= chunk.text.length) {
        if (chunk.length === chunk.text.length) return at + offset
        return at + points(chunk.text.slice(0, offset))
      }
      offset -= chunk.text.length
      at += chunk.length
    }
    return at
  }

  /**
   * The unit at a UTF-16 offset, or NaN.
   * @param {number} offset
   */
  unit (offset) {
    return this.slice(offset, offset + 1).charCodeAt(0)
  }

  /**
   * Apply an op; it must fit. Returns the text after it, and what changed, from the first
   * place to the last, in UTF-16 offsets of this text.
   * @param {Op} op
   * @returns {{ text: Text, changes: Change[] }}
   */
  apply (op) {
    const { chunks } = this
    const out = new Chunks()
    /** @type {Change[]} */
    const changes = []
    let next = 0 // the chunk that stands here,
    let inside = 0 // ... how far in, in UTF-16 units,
    let gone = 0 // ... and in code points
    let at = 0

    /** Go on by `length` code points, which stay or not. @param {number} length @param {boolean} stay */
    const walk = (length, stay) => {
      while (length > 0) {
        const chunk = chunks[next]
        if (chunk === undefined) throw new RangeError('an op reaches beyond the end of its text')
        if (inside === 0 && length >= chunk.length) {
          if (stay) out.pass(chunk)
          at += chunk.text.length
          length -= chunk.length
          next++
          continue
        }
        const take = Math.min(length, chunk.length - gone)
        const end = gone + take === chunk.length ? chunk.text.length
          : chunk.length === chunk.text.length ? inside + take
            : inside + offsetOf(chunk.text.slice(inside), chunk.length - gone, take)
        if (stay) out.add(chunk.text.slice(inside, end), take)
        at += end - inside
        length -= take
        gone += take
        inside = end
        if (gone === chunk.length) {
          next++
          inside = gone = 0
        }
      }
    }

    for (const { kind, length, text } of op) {
      if (kind === RETAIN) {
        walk(length, true)
        continue
      }
      const from = at
      if (kind === DELETE) walk(length, false)
      else out.add(text, length)
      const last = changes[changes.length - 1]
      if (last !== undefined && last.to === from) {
        last.to = at
        last.insert += text
      } else changes.push({ from, to: at, insert: text })
    }
    if (inside > 0) walk(chunks[next].length - gone, true)
    while (next < chunks.length && out.open !== '') out.pass(chunks[next++])
    out.close()
    for (; next < chunks.length; next++) out.list.push(chunks[next])
    return { text: new Text(out.list), changes }
  }

  /**
   * `length` code points from the code point `from` on.
   * @param {number} from
   * @param {number} length
   */
  at (from, length) {
    return this.slice(this.offset(from), this.offset(from + length))
  }
}
