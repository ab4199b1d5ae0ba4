// The CodeMirror binding over a model server, in a page without layout.

import './lib/dom.mjs'
import assert from 'node:assert/strict'
import test from 'node:test'
import { EditorState, Transaction } from '@codemirror/state'
import { EditorView, keymap, runScopeHandlers } from '@codemirror/view'
import { converge } from '../src/codemirror.js'
import { Setup } from './lib/setup.mjs'
import { random } from './lib/random.mjs'

const microtask = () => Promise.resolve()

/** What waits for a timer of the binding's. */
async function until (condition) {
  for (let n = 0; !condition(); n++) {
    assert.ok(n < 1000, 'it never came to be')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

function editor (document, { extensions = [], ...config } = {}) {
  return new EditorView({ parent: globalThis.document.body, doc: document.text, extensions: [converge(document), extensions], ...config })
}

const text = view => view.state.sliceDoc()
const insert = (view, from, insert) => view.dispatch({ changes: { from, insert }, selection: { anchor: from + insert.length } })

/** What an app or a test of the view's would see of its composing. */
const compose = view => view.contentDOM.dispatchEvent(new CompositionEvent('compositionstart', { bubbles: true }))
const composed = view => view.contentDOM.dispatchEvent(new CompositionEvent('compositionend', { bubbles: true }))

test('an editor shows the text once it is loaded, and is read-only until then', async () => {
  const setup = new Setup({ content: 'Boil the rice.' })
  const document = setup.client().open('doc')
  const view = editor(document)
  assert.equal(view.state.readOnly, true)
  assert.equal(view.contentDOM.getAttribute('contenteditable'), 'false')
  assert.equal(view.contentDOM.getAttribute('tabindex'), '0')
  await setup.until(() => document.status === 'connected')
  assert.equal(text(view), 'Boil the rice.')
  assert.equal(view.state.readOnly, false)
  assert.equal(view.contentDOM.getAttribute('contenteditable'), 'true')
  assert.equal(view.contentDOM.getAttribute('tabindex'), null)
})

test('an editor made of an older text takes what is missing, and keeps the selection', async () => {
  const setup = new Setup({ content: 'Boil the brown rice.' })
  const document = await setup.open('ann')
  const view = editor(document, { doc: 'Boil the rice.', selection: { anchor: 13 } })
  await microtask()
  assert.equal(text(view), 'Boil the brown rice.')
  assert.equal(view.state.selection.main.anchor, 19)
})

test('an editor made of text that PostgreSQL cannot store shows the document\'s', async () => {
  const setup = new Setup({ content: 'a😀\ufffdb😀' })
  const document = await setup.open('ann')
  for (const doc of ['a\ud83d', '\ude00a😀b\ud83d', 'a\0😀\ud83db😀\ude00', '\ud83d\ud83d\ude00b']) {
    const view = editor(document, { doc })
    await microtask()
    assert.equal(text(view), document.text)
    insert(view, 1, '漢')
    assert.equal(text(view), document.text)
    view.destroy()
    document.undo()
  }
})

test('typing goes to the document at once, and to the other editor in one transaction', async () => {
  const setup = new Setup({ content: 'ab' })
  const [ann, ben] = [await setup.open('ann'), await setup.open('ben')]
  const transactions = []
  const [left, right] = [editor(ann), editor(ben, { extensions: EditorView.updateListener.of(update => transactions.push(...update.transactions)) })]
  await setup.arrive()
  transactions.length = 0
  insert(left, 1, '😀')
  assert.equal(ann.text, 'a😀b')
  await setup.until(() => ben.text === 'a😀b')
  await microtask()
  assert.equal(text(right), 'a😀b')
  const changed = transactions.filter(({ docChanged }) => docChanged)
  assert.equal(changed.length, 1)
  assert.equal(changed[0].annotation(Transaction.remote), true)
  assert.equal(changed[0].annotation(Transaction.addToHistory), false)
})

test('what comes in one task is one transaction', async () => {
  const setup = new Setup({ content: '' })
  const cleo = await setup.open('cleo')
  const transactions = []
  const view = editor(cleo, { extensions: EditorView.updateListener.of(update => transactions.push(...update.transactions)) })
  await setup.arrive()
  transactions.length = 0
  for (const [from, letter] of ['a', 'b', 'c'].entries()) cleo.edit({ from, insert: letter }, { source: 'elsewhere' })
  assert.equal(text(view), '')
  await microtask()
  assert.equal(text(view), 'abc')
  assert.equal(transactions.filter(({ docChanged }) => docChanged).length, 1)
})

test('lone surrogates, U+0000 and line ends are shown as the document has them', async () => {
  const setup = new Setup({ content: 'ab' })
  const document = await setup.open('ann')
  const view = editor(document)
  insert(view, 1, 'x\ud83d\r\ny\0')
  await microtask()
  assert.equal(document.text, 'ax\ufffd\ny\ufffdb')
  assert.equal(text(view), document.text)
  assert.equal(view.state.selection.main.anchor, 6)
})

test('half of a character deleted takes the other half with it in the view too', async () => {
  const setup = new Setup({ content: 'a😀b' })
  const document = await setup.open('ann')
  const view = editor(document)
  view.dispatch({ changes: { from: 2, to: 3 } })
  await microtask()
  assert.equal(document.text, 'a\ufffdb')
  assert.equal(text(view), document.text)
})

test('a carriage return that the server has keeps its place', async () => {
  const setup = new Setup({ content: 'a\r\nb' })
  const document = await setup.open('ann')
  const view = editor(document)
  insert(view, 4, 'c')
  await microtask()
  assert.equal(document.text, 'a\r\nbc')
  assert.equal(view.state.doc.length, 5)
})

test('what the document refuses is taken back', async () => {
  const setup = new Setup({ content: 'ab' })
  const document = await setup.open('ann')
  const errors = []
  const view = editor(document, { extensions: EditorView.exceptionSink.of(error => errors.push(error.code)) })
  setup.server.share('ann', 'viewer')
  await setup.until(() => document.role === 'viewer')
  await microtask()
  assert.equal(view.state.readOnly, true)
  view.dispatch({ changes: { from: 1, insert: 'x' } })
  await microtask()
  assert.equal(text(view), 'ab')
  assert.deepEqual(errors, ['forbidden'])
  setup.server.share('ann', 'editor')
  await setup.until(() => document.role === 'editor')
  await microtask()
  assert.equal(view.state.readOnly, false)
})

test('a listener may edit while the document tells of a change', async () => {
  const setup = new Setup({ content: 'one' })
  const document = await setup.open('ann')
  let view
  // before the binding hears of it
  document.on('change', ({ source }) => {
    if (source === 'first') {
      insert(view, view.state.doc.length, '!')
      document.edit({ from: document.length, insert: '?' })
    }
  })
  view = editor(document)
  document.edit({ from: 0, insert: 'zero ' }, { source: 'first' })
  await microtask()
  await microtask()
  assert.equal(text(view), document.text)
  assert.equal([...document.text].sort().join(''), [...'zero one!?'].sort().join(''))
})

test('a listener may edit while what was typed is mended', async () => {
  const setup = new Setup({ content: 'one' })
  const document = await setup.open('ann')
  let view
  document.on('change', ({ source }) => { if (source !== 'second') document.edit([{ from: 0, insert: '> ' }, { from: document.length, insert: '!' }], { source: 'second' }) })
  view = editor(document)
  for (const [from, typed] of [[0, '\ud800x\r\ny'], [4, 'x\0'], [1, '\udc00']]) {
    insert(view, from, typed)
    await microtask()
    await microtask()
    assert.equal(text(view), document.text)
  }
})

test('the keys of undo and redo are the document\'s, and leave others\' text', async () => {
  const setup = new Setup({ content: '' })
  const [ann, ben] = [await setup.open('ann'), await setup.open('ben')]
  const view = editor(ann)
  insert(view, 0, 'mine')
  await setup.until(() => ben.text === 'mine')
  ben.edit({ from: 2, insert: ' theirs ' })
  await setup.until(() => ann.text === 'mi theirs ne')
  await microtask()
  const press = (key, shiftKey = false) => runScopeHandlers(view, new KeyboardEvent('keydown', { key, ctrlKey: true, shiftKey, keyCode: key.toUpperCase().charCodeAt(0) }), 'editor')
  assert.equal(press('z'), true)
  await microtask()
  assert.equal(text(view), ' theirs ')
  press('y')
  await microtask()
  assert.equal(text(view), ann.text)
  assert.equal(text(view).includes(' theirs '), true)
  assert.equal(text(view).replace(' theirs ', ''), 'mine')
})

test('an editor\'s own filters and undo keys do not come between', async () => {
  const setup = new Setup({ content: 'ab' })
  const document = await setup.open('ann')
  let theirs = 0
  const own = keymap.of([{ key: 'Mod-z', run: () => ++theirs > 0 }])
  const view = new EditorView({ doc: document.text, extensions: [own, converge(document), EditorState.changeFilter.of(() => { throw new Error('what came was filtered') })] })
  document.edit({ from: 1, insert: 'xyz' })
  await microtask()
  assert.equal(text(view), 'axyzb')
  runScopeHandlers(view, new KeyboardEvent('keydown', { key: 'z', ctrlKey: true, keyCode: 90 }), 'editor')
  await microtask()
  assert.deepEqual([text(view), theirs], ['ab', 0])
})

test('undo shows where', async () => {
  const setup = new Setup({ content: 'one two three' })
  const document = await setup.open('ann')
  const view = editor(document)
  view.dispatch({ changes: { from: 4, to: 8 } })
  document.undo()
  await microtask()
  assert.equal(text(view), 'one two three')
  assert.equal(view.state.selection.main.head, 8)
})

test('the cursor is told when the user moves it, not when others\' edits do', async () => {
  const setup = new Setup({ content: 'one two' })
  const document = await setup.open('ann')
  const told = []
  document.presence.set = fields => told.push(fields)
  const view = editor(document)
  view.dispatch({ selection: { anchor: 1 } })
  assert.deepEqual(told, [])
  view.focus()
  view.dispatch({ selection: { anchor: 1, head: 3 } })
  assert.deepEqual(told.pop(), { cursor: { anchor: 1, head: 3 } })
  insert(view, 3, '!')
  assert.deepEqual(told.pop(), { cursor: { anchor: 4, head: 4 } })
  told.length = 0
  document.edit({ from: 0, insert: 'zero ' })
  await microtask()
  assert.deepEqual(told, [])
  view.destroy()
  assert.deepEqual(told, [{ cursor: null }])
})

test('others\' edits are read out, but not each', async () => {
  const setup = new Setup({ content: 'one\ntwo' })
  const [ann, ben] = [await setup.open('ann'), await setup.open('ben')]
  const said = []
  const view = editor(ann, { extensions: EditorView.updateListener.of(({ transactions }) => {
    for (const { effects } of transactions) for (const effect of effects) if (effect.is(EditorView.announce)) said.push(effect.value)
  }) })
  view.focus()
  for (const letter of 'abc') {
    ben.edit({ from: 4, insert: letter })
    await setup.until(() => ann.text.includes(letter))
    await microtask()
  }
  assert.equal(text(view), 'one\ncbatwo')
  assert.deepEqual(said, ['Someone changed line 2'])
  view.destroy()
})

test('what touches a composed line waits for its end, the rest does not', async () => {
  const setup = new Setup({ content: 'one\ntwo\nthree' })
  const document = await setup.open('ann')
  const view = editor(document)
  view.dispatch({ selection: { anchor: 7 } })
  compose(view)
  insert(view, 7, 'に')
  document.edit([{ from: 0, insert: 'zero ' }, { from: 4, insert: 'x' }, { from: 14, insert: '!' }], { source: 'ben' })
  await microtask()
  assert.equal(text(view), 'zero one\ntwoに\nthree!')
  insert(view, 13, 'ほ')
  assert.equal(document.text, 'zero one\nxtwoにほ\nthree!')
  await microtask()
  assert.equal(text(view), 'zero one\ntwoにほ\nthree!')
  composed(view)
  await until(() => text(view) === document.text)
  assert.equal(text(view), 'zero one\nxtwoにほ\nthree!')
  assert.equal(view.state.selection.main.head, 15)
})

test('two editors of one document follow each other', async () => {
  const setup = new Setup({ content: 'ab' })
  const document = await setup.open('ann')
  const [one, other] = [editor(document), editor(document)]
  insert(one, 1, 'x')
  await microtask()
  insert(other, 3, 'y')
  await microtask()
  assert.deepEqual([text(one), text(other)], ['axby', 'axby'])
})

test('a destroyed editor follows no more, and the document knows nothing of it', async () => {
  const setup = new Setup({ content: 'ab' })
  const document = await setup.open('ann')
  const on = document.on.bind(document)
  let listeners = 0
  document.on = (...args) => {
    const off = on(...args)
    listeners++
    return () => {
      listeners--
      off()
    }
  }
  const view = editor(document)
  assert.ok(listeners > 0)
  document.edit({ from: 0, insert: 'x' })
  view.destroy()
  await microtask()
  document.edit({ from: 0, insert: 'y' })
  await microtask()
  assert.equal(text(view), 'ab')
  assert.equal(listeners, 0)
})

test('an editor that is destroyed before its document is loaded stays as it was', async () => {
  const setup = new Setup({ content: 'ab' })
  const document = setup.client().open('doc')
  const view = editor(document, { doc: 'old' })
  view.destroy()
  await setup.until(() => document.status === 'connected')
  await microtask()
  assert.equal(text(view), 'old')
})

test('whatever happens in whatever order, the views are the documents', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const setup = new Setup({ content: 'The pot.\nThe 🍚 rice.\n', seed })
    const { below: pick } = random(seed)
    const documents = [await setup.open('ann'), await setup.open('ben')]
    const views = documents.map(document => editor(document))
    const composing = [false, false]
    for (let step = 0; step < 60; step++) {
      const which = pick(2)
      const view = views[which]
      const length = view.state.doc.length
      const from = pick(length + 1)
      switch (pick(7)) {
        case 0: case 1: insert(view, from, ['a', '\n', '😀', 'e\u0301', '\ud800', 'x\r\ny'][pick(6)]); break
        case 2: view.dispatch({ changes: { from, to: Math.min(length, from + pick(4)) } }); break
        case 3: await setup.arrive(); break
        case 4: (composing[which] = !composing[which]) ? compose(view) : composed(view); break
        case 5: documents[which].undo(); break
        case 6: await microtask()
      }
    }
    for (const which of [0, 1]) if (composing[which]) composed(views[which])
    await setup.until(() => documents.every(document => document.pending === null))
    await until(() => views.every((view, i) => text(view) === documents[i].text))
    assert.equal(documents[0].text, documents[1].text, `seed ${seed}`)
    for (const view of views) view.destroy()
  }
})
