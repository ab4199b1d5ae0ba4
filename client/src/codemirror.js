/**
 * A CodeMirror 6 editor on a Document.
 *
 *     import { converge } from 'converge-client/codemirror'
 *     const document = client.open(id)
 *     const view = new EditorView({ parent, extensions: [converge(document), minimalSetup] })
 *
 * The editor may be made before the document is loaded, and shows its text once it is. It
 * is read-only while the user must not edit. Undo and redo are the document's.
 */

import { Annotation, ChangeSet, EditorSelection, EditorState, Prec, StateEffect, StateField, Transaction } from '@codemirror/state'
import { EditorView, keymap, layer, logException, RectangleMarker, ViewPlugin } from '@codemirror/view'
import { colorOf, nameOf, textOn } from './editors/people.js'
import { more } from './core/more.js'
import { difference as textDifference, Text as Chunks, UNFIT } from './ot/index.js'

/** @import { Extension, Text, TransactionSpec } from '@codemirror/state' */
/** @import { LayerMarker, ViewUpdate } from '@codemirror/view' */
/** @import { ChangeEvent, Document } from './document.js' */
/** @import { User } from './core/presence.js' */
/** @import { Change } from './ot/text.js' */

/** Others' edits are read out at most so often. */
const ANNOUNCE_MS = 10_000
/** CodeMirror reads what was composed only then. */
const COMPOSED_MS = 50

/** @type {Record<string, string>} */
const WRITABLE = {}
/** Who must not edit can still move through the text by keys. */
const READ_ONLY = { tabindex: '0' }

/** On transactions that bring the document's text into the editor: the view's binding. */
const arrival = /** @type {import('@codemirror/state').AnnotationType<Binding>} */ (Annotation.define())
/** Whether the user may edit has changed. */
const allowed = /** @type {import('@codemirror/state').StateEffectType<boolean>} */ (StateEffect.define())
/** Somebody has come, gone or moved. */
const moved = /** @type {import('@codemirror/state').StateEffectType<null>} */ (StateEffect.define())

/**
 * Changes as CodeMirror has them, on a text of some length.
 * @param {readonly Change[]} changes
 * @param {number} length
 */
const changeSet = (changes, length) => ChangeSet.of(changes, length, '\n')

/**
 * Changes as the document has them.
 * @param {ChangeSet} set
 */
function changesOf (set) {
  /** @type {Change[]} */
  const changes = []
  set.iterChanges((from, to, _from, _to, text) => changes.push({ from, to, insert: text.sliceString(0, text.length, '\n') }))
  return changes
}

/**
 * What makes one text of another.
 * @param {Text} text
 * @param {string} wanted
 */
function difference (text, wanted) {
  // no document has U+0000 in it
  const have = text.sliceString(0, text.length, '\n').replace(UNFIT, '\0')
  return changeSet(Chunks.of(have).apply(textDifference(have, wanted, more?.way)).changes, have.length)
}

/**
 * Keeps a view and a document the same. `base` is a text that both have grown from: `typed`
 * leads to the view's, `came` to the document's. Usually both are empty. What came waits
 * for the end of a composition that it touches, and for the end of the task, so that a
 * message from the server is one transaction; what was typed waits while the document is
 * telling of a change that has not been heard of here.
 */
class Binding {
  /** @param {EditorView} view @param {Document} document @param {StateField<boolean>} writable */
  constructor (view, document, writable) {
    this.view = view
    this.document = document
    this.writable = writable
    /** @type {Text} */
    this.base = view.state.doc
    this.typed = this.came = this.rest = ChangeSet.empty(this.base.length)
    /** @type {ChangeEvent[] | null} what the document tells while it takes what was typed */
    this.told = null
    this.bound = false
    this.scheduled = false
    this.destroyed = false
    this.redraw = false // somebody has moved
    this.jump = false // an undo came: show where
    this.say = this.said = false // the own cursor has moved, and was told before
    this.announcedAt = 0
    this.authors = new Set()
    /** @type {Map<string, { head: number, stamp: number }>} where carets were drawn, and how often their users moved them */
    this.places = new Map()

    if (document.sync.state !== null) this.bind()
    else document.loaded.then(() => this.bind(), () => {})
    this.offs = [
      document.on('change', event => this.changed(event)),
      document.on('presence', () => {
        this.redraw = true
        this.schedule()
      }),
      document.on('role', () => this.schedule()),
      document.on('closed', () => this.schedule())
    ]
  }

