// Talk in a CodeMirror editor, over a model server, in a page without layout.

import './lib/dom.mjs'
import assert from 'node:assert/strict'
import test from 'node:test'
import { EditorView, runScopeHandlers } from '@codemirror/view'
import { converge } from '../src/codemirror.js'
import { focusTalk, talk } from '../src/codemirror-talk.js'
import { TalkSetup } from './lib/talk.mjs'

const TEXT = 'Boil the rice.'
const marks = (view, selector) => [...view.contentDOM.querySelectorAll(selector)].map(element => element.textContent)
const press = (view, key, more = {}) => runScopeHandlers(view, new KeyboardEvent('keydown', { key, ...more }), 'editor')
const MOD = { ctrlKey: true, altKey: true }
const turn = () => new Promise(resolve => setTimeout(resolve, 5))

async function began (options = {}, role = 'editor') {
  const setup = new TalkSetup({ content: TEXT })
  const other = await setup.talker('ben')
  const document = await setup.talker('ann', role)
  const view = new EditorView({ parent: globalThis.document.body, doc: document.text, extensions: [converge(document), talk(document, options)] })
  const shows = async condition => {
    await setup.eventually(condition)
    await turn()
  }
  return { setup, other, document, view, shows }
}

test('passages and suggestions are shown, and follow the text', async () => {
  const { setup, other, document, view, shows } = await began()
  other.comments.add({ from: 9, to: 13, body: 'which?' })
  other.suggestions.add([{ from: 0, to: 4, insert: 'Cook' }, { from: 14, insert: '!' }])
  await shows(() => document.comments.list.length === 1 && document.suggestions.list.length === 1)
  assert.deepEqual([marks(view, '.cm-thread'), marks(view, 'del.cm-deleted'), marks(view, 'ins.cm-suggested')], [['rice'], ['Boil'], ['Cook', '!']])
  assert.equal(view.state.sliceDoc(), TEXT)
  view.dispatch({ changes: { from: 11, insert: '!' }, userEvent: 'input.type' })
  assert.deepEqual(marks(view, '.cm-thread'), ['ri!ce'])
  view.dispatch({ changes: { from: 9, to: 14 }, userEvent: 'delete' })
  await turn()
  assert.deepEqual(marks(view, '.cm-thread'), [])
  document.undo()
  await shows(() => document.pending === null)
  assert.deepEqual(marks(view, '.cm-thread'), ['rice'])
  await Promise.all([other.comments.resolve(document.comments.list[0].id), shows(() => document.comments.list[0].resolved)])
  assert.deepEqual(marks(view, '.cm-thread'), [])
  assert.equal(setup.server.talk.changed > 0, true)
})

test('keys go from one to the next, accept and reject', async () => {
  const looked = []
  const { other, document, view, shows } = await began({ onThread: id => looked.push(id), onSuggestion: id => looked.push(id), onComment: range => looked.push(range) })
  other.comments.add({ from: 0, to: 4, body: 'how?' })
  const made = other.suggestions.add({ from: 9, to: 13, insert: 'pasta' })
  other.suggestions.add({ from: 13, insert: ' now' })
  await shows(() => document.suggestions.list.length === 2 && document.comments.list.length === 1)
  view.dispatch({ selection: { anchor: 6 } })
  assert.deepEqual(looked, [])
  assert.equal(press(view, 'ArrowUp', { altKey: true }), true)
  assert.equal(press(view, 'ArrowDown', { altKey: true }), true)
  assert.deepEqual(looked, [document.comments.list[0].id, (await made).id])
  assert.deepEqual(marks(view, '.cm-talk-active'), ['rice', 'pasta'])
  assert.equal(press(view, 'Enter', MOD), true)
  await shows(() => document.suggestions.list.length === 1 && document.text === 'Boil the pasta.')
  assert.equal(view.state.sliceDoc(), 'Boil the pasta.')
  view.dispatch({ selection: { anchor: 0 }, effects: focusTalk.of(null) })
  press(view, 'ArrowDown', { altKey: true })
  assert.equal(press(view, 'Backspace', MOD), true)
  await shows(() => document.suggestions.list.length === 0)
  assert.equal(document.text, 'Boil the pasta.')
  view.dispatch({ selection: { anchor: 5, head: 8 } })
  press(view, 'm', MOD)
  assert.deepEqual(looked.at(-1), { from: 5, to: 8 })
})

test('what a commenter types becomes one suggestion, and never an edit', async () => {
  const { setup, document, other, view, shows } = await began({ suggesting: true }, 'commenter')
  assert.deepEqual([document.canEdit, view.state.readOnly, view.contentDOM.getAttribute('contenteditable')], [false, false, 'true'])
  const type = text => {
    const { from, to } = view.state.selection.main
    view.dispatch({ changes: { from, to, insert: text }, selection: { anchor: from + text.length }, userEvent: 'input.type' })
  }
  view.dispatch({ selection: { anchor: 9, head: 13 } })
  for (const letter of 'past!') type(letter)
  assert.deepEqual([marks(view, 'del'), marks(view, 'ins')], [['rice'], ['past!']])
  const backspace = () => view.dispatch({ changes: { from: view.state.selection.main.head - 1, to: view.state.selection.main.head }, userEvent: 'delete.backward' })
  backspace()
  type('a')
  assert.equal(view.state.sliceDoc(), TEXT)
  assert.equal(press(view, 'Enter', { ctrlKey: true }), true)
  await shows(() => other.suggestions.list.length === 1)
  assert.deepEqual(other.suggestions.list[0].changes, [{ from: 9, to: 13, insert: 'pasta' }])
  // deleting backwards, and going elsewhere
  view.dispatch({ selection: { anchor: 4 } })
  for (let n = 0; n < 4; n++) backspace()
  assert.deepEqual(marks(view, 'del.cm-talk-active'), ['Boil'])
  view.dispatch({ selection: { anchor: 7 } })
  await shows(() => other.suggestions.list.length === 2)
  assert.deepEqual(other.suggestions.list[1].changes, [{ from: 0, to: 4, insert: '' }])
  // forgotten
  type('x')
  assert.equal(press(view, 'Escape'), true)
  await turn()
  assert.deepEqual([setup.server.version, view.state.sliceDoc(), document.suggestions.list.length], [0, TEXT, 2])
  // others' edits come all the same
  other.edit({ from: 0, insert: '> ' })
  await shows(() => document.version === 1)
  assert.equal(view.state.sliceDoc(), `> ${TEXT}`)
})
