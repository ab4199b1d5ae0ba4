/**
 * What is said beside a text, shown in a CodeMirror 6 editor: passages of threads, and
 * suggestions as what they would delete and insert.
 *
 *     import { converge } from 'converge-client/codemirror'
 *     import { talk } from 'converge-client/codemirror-talk'
 *     extensions: [converge(document), talk(document, { onThread: id => show(id) })]
 *
 * Keys: Alt-ArrowDown and Alt-ArrowUp go to the next and the last thread or suggestion; on a
 * suggestion Mod-Alt-Enter accepts it, and Mod-Alt-Backspace rejects it (or withdraws one's
 * own); Mod-Alt-m calls `onComment` with what is selected. With `suggesting`, what is typed
 * becomes a suggestion instead of an edit.
 */

import { EditorState, Prec, StateEffect, StateField } from '@codemirror/state'
import { Decoration, EditorView, keymap, ViewPlugin, WidgetType } from '@codemirror/view'
import { decide, read, spotAt, spotFrom } from './editors/spots.js'

/** @import { ChangeSet, Extension, Range } from '@codemirror/state' */
/** @import { DecorationSet } from '@codemirror/view' */
/** @import { Document } from './document.js' */
/** @import { Shown, Spot } from './editors/spots.js' */

/**
 * @typedef {object} TalkOptions
 * @property {(id: string) => void} [onThread] the cursor has come into a thread's passage
 * @property {(id: string) => void} [onSuggestion] ... or to a suggestion
 * @property {(range: { from: number, to: number }) => void} [onComment] a comment is wanted there
 * @property {boolean} [suggesting] what is typed becomes a suggestion, also of those who must not edit
 * @property {boolean} [resolved] show threads that are resolved, too
 */

const fresh = /** @type {import('@codemirror/state').StateEffectType<Shown>} */ (StateEffect.define())
/** Show a thread or suggestion as the one that is looked at; null: none. */
export const focusTalk = /** @type {import('@codemirror/state').StateEffectType<string | null>} */ (StateEffect.define())

/** What a suggestion would insert. */
class Insertion extends WidgetType {
  /** @param {string} id @param {string} text @param {boolean} active */
  constructor (id, text, active) {
    super()
    this.id = id
    this.text = text
    this.active = active
  }

  /** @param {Insertion} other */
  eq (other) {
    return this.id === other.id && this.text === other.text && this.active === other.active
  }

  toDOM () {
    const element = document.createElement('ins')
    element.className = `cm-suggested${this.active ? ' cm-talk-active' : ''}`
    element.textContent = this.text
    element.dataset.suggestion = this.id
    return element
  }

  ignoreEvent () {
    return false
  }
}

/** @param {Shown} shown @param {string | null} active @returns {DecorationSet} */
function draw ({ spots, inserts, deletes }, active) {
  /** @type {Range<Decoration>[]} */
  const ranges = []
  for (const { id, kind, from, to } of spots) {
    if (kind === 'thread') ranges.push(Decoration.mark({ class: `cm-thread${id === active ? ' cm-talk-active' : ''}`, attributes: { 'data-thread': id } }).range(from, to))
  }
  for (const { id, from, to } of deletes) ranges.push(Decoration.mark({ tagName: 'del', class: `cm-deleted${id === active ? ' cm-talk-active' : ''}`, attributes: { 'data-suggestion': id } }).range(from, to))
  for (const { at, id, text } of inserts) ranges.push(Decoration.widget({ widget: new Insertion(id, text, id === active), side: 1 }).range(at))
  return Decoration.set(ranges, true)
}

/** @param {Shown} shown @param {ChangeSet} changes @returns {Shown} */
const mapped = ({ spots, inserts, deletes }, changes) => {
  /** @param {Spot} spot */
  const move = spot => ({ ...spot, from: changes.mapPos(spot.from, 1), to: changes.mapPos(spot.to, -1) })
  /** @param {Spot} spot */
  const there = ({ from, to, kind }) => from < to || (kind === 'suggestion' && from === to)
  return {
    spots: spots.map(move).map(spot => ({ ...spot, to: Math.max(spot.from, spot.to) })).filter(there),
    deletes: deletes.map(move).filter(({ from, to }) => from < to),
    inserts: inserts.map(insert => ({ ...insert, at: changes.mapPos(insert.at) }))
  }
}

