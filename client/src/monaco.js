/**
 * A Monaco editor on a Document.
 *
 *     import { bind } from 'converge-client/monaco'
 *     const unbind = bind(client.open(id), monaco.editor.create(element, { ... }))
 *
 * The editor's model shows the document's text, in lines that end with "\n"; its undo and
 * redo, by whatever key or menu, are the document's.
 */

import { colorOf, nameOf, textOn } from './editors/people.js'
import { difference, grown, merge, shown, toShown, toText } from './editors/lines.js'

/** @import { editor as monaco, IDisposable, IRange } from 'monaco-editor' */
/** @import { ChangeEvent, Document } from './document.js' */
/** @import { User } from './core/presence.js' */
/** @import { Change } from './ot/text.js' */

// Monaco's own numbers, so that it need not be imported.
const LF = 0
const EXACT = 0
const RECOVER_FROM_MARKERS = 2

const CSS = `
.converge-caret { pointer-events: none; width: 2px; height: 1.4em; margin-left: -1px; background: var(--converge-color); }
.converge-caret > span { position: absolute; bottom: 100%; left: 0; padding: 0 4px; font: 12px/1.3 system-ui, sans-serif; white-space: nowrap;
  color: var(--converge-text); background: var(--converge-color); border-radius: 3px 3px 3px 0; animation: converge-fade 4s forwards; }
.converge-low > span { bottom: auto; top: 100%; border-radius: 0 3px 3px 3px; }
@keyframes converge-fade { 80% { opacity: 1; } 100% { opacity: 0; } }
`

/**
 * Bind an editor's model to a document.
 * @param {Document} document
 * @param {monaco.IStandaloneCodeEditor} editor with a model, which stays its model
 * @param {object} [options]
 * @param {boolean} [options.cursors] show others' carets and selections; true if not given
 * @returns {() => void} ends the binding
 */
