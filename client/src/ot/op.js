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

/**
 * Count the code points of a well-formed string.
 * @param {string} text
 */
export function points (text) {
  let count = text.length
  if (/[\ud800-\udbff]/.test(text)) {
    for (let i = 0; i < text.length; i++) {
      if ((text.charCodeAt(i) & 0xfc00) === 0xd800) count--
    }
  }
  return count
}

/**
 * Return the UTF-16 offset of the code point `at` in a string of `length` code points.
 * @param {string} text
 * @param {number} length
 * @param {number} at
 */
export function offsetOf (text, length, at) {
  if (text.length === length) return at
  if (at === length) return text.length
  let offset = 0
  for (; at > 0; at--) offset += (text.charCodeAt(offset) & 0xfc00) === 0xd800 ? 2 : 1
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
  if (last !== undefined && last.kind === kind) op[op.length - 1] = { kind, length: last.length + length, text: last.text + text }
  else op.push({ kind, length, text })
}

/**
 * Finish an op that was made: nothing is retained at its end.
 * @param {Component[]} op
 * @returns {Op}
 */
export function finish (op) {
  if (op.length > 0 && op[op.length - 1].kind === RETAIN) op.pop()
  return op
}

/** Walks over an op, in pieces of any length. After its end everything is retained. */
export class Reader {
  /** @param {Op} op */
  constructor (op) {
    this.op = op
    this.next = 0
    /** @type {0 | 1 | 2} */
    this.kind = RETAIN
    this.length = 0
    this.text = ''
    this.step()
  }

  /** Go to the next component. */
  step () {
    const component = this.op[this.next++]
    this.kind = component === undefined ? RETAIN : component.kind
    this.length = component === undefined ? Infinity : component.length
    this.text = component === undefined ? '' : component.text
  }

  get ended () {
    return this.next > this.op.length
  }

  /**
   * Go on by `length`, at most what is left of this component; returns the text of an insert.
   * @param {number} length
   */
  take (length) {
    let text = this.text
    if (length === this.length) {
      this.step()
      return text
    }
    if (text !== '') {
      const cut = offsetOf(text, this.length, length)
      this.text = text.slice(cut)
      text = text.slice(0, cut)
    }
    this.length -= length
    return text
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
 * Return the longest text an op asks for: its retains and deletes.
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
  return a.length === b.length && a.every((one, i) => one.kind === b[i].kind && one.length === b[i].length && one.text === b[i].text)
}