  destroy () {
    this.destroyed = true
    for (const off of this.offs) off()
    if (this.said) this.document.presence.set({ cursor: null })
  }

  /** The document has a text: the view's becomes the same. */
  bind () {
    if (this.bound || this.destroyed) return
    this.bound = true
    this.base = this.view.state.doc
    this.typed = ChangeSet.empty(this.base.length)
    this.came = difference(this.base, this.document.text)
    this.redraw = true
    this.schedule()
  }

  schedule () {
    if (this.scheduled) return
    this.scheduled = true
    Promise.resolve().then(() => {
      this.scheduled = false
      this.flush()
    })
  }

  /** Whether the user may edit. */
  get may () {
    return this.bound && this.document.canEdit
  }

  // ---- from the document ----

  /** @param {ChangeEvent} event */
  changed (event) {
    if (!this.bound || event.source === this) return
    if (this.told !== null) return void this.told.push(event)
    this.came = this.came.compose(changeSet(event.changes, this.came.newLength))
    if (event.undo) this.jump = true
    if (event.origin === 'remote') this.authors.add(event.userId)
    this.schedule()
  }

  /** Bring what came into the view. */
  flush () {
    if (this.destroyed) return
    this.drain()
    if (!this.typed.empty && this.bound) return
    const { view, jump, redraw } = this
    const [now, rest] = this.ready()
    /** @type {StateEffect<any>[]} */
    const effects = []
    if (view.state.field(this.writable) !== this.may) effects.push(allowed.of(this.may))
    if (redraw) effects.push(moved.of(null))
    this.redraw = false
    if (redraw) this.follow()
    if (now.empty) {
      if (effects.length > 0) view.dispatch({ effects })
      return
    }
    effects.push(...this.announcement(now))
    this.rest = rest
    this.jump = false
    /** @type {TransactionSpec} */
    const spec = {
      changes: now,
      effects,
      filter: false,
      annotations: [arrival.of(this), Transaction.remote.of(!jump), Transaction.addToHistory.of(false)]
    }
    if (jump) Object.assign(spec, { selection: { anchor: ends(now) }, scrollIntoView: true, userEvent: 'undo' })
    view.dispatch(spec)
  }

  /**
   * Cut what came in what may be shown now, and what touches a line that is being composed.
   * @returns {[ChangeSet, ChangeSet]}
   */
  ready () {
    const { came, view: { state, composing, compositionStarted } } = this
    const none = ChangeSet.empty(came.newLength)
    if (came.empty || !(composing || compositionStarted)) return [came, none]
    const { from, to } = state.selection.main
    const first = state.doc.lineAt(from).from
    const last = state.doc.lineAt(to).to
    const touches = (/** @type {Change} */ change) => change.to >= first && change.from <= last
    const changes = changesOf(came)
    const now = changeSet(changes.filter(change => !touches(change)), came.length)
    return [now, changeSet(changes.filter(touches), came.length).map(now)]
  }

  // ---- from the view ----

  /** @param {ViewUpdate} update */
  update (update) {
    let local = update.focusChanged
    for (const transaction of update.transactions) {
      const { changes, newDoc, docChanged, selection } = transaction
      if (docChanged && transaction.annotation(arrival) === this) {
        // nothing was typed that the document has not, or it would not have come
        this.base = newDoc
        this.came = this.rest
        this.typed = ChangeSet.empty(newDoc.length)
      } else if (docChanged) this.typed = this.typed.compose(changes)
      local ||= transaction.annotation(arrival) !== this && (docChanged || selection !== undefined)
      if (docChanged) for (const place of this.places.values()) place.head = changes.mapPos(place.head, -1)
    }
    if (local && update.view.hasFocus) this.say = true
    if (!this.came.empty || update.state.field(this.writable) !== this.may) this.schedule()
  }

  /** Give the document what was typed, and others the cursor. */
  drain () {
    const { view, document } = this
    if (!this.bound || this.destroyed || this.told !== null) return
    if (document.telling) return this.schedule()
    if (!this.typed.empty) this.edit()
    if (!this.say || !this.typed.empty) return
    this.say = false
    this.said = true
    const { anchor, head } = view.state.selection.main
    document.presence.set({ cursor: { anchor: this.came.mapPos(anchor), head: this.came.mapPos(head) } })
  }

