/** An editor that shows a text of the past and cannot be typed into. */

import { EditorState, StateEffect, StateField } from '@codemirror/state'
import { Decoration, EditorView } from '@codemirror/view'
import { author, authors, authorsIn, isColored, setRuns } from '../editor/authors.js'
import { lazyLanguage } from '../editor/language.js'
import { setup } from '../editor/setup.js'

/** @import { Change } from 'converge-client' */
/** @import { Run } from '../editor/authors.js' */

/** @type {import('@codemirror/state').StateEffectType<{ kind: 'same' | 'new' | 'old', text: string }[] | null>} */
const setPieces = StateEffect.define()
const NEW = Decoration.mark({ class: 'diff-new', tagName: 'ins' })
const OLD = Decoration.mark({ class: 'diff-old', tagName: 'del' })

/** @type {StateField<import('@codemirror/view').DecorationSet>} */
const difference = StateField.define({
  create: () => Decoration.none,
  update (marks, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(setPieces)) continue
      let at = 0
      const ranges = (effect.value ?? []).flatMap(({ kind, text }) => {
        const from = at
        at += text.length
        return kind === 'same' ? [] : [(kind === 'new' ? NEW : OLD).range(from, at)]
      })
      return Decoration.set(ranges)
    }
    return transaction.docChanged ? marks.map(transaction.changes) : marks
  },
  provide: field => EditorView.decorations.from(field)
})

export class PastEditor {
  /** @param {HTMLElement} parent @param {(selected: { from: number, to: number } | null) => void} onSelect */
  constructor (parent, onSelect) {
    const spoken = this.spoken = lazyLanguage()
    this.view = new EditorView({
      parent,
      state: EditorState.create({
        extensions: [
          EditorState.readOnly.of(true), EditorView.editable.of(false),
          EditorView.contentAttributes.of({ 'aria-readonly': 'true', 'aria-label': 'The text as it was' }),
          spoken.extension, authors(), difference, setup({ live: false }),
          EditorView.updateListener.of(({ state, selectionSet, docChanged }) => {
            const { from, to } = state.selection.main
            if (selectionSet || docChanged) onSelect(from === to ? null : { from, to })
          })
        ]
      })
    })
  }

  /** In the language of the living text. @param {string} title @param {string} chosen */
  speak (title, chosen) {
    this.spoken.speak(this.view, title, chosen).catch(() => {})
  }

  get text () {
    return this.view.state.doc.toString()
  }

  /** @param {string} text @param {Run[] | null} runs @param {number} version */
  show (text, runs, version) {
    this.#replace(text, [setRuns.of(runs && { runs, newest: version }), setPieces.of(null)])
  }

  /** @param {Run[]} runs of the text that is shown @param {number} version */
  color (runs, version) {
    this.view.dispatch({ effects: setRuns.of({ runs, newest: version }) })
  }

  /**
   * Go on by one operation.
   * @param {Change[]} changes
   * @param {{ userId: string, version: number, at: string }} entry
   */
  step (changes, entry) {
    const set = this.view.state.changes(changes)
    const last = changes.at(-1)
    this.view.dispatch({
      changes: set,
      annotations: author.of(entry),
      // a place in the text that comes, which may be far shorter
      effects: last ? EditorView.scrollIntoView(set.mapPos(last.from, -1), { y: 'nearest', yMargin: 60 }) : []
    })
  }

  /** Select a part and have it in sight. @param {number} from in code points, like length @param {number} length */
  select (from, length) {
    const points = [...this.text.slice(0, 2 * (from + length))]
    const anchor = points.slice(0, from).join('').length
    const head = anchor + points.slice(from, from + length).join('').length
    this.view.dispatch({ selection: { anchor, head }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) })
  }

  /** @param {{ kind: 'same' | 'new' | 'old', text: string }[]} pieces */
  compare (pieces) {
    let first = 0
    for (const { kind, text } of pieces) {
      if (kind !== 'same') break
      first += text.length
    }
    const text = pieces.map(({ text }) => text).join('')
    this.#replace(text, [setRuns.of(null), setPieces.of(pieces), EditorView.scrollIntoView(Math.min(first, text.length), { y: 'center' })])
  }

  /** Replace what differs, so that the place that is looked at stays. @param {string} text @param {StateEffect<any>[]} effects */
  #replace (text, effects) {
    const { doc } = this.view.state
    const before = doc.toString()
    const most = Math.min(before.length, text.length)
    let from = 0
    while (from < most && before.charCodeAt(from) === text.charCodeAt(from)) from++
    let same = 0
    while (same < most - from && before.charCodeAt(before.length - same - 1) === text.charCodeAt(text.length - same - 1)) same++
    this.view.dispatch({ changes: { from, to: before.length - same, insert: text.slice(from, text.length - same) }, effects })
  }

  /** Whether the authors of what is shown are. */
  get colored () {
    return isColored(this.view)
  }

  get authors () {
    return authorsIn(this.view)
  }

  destroy () {
    this.view.destroy()
  }
}