/** A suggestion that is being typed: what it deletes, and inserts behind that. @typedef {{ from: number, to: number, insert: string }} Draft */

const setDraft = /** @type {import('@codemirror/state').StateEffectType<Draft | null>} */ (StateEffect.define())
/** What is typed becomes a suggestion after such a pause. */
const PAUSE_MS = 3000

/** @param {Draft | null} draft @param {Draft} change what is typed now @returns {Draft | null} both as one, if they are one */
function joined (draft, { from, to, insert }) {
  if (!draft) return null
  const at = [draft.from, draft.to]
  if (from === to && at.includes(from)) return { ...draft, insert: draft.insert + insert }
  if (insert) return null
  if (draft.insert && at.includes(to)) return { ...draft, insert: [...draft.insert].slice(0, -1).join('') }
  if (to === draft.from) return { ...draft, from }
  return from === draft.to ? { ...draft, to } : null
}

/**
 * What is typed is a suggestion: proposed when the cursor goes elsewhere, after a pause or by
 * Mod-Enter, and forgotten by Escape.
 * @param {Document} doc
 * @returns {Extension}
 */
function drafting (doc) {
  /** @param {Draft | null} draft */
  const propose = draft => {
    if (draft && (draft.insert || draft.from < draft.to)) doc.suggestions.add(draft).catch(() => {}) // `rejected` says so
  }
  /** @type {StateField<Draft | null>} */
  const field = StateField.define({
    create: () => /** @type {Draft | null} */ (null),
    update (draft, { changes, docChanged, effects }) {
      if (draft && docChanged) draft = { ...draft, from: changes.mapPos(draft.from, 1), to: Math.max(changes.mapPos(draft.from, 1), changes.mapPos(draft.to, -1)) }
      for (const effect of effects) if (effect.is(setDraft)) draft = effect.value
      return draft
    },
    provide: own => EditorView.decorations.from(own, draft => {
      if (!draft) return Decoration.none
      const { from, to, insert } = draft
      const ranges = from < to ? [Decoration.mark({ tagName: 'del', class: 'cm-deleted cm-talk-active' }).range(from, to)] : []
      if (insert) ranges.push(Decoration.widget({ widget: new Insertion('', insert, true), side: -1 }).range(to))
      return Decoration.set(ranges)
    })
  })

  const filter = EditorState.transactionFilter.of(transaction => {
    if (!transaction.docChanged) return transaction
    let draft = transaction.startState.field(field)
    transaction.changes.iterChanges((from, to, _from, _to, text) => {
      const change = { from, to, insert: text.toString() }
      const both = joined(draft, change)
      if (!both) propose(draft)
      draft = both ?? change
    })
    const { insert = '', from = 0, to = 0 } = draft ?? {}
    return { selection: { anchor: insert ? to : from }, effects: setDraft.of(draft), scrollIntoView: true }
  })

  /** @param {EditorView} view @param {boolean} keep */
  const finish = (view, keep) => {
    const draft = view.state.field(field)
    if (!draft) return false
    view.dispatch({ effects: setDraft.of(null) })
    if (keep) propose(draft)
    return true
  }

  const watch = ViewPlugin.define(view => {
    /** @type {any} */
    let timer
    return {
      update ({ state, startState, selectionSet }) {
        const draft = state.field(field)
        if (!draft) return clearTimeout(timer)
        const { from, to } = state.selection.main
        if (selectionSet && (from !== to || (from !== draft.from && from !== draft.to))) Promise.resolve().then(() => finish(view, true))
        if (draft !== startState.field(field)) {
          clearTimeout(timer)
          timer = setTimeout(() => finish(view, true), PAUSE_MS)
        }
      },
      destroy () {
        clearTimeout(timer)
        propose(view.state.field(field, false) ?? null)
      }
    }
  })

  /** @param {boolean} keep */
  const key = keep => (/** @type {EditorView} */ view) => finish(view, keep)
  return [
    field, filter, watch,
    Prec.highest([
      // who may not edit may still propose
      EditorView.editable.of(true),
      EditorState.readOnly.of(false),
      keymap.of([{ key: 'Mod-Enter', run: key(true) }, { key: 'Escape', run: key(false) }, { key: 'Mod-z', run: view => finish(view, false) || !doc.canEdit }]),
      EditorView.domEventHandlers({
        blur: (_, view) => { finish(view, true) },
        // there is nothing of one's own to undo
        beforeinput: ({ inputType }) => inputType.startsWith('history') && !doc.canEdit
      })
    ])
  ]
}

