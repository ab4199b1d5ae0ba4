/**
 * What is said beside a text, shown in a Monaco editor: passages of threads, and suggestions as
 * what they would delete and insert.
 *
 *     import { bind } from 'converge-client/monaco'
 *     import { talk } from 'converge-client/monaco-talk'
 *     const unbind = bind(document, editor)
 *     const shown = talk(document, editor, { onThread: id => show(id) })
 *
 * Keys are those of `/codemirror-talk`: Alt-ArrowDown and Alt-ArrowUp go to the next and the last
 * thread or suggestion (they move lines no more where there is one); on a suggestion Mod-Alt-Enter
 * accepts it, and Mod-Alt-Backspace rejects it (or withdraws one's own); Mod-Alt-m calls
 * `onComment` with what is selected.
 */

import { shown as asShown, toShown, toText } from './editors/lines.js'
import { decide, read, spotAt, spotFrom } from './editors/spots.js'

/** @import { editor as monaco, IDisposable, IKeyboardEvent, IRange } from 'monaco-editor' */
/** @import { Document } from './document.js' */
/** @import { Shown, Spot } from './editors/spots.js' */

/**
 * @typedef {object} TalkOptions
 * @property {(id: string) => void} [onThread] the cursor has come into a thread's passage
 * @property {(id: string) => void} [onSuggestion] ... or to a suggestion
 * @property {(range: { from: number, to: number }) => void} [onComment] a comment is wanted there
 * @property {boolean} [resolved] show threads that are resolved, too
 *
 * @typedef {object} MonacoTalk
 * @property {(id: string | null) => void} focus show a thread or suggestion as the one that is looked at; null: none
 * @property {() => void} end
 */

// Monaco's own numbers, so that it need not be imported.
const NEVER_GROWS = 1
const EXPLICIT = 3

/** What an insertion shows at most: a line of an editor has no room for more. */
const MOST_SHOWN = 2000

const CSS = `
.converge-thread { background: #ffd54a55; border-bottom: 2px solid #b78103; }
.converge-suggested { color: #1f6f3f; border-bottom: 2px solid #1f6f3f; }
.converge-deleted { color: #a11b14; text-decoration: line-through; }
:where(.vs-dark, .hc-black) .converge-suggested { color: #7fd39b; border-color: #7fd39b; }
:where(.vs-dark, .hc-black) .converge-deleted { color: #ff9d94; }
.converge-talk-active { outline: 2px solid currentColor; }
`

/** An insertion in one line. @param {string} text */
const inLine = text => (text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text).replace(/\n/g, '⏎')

/**
 * Show what is said beside a document in an editor that is bound to it.
 * @param {Document} document
 * @param {monaco.IStandaloneCodeEditor} editor
 * @param {TalkOptions} [options]
 * @returns {MonacoTalk}
 */
