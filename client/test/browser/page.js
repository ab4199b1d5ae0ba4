// What a page of the tests runs: a client, a document, and an editor of one of three kinds
// on it, with one way to ask each of them what it shows and where.

import { EditorView } from '@codemirror/view'
import { Client } from '../../src/index.js'
import { converge } from '../../src/codemirror.js'
import { indexeddb } from '../../src/indexeddb.js'
import { bind as bindMonaco } from '../../src/monaco.js'
import { talk as talkInMonaco } from '../../src/monaco-talk.js'
import { bind as bindTextarea } from '../../src/textarea.js'

const boxOf = ({ left, top, bottom, height = bottom - top }) => ({ left, top, height })
const boxes = selector => [...document.querySelectorAll(selector)].map(element => element.getBoundingClientRect())
/** Carets of others: where they stand, and whose they are. */
const carets = selector => [...document.querySelectorAll(selector)].map(element => ({ ...boxOf(element.getBoundingClientRect()), name: element.textContent }))

const kinds = {
  codemirror (doc, parent) {
    const view = new EditorView({ parent, extensions: [converge(doc), EditorView.lineWrapping] })
    return {
      text: () => view.state.sliceDoc(),
      focus: () => view.focus(),
      select: (anchor, head = anchor) => view.dispatch({ selection: { anchor, head } }),
      selection: () => [view.state.selection.main.anchor, view.state.selection.main.head],
      at: offset => boxOf(view.coordsAtPos(offset)),
      carets: () => carets('.cm-converge-caret'),
      selections: () => boxes('.cm-converge-selection').map(({ left, right, top }) => ({ left, right, top })),
      readOnly: () => view.state.readOnly && view.contentDOM.contentEditable === 'false' && view.contentDOM.tabIndex === 0,
      replace: (from, to, insert) => view.dispatch({ changes: { from, to, insert } }),
      view
    }
  },

  async monaco (doc, parent) {
    const { editor: { create } } = await import('monaco-editor/editor/editor.api.js')
    const editor = create(parent, { minimap: { enabled: false }, automaticLayout: true, quickSuggestions: false, wordBasedSuggestions: 'off' })
    bindMonaco(doc, editor)
    const model = editor.getModel()
    const place = offset => model.getPositionAt(offset)
    return {
      text: () => model.getValue(),
      focus: () => editor.focus(),
      select: (anchor, head = anchor) => {
        const [from, to] = [place(anchor), place(head)]
        editor.setSelection({ selectionStartLineNumber: from.lineNumber, selectionStartColumn: from.column, positionLineNumber: to.lineNumber, positionColumn: to.column })
      },
      selection: () => [editor.getSelection().getSelectionStart(), editor.getSelection().getPosition()].map(position => model.getOffsetAt(position)),
      at: offset => {
        const { left, top, height } = editor.getScrolledVisiblePosition(place(offset))
        const home = editor.getDomNode().getBoundingClientRect()
        return { left: home.left + left, top: home.top + top, height }
      },
      carets: () => carets('.converge-caret'),
      selections: () => boxes('[class*=converge-selection]').map(({ left, right, top }) => ({ left, right, top })),
      readOnly: () => editor.getRawOptions().readOnly === true,
      replace: (from, to, text) => editor.executeEdits('test', [{ range: { startLineNumber: place(from).lineNumber, startColumn: place(from).column, endLineNumber: place(to).lineNumber, endColumn: place(to).column }, text }]),
      editor
    }
  },

  async 'monaco-talk' (doc, parent) {
    const made = await kinds.monaco(doc, parent)
    const looked = []
    const talk = talkInMonaco(doc, made.editor, { onThread: id => looked.push(id), onSuggestion: id => looked.push(id), onComment: range => looked.push(range) })
    /** The texts of marks of a kind, a mark that is drawn in parts as one text. */
    const marks = name => [...document.querySelectorAll('.view-line')].sort((a, b) => a.offsetTop - b.offsetTop).map(line => [...line.querySelectorAll(`.converge-${name}`)].map(mark => mark.textContent).join('')).join('').replaceAll('\u00a0', ' ')
    return { ...made, talk, looked, marks }
  },

  textarea (doc, parent) {
    const area = parent.appendChild(document.createElement('textarea'))
    bindTextarea(doc, area)
    return {
      text: () => area.value,
      focus: () => area.focus(),
      select: (anchor, head = anchor) => area.setSelectionRange(Math.min(anchor, head), Math.max(anchor, head), head < anchor ? 'backward' : 'forward'),
      selection: () => area.selectionDirection === 'backward' ? [area.selectionEnd, area.selectionStart] : [area.selectionStart, area.selectionEnd],
      readOnly: () => area.readOnly
    }
  }
}

self.MonacoEnvironment = { getWorker: () => new Worker(URL.createObjectURL(new Blob([''], { type: 'text/javascript' }))) }

/** Begin; what is heard of the document is kept in `heard`. */
self.begin = async ({ kind, url, token, id, name, color, stored }) => {
  const client = new Client({ url, token: () => token, storage: stored ? indexeddb() : undefined })
  const doc = client.open(id)
  const heard = { rejected: [], unstored: [], diverged: [] }
  for (const event in heard) doc.on(event, ({ message, code, text }) => heard[event].push({ message, code, text }))
  doc.presence.set({ name, color })
  const parent = document.getElementById('editor')
  const status = document.getElementById('status')
  const show = () => { status.textContent = `${name}: ${doc.status}, ${doc.role}, ${doc.pending ? `${doc.pending.edits} pending` : 'saved'}; here: ${doc.presence.users.map(user => user.name).join(', ')}` }
  for (const event of ['status', 'role', 'pending', 'presence']) doc.on(event, show)
  const editor = await kinds[kind](doc, parent)
  /** Whether the page would take with it what is pending. */
  const atRisk = () => doc.pending !== null && doc.offline?.safe !== true
  Object.assign(self, { client, doc, heard, editor, atRisk })
  await doc.loaded
  show()
}
