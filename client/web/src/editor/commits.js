/**
 * Which text is committed: what was typed here and not yet answered is shown as pending, and
 * each line has a mark, a dot while something of it waits and a tick when PostgreSQL has it.
 */

import { StateEffect, StateField, Transaction } from '@codemirror/state'
import { Decoration, EditorView, gutter, GutterMarker, ViewPlugin } from '@codemirror/view'

/** @import { ChangeDesc } from '@codemirror/state' */
/** @import { Document } from 'converge-client' */

/**
 * @typedef {{ from: number, to: number, n: number }} Waiting what was typed in one go; empty
 *   where text was deleted
 * @typedef {{ waiting: Waiting[], fresh: Waiting[], n: number }} Marks `fresh` was committed
 *   last; `n` counts what was typed
 */

/** What was typed up to the n-th time is committed. @type {import('@codemirror/state').StateEffectType<number>} */
const committed = StateEffect.define()

/** @param {Waiting[]} list @param {ChangeDesc} changes @returns {Waiting[]} */
const moved = (list, changes) => list.map(({ from, to, n }) => {
  const start = changes.mapPos(from, 1)
  return { from: start, to: Math.max(start, changes.mapPos(to, -1)), n }
})

/** @param {Transaction} transaction whether it was made here */
const isLocal = transaction => transaction.docChanged && transaction.annotation(Transaction.remote) !== true

/** @type {Marks} */
const NONE = { waiting: [], fresh: [], n: 0 }

/** @type {StateField<Marks>} */
const marks = StateField.define({
  create: () => NONE,
  update (before, transaction) {
    let { waiting, fresh, n } = before
    if (transaction.docChanged) {
      waiting = moved(waiting, transaction.changes)
      fresh = moved(fresh, transaction.changes)
    }
    if (isLocal(transaction)) {
      n++
      transaction.changes.iterChangedRanges((_fromA, _toA, from, to) => { waiting.push({ from, to, n }) })
      waiting.sort((a, b) => a.from - b.from || a.to - b.to)
    }
    for (const effect of transaction.effects) {
      if (!effect.is(committed)) continue
      fresh = waiting.filter(range => range.n <= effect.value)
      waiting = waiting.filter(range => range.n > effect.value)
    }
    return waiting === before.waiting && fresh === before.fresh ? before : { waiting, fresh, n }
  },
  provide: field => EditorView.decorations.from(field, ({ waiting }) => Decoration.set(joined(waiting).map(([from, to]) => pendingText.range(from, to)), true))
})
const pendingText = Decoration.mark({ class: 'pending-text' })

/** Ranges that touch, as one. @param {Waiting[]} waiting */
function joined (waiting) {
  /** @type {[number, number][]} */
  const out = []
  for (const { from, to } of waiting) {
    const last = out.at(-1)
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else if (to > from) out.push([from, to])
  }
  return out
}

class Sign extends GutterMarker {
  /** @param {string} kind @param {string} text */
  constructor (kind, text) {
    super()
    this.kind = kind
    this.text = text
  }

  /** @param {Sign} other */
  eq (other) {
    return other.kind === this.kind
  }

  toDOM () {
    const sign = document.createElement('span')
    sign.className = `sign ${this.kind}`
    sign.textContent = this.text
    return sign
  }
}

const WAITS = new Sign('waits', '●')
const FRESH = new Sign('fresh', '✓')
const DONE = new Sign('done', '✓')

/** @param {Waiting[]} list @param {{ from: number, to: number }} line */
const touches = (list, line) => list.some(({ from, to }) => from <= line.to && to >= line.from)

const signs = gutter({
  class: 'signs',
  lineMarker (view, line) {
    const { waiting, fresh } = view.state.field(marks)
    if (touches(waiting, line)) return WAITS
    if (touches(fresh, line)) return FRESH
    return line.length > 0 ? DONE : null
  },
  lineMarkerChange: update => update.startState.field(marks) !== update.state.field(marks) || update.docChanged,
  initialSpacer: () => DONE
})

/**
 * Show what of a document's text in an editor is committed.
 * @param {Document} doc
 */
export function commits (doc) {
  const follow = ViewPlugin.define(view => {
    let gone = false
    return {
      update ({ transactions, state }) {
        if (!transactions.some(isLocal)) return
        const { n } = state.field(marks)
        const done = () => {
          if (!gone && view.state.field(marks).waiting.some(range => range.n <= n)) view.dispatch({ effects: committed.of(n) })
        }
        // the document has it when this task is over
        setTimeout(() => { doc.saved().then(done, done) }, 0)
      },
      destroy () { gone = true }
    }
  })
  return [marks, signs, follow]
}

/** @param {EditorView} view how much of the text waits, for tests and the page */
export const waitingIn = view => view.state.field(marks).waiting

