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

  /**
   * Pass on chunks as they are; the first may be joined to a small piece before it.
   * @param {Chunk[]} chunks
   * @param {number} from
   * @param {number} to
   */
  pass (chunks, from, to) {
    while (from < to && this.open !== '') {
      if (this.open.length >= SMALL) this.close()
      else {
        const { text, length } = chunks[from++]
        this.add(text, length)
      }
    }
    if (from < to) this.list = this.list.length === 0 ? chunks.slice(from, to) : this.list.concat(chunks.slice(from, to))
  }
}

export class Text {
  /** @param {string} text well-formed */
  static of (text) {
    const chunks = new Chunks()
    chunks.add(text, points(text))
    chunks.close()
    const made = new Text(chunks.list, text.length, points(text))
    made.whole = text
    return made
  }

  /** @param {Chunk[]} chunks @param {number} length @param {number} points */
  constructor (chunks, length, points) {
    this.chunks = chunks
    /** In UTF-16 units. */
    this.length = length
    /** In code points. */
    this.points = points
    /** @type {string | null} */
    this.whole = null
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
          const first = next
          for (let whole; (whole = chunks[next]) !== undefined && length >= whole.length; next++) {
            at += whole.text.length
            length -= whole.length
          }
          if (stay) out.pass(chunks, first, next)
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

    let after = this.points
    for (const { kind, length, text } of op) {
      if (kind === RETAIN) {
        walk(length, true)
        continue
      }
      const from = at
      if (kind === DELETE) {
        walk(length, false)
        after -= length
      } else {
        out.add(text, length)
        after += length
      }
      const last = changes[changes.length - 1]
      if (last !== undefined && last.to === from) {
        last.to = at
        last.insert += text
      } else changes.push({ from, to: at, insert: text })
    }
    if (inside > 0) walk(chunks[next].length - gone, true)
    out.pass(chunks, next, chunks.length)
    out.close()
    const units = changes.reduce((sum, { from, to, insert }) => sum + insert.length - (to - from), this.length)
    return { text: new Text(out.list, units, after), changes }
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