export function bind (document, editor, { cursors = true } = {}) {
  const model = /** @type {monaco.ITextModel} */ (editor.getModel())
  if (model === null) throw new TypeError('the editor has no model')
  const source = {}
  let bound = false
  let ended = false
  let applying = false // a change of the model comes from here
  let editing = false // one of the document does
  let apart = false // the two must be brought together
  let plain = true // there is no "\r" in the text
  let composing = false // others wait for its end, and from then on what is composed too
  let scheduled = false
  let base = document.sync.state?.shown // what the model shows, of the document's texts

  // ---- offsets: of the document's text, and of the model's ----

  const toModel = (/** @type {number} */ offset) => plain ? offset : toShown(String(base), offset)
  const toDocument = (/** @type {number} */ offset) => plain ? offset : toText(String(base), offset)

  /** Between two of the model's. @param {number} from @param {number} to @returns {IRange} */
  const range = (from, to) => {
    const start = model.getPositionAt(from)
    const end = from === to ? start : model.getPositionAt(to)
    return { startLineNumber: start.lineNumber, startColumn: start.column, endLineNumber: end.lineNumber, endColumn: end.column }
  }

  // ---- from the document ----

  /** Change the model, in one go. @param {readonly Change[]} changes in its offsets */
  const apply = changes => {
    applying = true
    try {
      model.applyEdits(changes.map(({ from, to, insert }) => ({ range: range(from, to), text: insert })))
    } finally {
      applying = false
    }
  }

  /** @param {ChangeEvent} event */
  const changed = ({ changes, source: by, undo }) => {
    if (!bound || by === source) return
    // the document may be further on already
    if (editing || composing || apart || !plain || changes.some(({ insert }) => insert.includes('\r')) || document.length !== grown(base?.length ?? 0, changes)) return settleSoon()
    apply(changes)
    base = document.sync.state?.shown
    schedule()
    if (!undo) return
    const { from, insert } = changes[changes.length - 1]
    const position = model.getPositionAt(grown(from, changes.slice(0, -1)) + insert.length)
    editor.setPosition(position)
    editor.revealPosition(position)
  }

  // ---- from the model ----

  /** @param {monaco.IModelContentChangedEvent} event */
  const typed = ({ changes, isFlush, isEolChange }) => {
    if (applying || !bound) return
    schedule()
    if (isFlush || isEolChange || apart || !plain || document.telling || base !== document.sync.state?.shown) return settleSoon()
    // the last in the text comes first
    const wanted = changes.map(({ rangeOffset, rangeLength, text }) => ({ from: rangeOffset, to: rangeOffset + rangeLength, insert: text })).reverse()
    editing = true
    try {
      if (JSON.stringify(document.edit(wanted, { source }).changes) !== JSON.stringify(wanted)) settleSoon()
    } catch {
      apart = true // it must not be
    }
    editing = false
    // an edit that was refused, cleaned or followed by another at once: as the document has it
    if (apart) take()
    else base = document.sync.state?.shown
  }

  /** Bring the two together, once all is told. */
  const settleSoon = () => {
    apart = true
    if (!editing) queueMicrotask(settle)
  }

  const settle = () => {
    if (!apart || composing || ended) return
    if (document.telling) return settleSoon()
    if (model.getEOL() !== '\n') model.setEOL(LF)
    const position = editor.getPosition()
    merge(document, String(base ?? ''), model.getValue(), position === null ? 0 : model.getOffsetAt(position), source)
    take()
  }

  /** Make the model's text the document's. */
  const take = () => {
    if (ended) return
    const { text } = document
    const change = difference(model.getValue(), shown(text))
    if (change !== null) apply([change])
    base = document.sync.state?.shown
    plain = !text.includes('\r')
    apart = false
    schedule()
  }

  // ---- cursors ----

  const said = () => {
    const selection = editor.getSelection()
    if (!bound || ended || apart || selection === null || !editor.hasTextFocus()) return
    const [anchor, head] = [selection.getSelectionStart(), selection.getPosition()].map(position => toDocument(model.getOffsetAt(position)))
    document.presence.set({ cursor: { anchor, head } })
  }

  const selections = editor.createDecorationsCollection()
  /** @type {Map<string, { widget: monaco.IContentWidget, node: HTMLElement, at: IRange, key: string }>} */
  const carets = new Map()
  const colors = new Set()
  const sheet = cursors ? new CSSStyleSheet() : null
  /** @type {any} */
  const root = editor.getDomNode()?.getRootNode()
  if (sheet && root) {
    sheet.replaceSync(CSS)
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet]
  }

  const schedule = () => {
    if (scheduled || !sheet) return
    scheduled = true
    queueMicrotask(() => {
      scheduled = false
      if (bound && !ended) draw()
    })
  }

  const draw = () => {
    const gone = new Map(carets)
    /** @type {monaco.IModelDeltaDecoration[]} */
    const ranges = []
    for (const user of document.presence.users) {
      if (user.cursor === null) continue
      const anchor = toModel(user.cursor.anchor)
      const head = toModel(user.cursor.head)
      gone.delete(user.clientId)
      caret(user, range(head, head))
      if (anchor !== head) ranges.push({ range: range(Math.min(anchor, head), Math.max(anchor, head)), options: { className: painted(colorOf(user)) } })
    }
    selections.set(ranges)
    for (const [id, { widget }] of gone) {
      carets.delete(id)
      editor.removeContentWidget(widget)
    }
  }

  /** The class of selections of a color: decorations have nothing else. @param {string} color */
  const painted = color => {
    const name = `converge-selection-${color.slice(1)}`
    if (!colors.has(color)) sheet?.insertRule(`.${name} { background: ${color}40; }`)
    colors.add(color)
    return name
  }

  /** @param {User} user @param {IRange} at */
  const caret = (user, at) => {
    const name = nameOf(user)
    const color = colorOf(user)
    const key = name + color
    let made = carets.get(user.clientId)
    if (made && made.key !== key) editor.removeContentWidget(made.widget)
    const known = made?.key === key
    if (!made || !known) {
      const node = globalThis.document.createElement('div')
      node.appendChild(globalThis.document.createElement('span')).textContent = name
      node.style.setProperty('--converge-color', color)
      node.style.setProperty('--converge-text', textOn(color))
      /** @type {{ widget: monaco.IContentWidget, node: HTMLElement, at: IRange, key: string }} */
      const own = made = {
        node,
        at,
        key,
        widget: {
          getId: () => `converge ${user.clientId}`,
          getDomNode: () => node,
          getPosition: () => ({ position: { lineNumber: own.at.startLineNumber, column: own.at.startColumn }, preference: [EXACT] })
        }
      }
      carets.set(user.clientId, made)
    }
    made.at = at
    made.node.className = `converge-caret${at.startLineNumber === 1 ? ' converge-low' : ''}`
    editor[known ? 'layoutContentWidget' : 'addContentWidget'](made.widget)
  }

  // ---- beginning and end ----

  const allow = () => editor.updateOptions({ readOnly: !bound || !document.canEdit })
  const reverse = (/** @type {'undo' | 'redo'} */ what) => {
    if (bound && document.canEdit) document[what]()
  }
  const begin = () => {
    if (ended) return
    bound = true
    take()
    allow()
  }
  const end = () => {
    if (ended) return
    ended = true
    bound = false
    for (const off of offs) off()
    for (const { widget } of carets.values()) editor.removeContentWidget(widget)
    selections.clear()
    if (root) root.adoptedStyleSheets = root.adoptedStyleSheets.filter((/** @type {unknown} */ one) => one !== sheet)
    // the model has its class's again
    Reflect.deleteProperty(model, 'undo')
    Reflect.deleteProperty(model, 'redo')
    document.presence.set({ cursor: null })
  }

  editor.updateOptions({ unusualLineTerminators: 'off' })
  model.setEOL(LF)
  allow()
  // every way to undo ends here
  model.undo = () => reverse('undo')
  model.redo = () => reverse('redo')
  /** @type {(() => void)[]} */
  const offs = [
    document.on('change', changed),
    document.on('presence', schedule),
    document.on('role', allow),
    document.on('closed', allow),
    ...[
      model.onDidChangeContent(typed),
      model.onWillDispose(end),
      editor.onDidDispose(end),
      // it comes before the change of the text that moved it
      editor.onDidChangeCursorSelection(({ reason }) => { if (reason !== RECOVER_FROM_MARKERS) queueMicrotask(said) }),
      editor.onDidFocusEditorText(said),
      editor.onDidCompositionStart(() => { composing = true }),
      editor.onDidCompositionEnd(() => {
        composing = false
        setTimeout(settle)
      })
    ].map(disposable => () => disposable.dispose())
  ]
  if (document.sync.state !== null) begin()
  else document.loaded.then(begin, () => {})
  return end
}
