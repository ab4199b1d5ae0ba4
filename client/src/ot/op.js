/**
 * Operations as plain data: a list of components walked over the text.
 *
 * Canonical: no empty component, no equal neighbours, no retain at the end; `[]` changes
 * nothing. Lengths are Unicode code points. An op is never changed once it is made, so
 * parts of one may stand in another. (A component may get `attributes` one day: a retain
 * with a change of them, an insert with them. Whatever makes components from components
 * goes through `append` and `Reader`, which is where they would be compared and passed on.)
 */

/**
 * @typedef {{ kind: 0 | 1 | 2, length: number, text: string }} Component
 *   `kind` is RETAIN, INSERT or DELETE; `text` is empty but for an insert
 * @typedef {readonly Component[]} Op
 * @typedef {'left' | 'right'} Side who goes first where two inserts meet
 * @typedef {(number | string | { d: number })[]} WireOp the form on the wire: `[5, "hi", { d: 3 }]`
 */

export const RETAIN = 0
export const INSERT = 1
export const DELETE = 2

/** @type {Op} */
export const IDENTITY = []

/** What `half` says of the halves of a character that takes two UTF-16 units. */
export const HIGH = 0xd800 >> 10
export const LOW = 0xdc00 >> 10

/**
 * Return which half of a character stands at an offset, if it is one.
 * @param {string} text
 * @param {number} offset
 */
export const half = (text, offset) => text.charCodeAt(offset) >> 10

/**
 * Count the code points of a well-formed string.
 * @param {string} text
 */
export function points (text) {
  let count = text.length
  if (/[\ud800-\udbff]/.test(text)) {
    for (let i = 0; i < text.length; i++) if (half(text, i) === HIGH) count--
  }
  return count
}

/**
 * Return the UTF-16 offset of the code point `at` in a string of `length` code points, or
 * `at` itself, where there is no text.
 * @param {string} text
 * @param {number} length
 * @param {number} at
 */
export function offsetOf (text, length, at) {
  if (text.length <= length) return at
  if (at === length) return text.length
  let offset = 0
  for (; at > 0; at--) offset += half(text, offset) === HIGH ? 2 : 1
  return offset
}

/**
 * Add to the end of an op that is being made, merged with what is there.
 * @param {Component[]} op
 * @param {0 | 1 | 2} kind
 * @param {number} length
 * @param {string} [text]
 */
export function append (op, kind, length, text = '') {
  if (length === 0) return
  const last = op[op.length - 1]
  if (last?.kind === kind) {
    op.pop()
    length += last.length
    text = last.text + text
  }
  op.push({ kind, length, text })
}

/**
 * Finish an op that was made: nothing is retained at its end.
 * @param {Component[]} op
 * @returns {Op}
 */
export function finish (op) {
  if (op[op.length - 1]?.kind === RETAIN) op.pop()
  return op
}

/** @type {Component} what follows on the last component */
const END = { kind: RETAIN, length: Infinity, text: '' }

/** Walks over an op, in pieces of any length. After its end everything is retained. */
export class Reader {
  /** @param {Op} op */
  constructor (op) {
    this.op = op
    this.next = 0
    this.kind = END.kind
    this.length = 0
    this.text = ''
    this.step()
  }

  /** Go to the next component. */
  step () {
    ({ kind: this.kind, length: this.length, text: this.text } = this.op[this.next++] ?? END)
  }

  get ended () {
    return this.next > this.op.length
  }

  /**
   * Go on by `length`, at most what is left of this component; returns the text of an insert.
   * @param {number} length
   */
  take (length) {
    const { text } = this
    const cut = offsetOf(text, this.length, length)
    if (length === this.length) this.step()
    else {
      this.text = text.slice(cut)
      this.length -= length
    }
    return text.slice(0, cut)
  }

  /**
   * Pass `length` of this component on to an op that is being made.
   * @param {Component[]} op
   */
  pass (op, length = this.length) {
    const { kind } = this
    append(op, kind, length, this.take(length))
  }

  /**
   * Pass on all that is left.
   * @param {Component[]} op
   */
  passRest (op) {
    while (!this.ended) this.pass(op)
    return finish(op)
  }
}

/**
 * Return the shortest text an op fits: its retains and deletes.
 * @param {Op} op
 */
export function reach (op) {
  let length = 0
  for (const component of op) if (component.kind !== INSERT) length += component.length
  return length
}

/**
 * Return true if two ops are the same.
 * @param {Op} a
 * @param {Op} b
 */
export function equal (a, b) {
  return JSON.stringify(a) === JSON.stringify(b)
}
