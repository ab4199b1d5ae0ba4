/** Who wrote what: the text on each author's colour, kept while it changes. */

import { Annotation, RangeSet, StateEffect, StateField } from '@codemirror/state'
import { Decoration, EditorView, hoverTooltip } from '@codemirror/view'
import { slotOf } from '../app/colors.js'
import { called } from '../app/names.js'

/** @import { DecorationSet } from '@codemirror/view' */

/** @typedef {{ content: string, userId: string | null, version: number | null, at: string | null }} Run as the route `blame` gives them */

/** The runs of the whole text, or null: no colours. @type {import('@codemirror/state').StateEffectType<Run[] | null>} */
export const setRuns = StateEffect.define()

/** Who made a transaction's changes. @type {import('@codemirror/state').AnnotationType<{ userId: string | null, version?: number, at?: string }>} */
export const author = Annotation.define()

/** @param {string | null} userId @param {number | null} [version] @param {string | null} [at] */
const mark = (userId, version, at) => Decoration.mark({ class: `by by-${userId === null ? 'none' : slotOf(userId)}`, userId, version, at })

/** @param {Run[]} runs @param {number} length */
function colored (runs, length) {
  /** @type {import('@codemirror/state').Range<Decoration>[]} */
  const ranges = []
  let from = 0
  for (const { content, userId, version, at } of runs) {
    const to = Math.min(length, from + content.length)
    if (to > from && userId !== null) ranges.push(mark(userId, version, at).range(from, to))
    from = to
  }
  return RangeSet.of(ranges, true)
}

/** @type {StateField<DecorationSet | null>} */
const field = StateField.define({
  create: () => /** @type {DecorationSet | null} */ (null),
  update (marks, transaction) {
    if (marks !== null && transaction.docChanged) {
      const by = transaction.annotation(author)
      marks = marks.map(transaction.changes)
      if (by && by.userId !== null) {
        /** @type {import('@codemirror/state').Range<Decoration>[]} */
        const add = []
        transaction.changes.iterChangedRanges((_fromA, _toA, from, to) => { if (to > from) add.push(mark(by.userId, by.version, by.at).range(from, to)) })
        marks = marks.update({ add })
      }
    }
    for (const effect of transaction.effects) {
      if (effect.is(setRuns)) marks = effect.value === null ? null : colored(effect.value, transaction.newDoc.length)
    }
    return marks
  },
  provide: field => EditorView.decorations.from(field, marks => marks ?? Decoration.none)
})

const who = hoverTooltip((view, pos) => {
  const marks = view.state.field(field)
  /** @type {any} */
  let found = null
  marks?.between(pos, pos, (from, to, { spec }) => { found = { from, to, spec } })
  if (found === null) return null
  const { userId, version, at } = found.spec
  return {
    pos: found.from,
    end: found.to,
    above: true,
    create () {
      const dom = document.createElement('div')
      dom.className = 'who'
      dom.textContent = [called(userId), at && new Date(at).toLocaleString(), version != null && `version ${version}`].filter(Boolean).join(' · ')
      return { dom }
    }
  }
}, { hoverTime: 250 })

/** Colours that `setRuns` switches on, with the author's name where the pointer rests. */
export const authors = () => [field, who]

/** @param {EditorView} view the authors who are seen in it, most text first */
export function authorsIn (view) {
  /** @type {Map<string, number>} */
  const lengths = new Map()
  view.state.field(field)?.between(0, view.state.doc.length, (from, to, { spec }) => { lengths.set(spec.userId, (lengths.get(spec.userId) ?? 0) + to - from) })
  return [...lengths].sort((a, b) => b[1] - a[1]).map(([userId]) => userId)
}