  edit () {
    const { base, typed, came } = this
    const own = typed.map(came, true)
    const wanted = changesOf(own)
    this.base = this.view.state.doc
    this.typed = ChangeSet.empty(typed.newLength)
    this.came = came.map(typed)
    this.told = []
    /** @type {readonly Change[]} */
    let made = []
    try {
      made = this.document.edit(wanted, { source: this }).changes
    } catch (error) {
      // it must not be: the view takes it back
      logException(this.view.state, error, 'converge')
    }
    if (!same(made, wanted)) {
      const before = came.apply(base)
      const mend = own.invert(before).compose(changeSet(made, before.length))
      // as replacements, so that a cursor behind one stays behind it
      this.came = this.came.compose(changeSet(changesOf(mend), mend.length))
      this.schedule()
    }
    const { told } = this
    this.told = null
    for (const event of told) this.changed(event)
  }

  // ---- others ----

  /** @returns {(User & { head: number, anchor: number })[]} those with a cursor, in the view's text */
  others () {
    if (!this.bound) return []
    const { typed, came: { invertedDesc }, view: { state: { doc: { length } } } } = this
    /** @param {number} position */
    const place = position => Math.min(length, typed.mapPos(invertedDesc.mapPos(Math.min(position, invertedDesc.length))))
    return this.document.presence.users.flatMap(user => user.cursor ? [{ ...user, anchor: place(user.cursor.anchor), head: place(user.cursor.head) }] : [])
  }

  /** Note whose caret is elsewhere than the text alone would have moved it. */
  follow () {
    const places = new Map()
    for (const { clientId, head } of this.others()) {
      const { head: before = -1, stamp = 0 } = this.places.get(clientId) ?? {}
      places.set(clientId, { head, stamp: before === head ? stamp : stamp + 1 })
    }
    this.places = places
  }

  /**
   * What to read out of changes, now and then.
   * @param {ChangeSet} changes
   */
  announcement (changes) {
    const { view, document, authors } = this
    const at = Date.now()
    if (authors.size === 0 || !view.hasFocus || at - this.announcedAt < ANNOUNCE_MS) return []
    this.announcedAt = at
    const names = document.presence.users.filter(({ userId }) => authors.has(userId)).map(nameOf)
    authors.clear()
    const line = changes.apply(view.state.doc).lineAt(ends(changes)).number
    return [EditorView.announce.of(view.state.phrase('$1 changed line $2', [...new Set(names)].join(', ') || view.state.phrase('Someone'), line))]
  }
}

/**
 * Where the last of some changes ends, in the text after them.
 * @param {ChangeSet} changes
 */
function ends (changes) {
  let end = 0
  changes.iterChangedRanges((_fromA, _toA, _fromB, toB) => { end = toB })
  return end
}

/** @param {readonly Change[]} a @param {readonly Change[]} b */
const same = (a, b) => a.length === b.length && a.every(({ from, to, insert }, i) => from === b[i].from && to === b[i].to && insert === b[i].insert)

// ---- carets and selections ----

/** @implements {LayerMarker} */
class Mark {
  /**
   * @param {RectangleMarker} box
   * @param {string} color
   * @param {string} [name] of a caret
   * @param {string} [key] whose it is, and of which move
   */
  constructor ({ left, top, width, height }, color, name, key) {
    this.box = [left, top, width ?? -1, height]
    this.color = color
    this.name = name
    this.key = key
  }

  /** @param {Mark} other */
  eq ({ box, color, name, key }) {
    return this.key === key && this.name === name && this.color === color && this.box.every((n, i) => n === box[i])
  }

  draw () {
    const element = document.createElement('div')
    element.className = `cm-converge-${this.name === undefined ? 'selection' : 'caret'}`
    if (this.name !== undefined) element.appendChild(document.createElement('span')).textContent = this.name
    this.adjust(element)
    return element
  }

  /** @param {HTMLElement} element @param {Mark} before */
  update (element, { name, key }) {
    if (this.name !== name || this.key !== key) return false
    this.adjust(element)
    return true
  }

  /** @param {HTMLElement} element */
  adjust ({ style, classList }) {
    const [left, top, width, height] = this.box
    style.left = `${left}px`
    style.top = `${top}px`
    style.height = `${height}px`
    if (width >= 0) style.width = `${width}px`
    style.setProperty('--converge-color', this.color)
    style.setProperty('--converge-text', textOn(this.color))
    classList.toggle('cm-converge-low', top < height)
  }
}

/**
 * The boxes of a range as far as it is in sight.
 * @param {EditorView} view
 * @param {number} from
 * @param {number} to
 */
