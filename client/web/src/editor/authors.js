/**
 * Who wrote what: the text on each author's colour, which fades with its age, kept while the
 * text changes.
 */

import { Annotation, RangeSet, StateEffect, StateField } from '@codemirror/state'
import { Decoration, EditorView, hoverTooltip } from '@codemirror/view'
import { slotOf } from '../app/colors.js'
import { called } from '../app/names.js'

/** @import { DecorationSet } from '@codemirror/view' */

/** @typedef {{ content: string, userId: string | null, version: number | null, at: string | null }} Run as the route `blame` gives them */

/**
 * The runs of the whole text as of a version, the newest; null: no colours.
 * @type {import('@codemirror/state').StateEffectType<{ runs: Run[], newest: number } | null>}
 */
export const setRuns = StateEffect.define()

/** Who made a transaction's changes. @type {import('@codemirror/state').AnnotationType<{ userId: string | null, version?: number, at?: string }>} */
export const author = Annotation.define()

/** As parts of all versions: what is younger is not faded, faded once, twice; the rest thrice. */
const AGES = [0.08, 0.3, 0.6]
/** So many versions are young in any document. */
const YOUNG = 20

/**
 * The classes of what a user wrote in a version.
 * @param {{ userId: string | null, version?: number | null }} run
 * @param {number} newest
 */
export function markOf ({ userId, version }, newest) {
  const behind = version == null ? newest : newest - version
  const age = behind <= YOUNG ? 0 : AGES.filter(part => behind > part * newest).length
  return `by by-${userId === null ? 'none' : slotOf(userId)}${age > 0 ? ` age-${age}` : ''}`
}

/** @param {{ userId: string | null, version?: number | null, at?: string | null }} run @param {number} newest */
const mark = (run, newest) => Decoration.mark({ class: markOf(run, newest), userId: run.userId, version: run.version, at: run.at })

/** @typedef {{ marks: DecorationSet, newest: number, aged: number }} Colors `aged`: the newest version when all were faded last */

/** @param {Run[]} runs @param {number} newest @param {number} length @returns {Colors} */
function colored (runs, newest, length) {
  /** @type {import('@codemirror/state').Range<Decoration>[]} */
  const ranges = []
  let from = 0
  for (const run of runs) {
    const to = Math.min(length, from + run.content.length)
    if (to > from && run.userId !== null) ranges.push(mark(run, newest).range(from, to))
    from = to
  }
  return { marks: RangeSet.of(ranges, true), newest, aged: newest }
}

/** Fade all anew where many versions have come. @param {Colors} colors @returns {Colors} */
function aged ({ marks, newest, aged }) {
  if (newest <= aged * 1.05 + YOUNG) return { marks, newest, aged }
  /** @type {import('@codemirror/state').Range<Decoration>[]} */
  const ranges = []
  for (const at = marks.iter(); at.value !== null; at.next()) ranges.push(mark(at.value.spec, newest).range(at.from, at.to))
  return { marks: RangeSet.of(ranges), newest, aged: newest }
}

/** @param {Colors} colors @param {import('@codemirror/state').Transaction} transaction @returns {Colors} */
function followed ({ marks, newest, aged: before }, transaction) {
  const by = transaction.annotation(author)
  marks = marks.map(transaction.changes)
  if (!by || by.userId === null) return { marks, newest, aged: before }
  newest = Math.max(newest, by.version ?? 0)
  /** @type {import('@codemirror/state').Range<Decoration>[]} */
  const add = []
  transaction.changes.iterChangedRanges((_fromA, _toA, from, to) => { if (to > from) add.push(mark(by, newest).range(from, to)) })
  return aged({ marks: marks.update({ add }), newest, aged: before })
}

/** @type {StateField<Colors | null>} */
const field = StateField.define({
  create: () => /** @type {Colors | null} */ (null),
  update (colors, transaction) {
    if (colors !== null && transaction.docChanged) colors = followed(colors, transaction)
    for (const effect of transaction.effects) {
      if (effect.is(setRuns)) colors = effect.value === null ? null : colored(effect.value.runs, effect.value.newest, transaction.newDoc.length)
    }
    return colors
  },
  provide: field => EditorView.decorations.from(field, colors => colors?.marks ?? Decoration.none)
})

const who = hoverTooltip((view, pos) => {
  const marks = view.state.field(field)?.marks
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
  view.state.field(field)?.marks.between(0, view.state.doc.length, (from, to, { spec }) => { lengths.set(spec.userId, (lengths.get(spec.userId) ?? 0) + to - from) })
  return [...lengths].sort((a, b) => b[1] - a[1]).map(([userId]) => userId)
}

/** @param {EditorView} view whether it shows authors at all */
export const isColored = view => view.state.field(field) !== null
