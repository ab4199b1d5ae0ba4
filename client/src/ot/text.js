/**
 * A text as a value: chunks of a few kilobytes that an edited text shares with the one it
 * was made of. Each chunk knows its code points, so that positions are found without
 * looking at text, and where no character takes two UTF-16 units both counts are the same.
 */

import { DELETE, half, HIGH, INSERT, offsetOf, points, reach, RETAIN } from './op.js'

/** @import { Op } from './op.js' */

/**
 * @typedef {{ text: string, length: number }} Chunk with its length in code points
 * @typedef {{ from: number, to: number, insert: string }} Change in UTF-16 offsets of the text before
 */

/** Units of a chunk as it is made; less than a quarter is tiny, more than twice as much is huge. */
const USUAL = 4096
/** ... and of a text so long that the list of its chunks would be, too. */
const LONG = 16_384
const LONG_TEXT = 1 << 21

export class Text {
  /** @param {string} text well-formed */
  static of (text) {
    const made = new Text([], 0, 0).apply([{ kind: INSERT, length: points(text), text }]).text
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
    /** @type {string | undefined} */
    this.whole = undefined
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
    let part = ''
    for (const { text } of this.chunks) {
      if (to <= 0) break
      part += text.slice(Math.max(0, from), to)
      from -= text.length
      to -= text.length
    }
    return part
  }

  /**
   * The UTF-16 offset of a code point.
   * @param {number} point
   */
  offset (point) {
    if (this.length === this.points) return Math.min(point, this.length)
    let at = 0
    for (const { text, length } of this.chunks) {
      if (point <= length) return at + offsetOf(text, length, point)
      point -= length
      at += text.length
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
    for (const { text, length } of this.chunks) {
      if (offset <= text.length) return at + points(text.slice(0, offset))
      offset -= text.length
      at += length
    }
    return at
  }

  /**
   * Apply an op; it must fit. Returns the text after it, and what changed, from the first
   * place to the last, in UTF-16 offsets of this text.
   * @param {Op} op
   * @returns {{ text: Text, changes: Change[] }}
   */
  apply (op) {
    if (op.length === 0) return { text: this, changes: [] }
    let { chunks, length: units, points: count } = this
    const usual = op.reduce((sum, { text }) => sum + text.length, units) > LONG_TEXT ? LONG : USUAL
    /** @type {Chunk[]} */
    const list = []
    /** @type {Change[]} */
    const changes = []
    let open = '' // what is to be a chunk,
    let openLength = 0 // ... in code points
    let next = 0
    /** @type {Chunk | undefined} what is left of the chunk before the next */
    let rest
    let at = 0

    const close = () => {
      const most = open.length > 2 * usual ? usual : Infinity
      for (let from = 0, to; from < open.length; from = to) {
        to = Math.min(from + most, open.length)
        if (to < open.length && half(open, to - 1) === HIGH) to++
        const text = open.slice(from, to)
        list.push({ text, length: text.length < open.length ? points(text) : openLength })
      }
      open = ''
      openLength = 0
    }

    /** Put a piece behind what there is: as it is, unless it is tiny or huge. @param {Chunk} piece */
    const put = piece => {
      const { text, length } = piece
      if (open === '' && 4 * text.length >= usual && text.length <= 2 * usual) list.push(piece)
      else {
        open += text
        openLength += length
        if (4 * open.length >= usual) close()
      }
    }

    /** Go on by `length` code points, which stay or not. @param {number} length @param {boolean} stay */
    const walk = (length, stay) => {
      while (length > 0) {
        let piece = rest ?? chunks[next++]
        if (piece === undefined) throw new RangeError(`the op reaches to ${reach(op)}, beyond the end of the text at ${this.points}`)
        rest = undefined
        if (length < piece.length) {
          const { text } = piece
          const cut = offsetOf(text, piece.length, length)
          rest = { text: text.slice(cut), length: piece.length - length }
          piece = { text: text.slice(0, cut), length }
        }
        length -= piece.length
        at += piece.text.length
        if (stay) put(piece)
      }
    }

    for (const { kind, length, text } of op) {
      if (kind === RETAIN) walk(length, true)
      else {
        const from = at
        if (kind === DELETE) {
          walk(length, false)
          count -= length
        } else {
          put({ text, length })
          count += length
        }
        units += text.length - at + from
        const last = changes[changes.length - 1]
        if (last?.to === from) {
          last.to = at
          last.insert += text
        } else changes.push({ from, to: at, insert: text })
      }
    }
    if (rest) put(rest)
    while (open !== '' && next < chunks.length) put(chunks[next++])
    close()
    return { text: new Text(list.concat(chunks.slice(next)), units, count), changes }
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