function boxes (view, from, to) {
  const { viewport } = view
  if (to < viewport.from || from > viewport.to) return []
  const range = from === to ? EditorSelection.cursor(from) : EditorSelection.range(Math.max(from, viewport.from), Math.min(to, viewport.to))
  return RectangleMarker.forRange(view, '', range)
}

const theme = EditorView.baseTheme({
  '.cm-converge-selection': { background: 'var(--converge-color)', opacity: 0.25 },
  '.cm-converge-cursors': { pointerEvents: 'none' },
  '.cm-converge-caret': { borderLeft: '2px solid var(--converge-color)', marginLeft: '-1px' },
  '.cm-converge-caret > span': {
    position: 'absolute',
    bottom: '100%',
    left: '-2px',
    padding: '0 4px',
    font: '12px/1.3 system-ui, sans-serif',
    whiteSpace: 'nowrap',
    maxWidth: '16em',
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    color: 'var(--converge-text)',
    background: 'var(--converge-color)',
    borderRadius: '3px 3px 3px 0',
    animation: 'cm-converge-fade 4s forwards'
  },
  '.cm-converge-low > span': { bottom: 'auto', top: '100%', borderRadius: '0 3px 3px 3px' },
  '@keyframes cm-converge-fade': { '80%': { opacity: 1 }, '100%': { opacity: 0 } }
})

// ---- the extension ----

/**
 * An extension that binds an editor to a document. One document may have several editors.
 * @param {Document} document
 * @param {object} [options]
 * @param {boolean} [options.cursors] show others' carets and selections; true if not given
 * @returns {Extension}
 */
export function converge (document, { cursors = true } = {}) {
  const writable = StateField.define({
    create: () => document.sync.state !== null && document.canEdit,
    update: (may, { effects }) => effects.reduce((before, effect) => effect.is(allowed) ? effect.value : before, may),
    provide: field => [
      EditorState.readOnly.from(field, may => !may),
      EditorView.editable.from(field),
      EditorView.contentAttributes.from(field, may => may ? WRITABLE : READ_ONLY)
    ]
  })

  const plugin = ViewPlugin.define(view => new Binding(view, document, writable))

  /** @param {'undo' | 'redo'} what */
  const reverse = what => (/** @type {EditorView} */ view) => {
    if (!view.state.readOnly) document[what]()
    return true
  }

  /** @param {ViewUpdate} update */
  const shifted = ({ docChanged, viewportChanged, transactions }) => docChanged || viewportChanged ||
    transactions.some(({ effects }) => effects.some(effect => effect.is(moved)))

  const selections = layer({
    above: false,
    class: 'cm-converge-selections',
    update: shifted,
    markers: view => view.plugin(plugin)?.others().flatMap(user => user.anchor === user.head ? []
      : boxes(view, Math.min(user.anchor, user.head), Math.max(user.anchor, user.head)).map(box => new Mark(box, colorOf(user)))) ?? []
  })
  const carets = layer({
    above: true,
    class: 'cm-converge-cursors',
    update: shifted,
    markers: view => {
      const binding = view.plugin(plugin)
      return binding?.others().flatMap(user => boxes(view, user.head, user.head)
        .map(box => new Mark(box, colorOf(user), nameOf(user), `${user.clientId} ${binding.places.get(user.clientId)?.stamp}`))) ?? []
    }
  })

  return [
    plugin,
    writable,
    EditorView.updateListener.of(({ view }) => view.plugin(plugin)?.drain()),
    EditorState.lineSeparator.of('\n'),
    EditorView.clipboardInputFilter.of(text => text.replace(/\r\n?/g, '\n')),
    EditorView.perLineTextDirection.of(true),
    EditorView.domEventObservers({
      compositionend: (_event, view) => {
        const binding = view.plugin(plugin)
        setTimeout(() => binding?.schedule(), COMPOSED_MS)
      }
    }),
    Prec.high([
      keymap.of([
        { key: 'Mod-z', run: reverse('undo'), preventDefault: true },
        { key: 'Mod-y', mac: 'Mod-Shift-z', run: reverse('redo'), preventDefault: true },
        { linux: 'Ctrl-Shift-z', win: 'Ctrl-Shift-z', run: reverse('redo'), preventDefault: true }
      ]),
      EditorView.domEventHandlers({
        beforeinput: ({ inputType }, view) => inputType === 'historyUndo' ? reverse('undo')(view) : inputType === 'historyRedo' && reverse('redo')(view)
      })
    ]),
    cursors ? [selections, carets, theme] : []
  ]
}
