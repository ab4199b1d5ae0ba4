/**
 * Monaco, for those who chose it. It is built by itself, with its worker and its styles, and
 * fetched when it is used; what the page gives it comes in by arguments.
 */

import 'monaco-editor/features/bracketMatching/register.js'
import 'monaco-editor/features/caretOperations/register.js'
import 'monaco-editor/features/clipboard/register.js'
import 'monaco-editor/features/codicon/register.js'
import 'monaco-editor/features/comment/register.js'
import 'monaco-editor/features/contextmenu/register.js'
import 'monaco-editor/features/dnd/register.js'
import 'monaco-editor/features/find/register.js'
import 'monaco-editor/features/folding/register.js'
import 'monaco-editor/features/gotoLine/register.js'
import 'monaco-editor/features/indentation/register.js'
import 'monaco-editor/features/lineSelection/register.js'
import 'monaco-editor/features/linesOperations/register.js'
import 'monaco-editor/features/links/register.js'
import 'monaco-editor/features/longLinesHelper/register.js'
import 'monaco-editor/features/multicursor/register.js'
import 'monaco-editor/features/placeholderText/register.js'
import 'monaco-editor/features/quickCommand/register.js'
import 'monaco-editor/features/readOnlyMessage/register.js'
import 'monaco-editor/features/smartSelect/register.js'
import 'monaco-editor/features/toggleTabFocusMode/register.js'
import 'monaco-editor/features/tokenization/register.js'
import 'monaco-editor/features/wordHighlighter/register.js'
import 'monaco-editor/features/wordOperations/register.js'
import 'monaco-editor/languages/definitions/register.all.js'
import { editor as monaco, languages } from 'monaco-editor/editor/editor.api.js'
import { bind } from 'converge-client/monaco'
import { talk as talkIn } from 'converge-client/monaco-talk'

/** @import { Document } from 'converge-client' */
/** @import { Run } from './authors.js' */

/** @type {any} */ (globalThis).MonacoEnvironment = {
  // build.mjs names it
  getWorker: () => new Worker(new URL(/** @type {any} */ (globalThis).MONACO_WORKER, import.meta.url))
}

/** The language of Monaco's that is called so, or has files that end so; text of none otherwise. @param {string} name @param {string} title */
function languageId (name, title) {
  const wanted = name.toLowerCase()
  const known = languages.getLanguages()
  const found = known.find(({ id, aliases = [] }) => id === wanted || aliases.some(alias => alias.toLowerCase() === wanted)) ??
    (name === '' ? known.find(({ extensions = [], filenames = [] }) => extensions.some(end => title.endsWith(end)) || filenames.includes(title)) : undefined)
  return found?.id ?? 'plaintext'
}

/**
 * @param {HTMLElement} parent
 * @param {Document} document
 * @param {{ label: string, language: string, title: string, dark: boolean, phrases: { placeholder: string }, talk?: import('converge-client/monaco-talk').TalkOptions }} options
 *   talk: show what is said beside the text
 */
export function create (parent, document, { label, language, title, dark, phrases, talk }) {
  const editor = monaco.create(parent, {
    automaticLayout: true, minimap: { enabled: false }, wordWrap: 'on', fontSize: 15, lineHeight: 1.5, ariaLabel: label,
    placeholder: phrases.placeholder, language: languageId(language, title), theme: dark ? 'vs-dark' : 'vs', padding: { top: 14 }, scrollBeyondLastLine: true,
    quickSuggestions: false, wordBasedSuggestions: 'off', renderLineHighlight: 'none', overviewRulerLanes: 0, fixedOverflowWidgets: true, tabFocusMode: false
  })
  const unbind = bind(document, editor)
  const model = /** @type {monaco.ITextModel} */ (editor.getModel())
  const colors = editor.createDecorationsCollection()
  const said = talk && talkIn(document, editor, talk)
  const range = (/** @type {number} */ from, /** @type {number} */ to) => {
    const [start, end] = [from, to].map(offset => model.getPositionAt(offset))
    return { startLineNumber: start.lineNumber, startColumn: start.column, endLineNumber: end.lineNumber, endColumn: end.column }
  }
  return {
    focus: () => editor.focus(),
    /** @param {number} offset */
    reveal: offset => editor.revealPositionInCenterIfOutsideViewport(model.getPositionAt(offset)),
    /** @param {{ from: number, to: number, className: string }[]} marks */
    color: marks => colors.set(marks.map(({ from, to, className }) => ({ range: range(from, to), options: { inlineClassName: className } }))),
    /** @param {string} id of a thread or suggestion that is looked at */
    look: id => said?.focus(id),
    selection () {
      const selected = editor.getSelection()
      if (selected === null || selected.isEmpty()) return null
      return { from: model.getOffsetAt(selected.getStartPosition()), to: model.getOffsetAt(selected.getEndPosition()) }
    },
    /** @param {string} label */
    name: label => editor.updateOptions({ ariaLabel: label }),
    /** @param {string} name @param {string} title */
    speak: (name, title) => monaco.setModelLanguage(model, languageId(name, title)),
    /** @param {boolean} dark */
    shade: dark => monaco.setTheme(dark ? 'vs-dark' : 'vs'),
    destroy () {
      said?.end()
      unbind()
      editor.dispose()
      model.dispose()
    }
  }
}
