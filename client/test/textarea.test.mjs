// The textarea binding over a model server, in a page without layout.

import { page } from './lib/dom.mjs'
import assert from 'node:assert/strict'
import test from 'node:test'
import { bind } from '../src/textarea.js'
import { Setup } from './lib/setup.mjs'
import { random } from './lib/random.mjs'

const microtask = () => Promise.resolve()

function area (document) {
  const element = page.body.appendChild(page.createElement('textarea'))
  return Object.assign(element, { unbind: bind(document, element) })
}

/** What a browser does when the user types. */
function type (element, from, to, insert) {
  element.value = element.value.slice(0, from) + insert + element.value.slice(to)
  element.setSelectionRange(from + insert.length, from + insert.length)
  element.dispatchEvent(new Event('input'))
}
const compose = (element, on) => element.dispatchEvent(new Event(on ? 'compositionstart' : 'compositionend'))

test('it shows the text once it is loaded, and is read-only until then and when the user must not edit', async () => {
  const setup = new Setup({ content: 'Boil the rice.' })
  const document = setup.client().open('doc')
  const element = area(document)
  assert.equal(element.readOnly, true)
  await setup.until(() => document.status === 'connected')
  assert.deepEqual([element.value, element.readOnly], ['Boil the rice.', false])
  setup.server.share('ann', 'viewer')
  await setup.until(() => document.role === 'viewer')
  assert.equal(element.readOnly, true)
  type(element, 0, 0, 'x')
  assert.equal(element.value, 'Boil the rice.')
})

test('typing is an edit where it was typed, and others\' edits keep the selection', async () => {
  const setup = new Setup({ content: 'aaaa' })
  const document = await setup.open('ann')
  const element = area(document)
  const heard = []
  document.on('change', ({ changes }) => heard.push(changes))
  type(element, 2, 2, 'a')
  assert.deepEqual(heard.pop(), [{ from: 2, to: 2, insert: 'a' }])
  element.setSelectionRange(2, 4, 'backward')
  document.edit([{ from: 0, to: 1, insert: 'xyz' }, { from: 3, insert: '😀' }])
  assert.equal(element.value, 'xyzaa😀aa')
  assert.deepEqual([element.selectionStart, element.selectionEnd, element.selectionDirection], [4, 8, 'backward'])
  type(element, 0, 0, '\ud800')
  assert.equal(element.value, '\ufffdxyzaa😀aa')
  element.unbind()
  document.edit({ from: 0, insert: 'x' })
  assert.equal(element.value, '\ufffdxyzaa😀aa')
})

test('a text with carriage returns keeps them where they are', async () => {
  const setup = new Setup({ content: 'a\r\nb\rc' })
  const document = await setup.open('ann')
  const element = area(document)
  assert.equal(element.value, 'a\nb\nc')
  type(element, 4, 5, 'd')
  assert.equal(document.text, 'a\r\nb\rd')
  document.edit({ from: 6, insert: '!' })
  assert.equal(element.value, 'a\nb\nd!')
  assert.equal(element.selectionStart, 5)
})

test('others wait for the end of a composition, and nothing is lost', async () => {
  const setup = new Setup({ content: 'one two' })
  const document = await setup.open('ann')
  const element = area(document)
  element.setSelectionRange(3, 3)
  compose(element, true)
  type(element, 3, 3, 'に')
  document.edit([{ from: 0, insert: 'zero ' }, { from: 3, insert: '!' }])
  assert.equal(element.value, 'oneに two')
  assert.equal(document.text, 'zero one! two')
  type(element, 3, 4, '日本')
  compose(element, false)
  assert.equal(element.value, document.text)
  assert.equal(document.text, 'zero one日本! two')
  assert.equal(element.selectionStart, 10)
})

test('undo and redo are the document\'s', async () => {
  const setup = new Setup({ content: '' })
  const [ann, ben] = [await setup.open('ann'), await setup.open('ben')]
  const element = area(ann)
  type(element, 0, 0, 'mine')
  await setup.until(() => ben.text === 'mine')
  ben.edit({ from: 4, insert: ' theirs' })
  await setup.until(() => ann.text === 'mine theirs')
  const press = (key, more = {}) => element.dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey: true, cancelable: true, ...more }))
  assert.equal(press('z'), false)
  assert.equal(element.value, ' theirs')
  press('Z', { shiftKey: true })
  assert.equal(element.value, 'mine theirs')
  element.dispatchEvent(Object.assign(new Event('beforeinput', { cancelable: true }), { inputType: 'historyUndo' }))
  assert.equal(element.value, ' theirs')
})

test('whatever happens in whatever order, the areas are the documents', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const setup = new Setup({ content: 'The pot.\nThe 🍚 rice.\r\n', seed })
    const { below, pick } = random(seed)
    const documents = [await setup.open('ann'), await setup.open('ben')]
    const areas = documents.map(area)
    const composing = [false, false]
    let typed = 0
    for (let step = 0; step < 60; step++) {
      const which = below(2)
      const { value } = areas[which]
      const from = below(value.length + 1)
      switch (below(6)) {
        case 0: case 1: type(areas[which], from, from, pick(['a', '\n', '😀', 'e\u0301', '\ud800'])); typed++; break
        case 2: type(areas[which], from, Math.min(value.length, from + below(4)), ''); break
        case 3: await setup.arrive(); break
        case 4: compose(areas[which], composing[which] = !composing[which]); break
        case 5: if (!composing[which]) documents[which].undo()
      }
    }
    for (const which of [0, 1]) if (composing[which]) compose(areas[which], false)
    await setup.until(() => documents.every(document => document.pending === null))
    await setup.arrive()
    await microtask()
    for (const which of [0, 1]) assert.equal(areas[which].value, documents[which].text.replace(/\r\n?/g, '\n'), `seed ${seed}`)
    assert.equal(documents[0].text, documents[1].text)
    assert.ok(typed > 0)
    for (const element of areas) element.unbind()
  }
})