/**
 * Show what is said beside a document in an editor of it.
 * @param {Document} doc
 * @param {TalkOptions} [options]
 * @returns {Extension}
 */
export function talk (doc, options = {}) {
  /** @type {StateField<{ shown: Shown, active: string | null, drawn: DecorationSet }>} */
  const field = StateField.define({
    create: state => {
      const shown = read(doc, options, state.doc.length)
      return { shown, active: /** @type {string | null} */ (null), drawn: draw(shown, null) }
    },
    update (value, { changes, effects, docChanged }) {
      let { shown, active } = value
      if (docChanged) shown = mapped(shown, changes)
      for (const effect of effects) {
        if (effect.is(fresh)) shown = effect.value
        if (effect.is(focusTalk)) active = effect.value
      }
      return shown === value.shown && active === value.active ? value : { shown, active, drawn: draw(shown, active) }
    },
    provide: own => EditorView.decorations.from(own, ({ drawn }) => drawn)
  })

  const watch = ViewPlugin.define(view => {
    let due = false
    let gone = false
    const look = () => {
      if (due) return
      due = true
      // after the text itself has come
      setTimeout(() => {
        due = false
        if (!gone && view.state.doc.length === doc.length) view.dispatch({ effects: fresh.of(read(doc, options, view.state.doc.length)) })
      }, 0)
    }
    const offs = [doc.on('thread', look), doc.on('comment', look), doc.on('suggestion', look), doc.on('rejected', look), doc.on('change', ({ origin }) => { if (origin === 'remote') look() })]
    for (const part of [doc.comments, doc.suggestions]) part.loaded.then(look, () => {})
    return {
      update ({ selectionSet, docChanged, state }) {
        // an orphan may be back, a suggestion be another
        if (docChanged) look()
        if (!selectionSet || docChanged) return
        const spot = at(state)
        if (spot) (spot.kind === 'thread' ? options.onThread : options.onSuggestion)?.(spot.id)
      },
      destroy () {
        gone = true
        for (const off of offs) off()
      }
    }
  })

  /** The spot where the cursor is. @param {EditorState} state */
  const at = state => spotAt(state.field(field).shown, state.selection.main.head)

  /** @param {1 | -1} way @returns {import('@codemirror/view').Command} */
  const step = way => view => {
    const next = spotFrom(view.state.field(field).shown, view.state.selection.main.head, way)
    if (!next) return false
    view.dispatch({ selection: { anchor: next.from }, scrollIntoView: true, effects: focusTalk.of(next.id) })
    return true
  }

  return [
    field,
    watch,
    options.suggesting ? drafting(doc) : [],
    Prec.high(keymap.of([
      { key: 'Alt-ArrowDown', run: step(1) },
      { key: 'Alt-ArrowUp', run: step(-1) },
      { key: 'Mod-Alt-Enter', run: ({ state }) => decide(doc, at(state), true) },
      { key: 'Mod-Alt-Backspace', run: ({ state }) => decide(doc, at(state), false) },
      {
        key: 'Mod-Alt-m',
        run: ({ state }) => {
          const { from, to, empty } = state.selection.main
          if (empty || !options.onComment) return false
          options.onComment({ from, to })
          return true
        }
      }
    ])),
    EditorView.baseTheme({
      '.cm-thread': { backgroundColor: '#ffd54a55', borderBottom: '2px solid #b78103' },
      '.cm-suggested': { textDecoration: 'none', color: '#1f6f3f', borderBottom: '2px solid #1f6f3f' },
      '.cm-deleted': { textDecoration: 'line-through', color: '#a11b14' },
      '&dark .cm-suggested': { color: '#7fd39b', borderColor: '#7fd39b' },
      '&dark .cm-deleted': { color: '#ff9d94' },
      '.cm-talk-active': { outline: '2px solid currentColor' }
    })
  ]
}