export function talk (document, editor, options = {}) {
  const model = /** @type {monaco.ITextModel} */ (editor.getModel())
  if (model === null) throw new TypeError('the editor has no model')
  const marks = editor.createDecorationsCollection()
  /** @type {Shown} in the document's offsets */
  let shown = { spots: [], inserts: [], deletes: [] }
  /** @type {string | null} */
  let active = null
  let due = false
  let ended = false

  // ---- offsets: where a text has "\r", the model's are other ones ----

  const same = () => model.getValueLength() === document.length
  const toModel = (/** @type {number} */ offset) => same() ? offset : toShown(document.text, offset)
  const toDocument = (/** @type {number} */ offset) => same() ? offset : toText(document.text, offset)
  const head = () => {
    const position = editor.getPosition()
    return position === null ? 0 : toDocument(model.getOffsetAt(position))
  }
  /** @param {number} from @param {number} to @returns {IRange} */
  const range = (from, to) => {
    const [start, end] = [from, to].map(offset => model.getPositionAt(toModel(offset)))
    return { startLineNumber: start.lineNumber, startColumn: start.column, endLineNumber: end.lineNumber, endColumn: end.column }
  }

  // ---- drawing ----

  const draw = () => {
    /** @param {string} name @param {string} id */
    const named = (name, id) => `converge-${name}${id === active ? ' converge-talk-active' : ''}`
    /** @param {Spot} spot @param {string} name */
    const mark = ({ id, from, to }, name) => ({ range: range(from, to), options: { inlineClassName: named(name, id), stickiness: NEVER_GROWS } })
    marks.set([
      ...shown.spots.filter(({ kind }) => kind === 'thread').map(spot => mark(spot, 'thread')),
      ...shown.deletes.map(spot => mark(spot, 'deleted')),
      ...shown.inserts.map(({ id, at, text }) => ({
        range: range(at, at),
        options: { showIfCollapsed: true, stickiness: NEVER_GROWS, after: { content: inLine(text), inlineClassName: named('suggested', id), inlineClassNameAffectsLetterSpacing: true } }
      }))
    ])
  }

  /** Look again, after the text itself has come. */
  const look = () => {
    if (due) return
    due = true
    setTimeout(() => {
      due = false
      if (ended || !(same() || model.getValueLength() === asShown(document.text).length)) return
      shown = read(document, options, document.length)
      draw()
    }, 0)
  }

  /** @param {string | null} id */
  const focus = id => {
    active = id
    if (!ended) draw()
  }

  // ---- keys and clicks ----

  /** @param {Spot | undefined} spot */
  const tell = spot => {
    if (spot) (spot.kind === 'thread' ? options.onThread : options.onSuggestion)?.(spot.id)
  }

  /** @param {1 | -1} way */
  const step = way => {
    const next = spotFrom(shown, head(), way)
    if (!next) return false
    const position = model.getPositionAt(toModel(next.from))
    editor.setPosition(position)
    editor.revealPositionInCenterIfOutsideViewport(position)
    focus(next.id)
    tell(next)
    return true
  }

  const comment = () => {
    const selection = editor.getSelection()
    if (selection === null || selection.isEmpty() || !options.onComment) return false
    const [from, to] = [selection.getStartPosition(), selection.getEndPosition()].map(position => toDocument(model.getOffsetAt(position)))
    options.onComment({ from, to })
    return true
  }

  /** What a key does: true, if it did. @param {KeyboardEvent} event */
  const press = ({ altKey, ctrlKey, metaKey, shiftKey, key, code }) => {
    if (!altKey || shiftKey) return false
    if (!ctrlKey && !metaKey) return key === 'ArrowDown' ? step(1) : key === 'ArrowUp' && step(-1)
    if (key === 'Enter' || key === 'Backspace') return decide(document, spotAt(shown, head()), key === 'Enter')
    return (key.toLowerCase() === 'm' || code === 'KeyM') && comment()
  }

  const sheet = new CSSStyleSheet()
  sheet.replaceSync(CSS)
  /** @type {any} */
  const root = editor.getDomNode()?.getRootNode()
  if (root) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet]

  const end = () => {
    if (ended) return
    ended = true
    for (const off of offs) off()
    marks.clear()
    if (root) root.adoptedStyleSheets = root.adoptedStyleSheets.filter((/** @type {unknown} */ one) => one !== sheet)
  }
  /** @type {(() => void)[]} */
  const offs = [
    ...['thread', 'comment', 'suggestion', 'rejected', 'change'].map(event => document.on(/** @type {'thread'} */ (event), look)),
    ...[
      model.onDidChangeContent(look),
      model.onWillDispose(end),
      editor.onDidDispose(end),
      editor.onDidChangeCursorPosition(({ reason }) => { if (reason === EXPLICIT && editor.getSelection()?.isEmpty()) tell(spotAt(shown, head())) }),
      editor.onKeyDown(event => {
        if (!press(event.browserEvent)) return
        event.preventDefault()
        event.stopPropagation() // or it moves a line, too
      })
    ].map(disposable => () => disposable.dispose())
  ]
  for (const part of [document.comments, document.suggestions]) part.loaded.then(look, () => {})
  look()
  return { focus, end }
}
