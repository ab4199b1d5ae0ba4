// A document as programs see it, over a model of the server.

import assert from 'node:assert/strict'
import test from 'node:test'
import { events, Setup } from './lib/setup.mjs'
import { parse } from '../src/ot/index.js'

test('a document is loaded, edited, and the edit is committed', async () => {
  const setup = new Setup({ content: 'hello' })
  const document = setup.client('ann').open('doc')
  assert.equal(document.status, 'connecting')
  const heard = events(document, 'change', 'pending', 'saved', 'status', 'role', 'title')
  await setup.until(() => document.status === 'connected')
  assert.equal(await document.loaded, document)
  assert.deepEqual([document.text, document.length, document.version, document.title, document.role, document.canEdit, document.pending], ['hello', 5, 0, 'a title', 'editor', true, null])
  const edit = document.edit([{ from: 5, to: 5, insert: ' world' }])
  assert.equal(document.text, 'hello world')
  assert.deepEqual(document.pending, { edits: 1, since: setup.world.now })
  const saved = document.saved()
  await setup.arrive()
  const { operationId, version, at } = await edit.committed
  assert.equal(setup.server.log[0].operationId, operationId)
  assert.deepEqual([version, at, document.version, document.pending], [1, 'now', 1, null])
  await saved
  assert.equal(String(setup.server.text), 'hello world')
  assert.deepEqual(heard.map(([name]) => name), ['title', 'role', 'status', 'change', 'pending', 'pending', 'saved'])
  assert.deepEqual(heard[3][1], { changes: [{ from: 5, to: 5, insert: ' world' }], origin: 'local', userId: 'ann', version: 0, source: undefined, undo: false })
})

test('what others write comes as changes, with who wrote it', async () => {
  const setup = new Setup({ content: '😀 one' })
  const [ann, ben] = [await setup.open('ann'), await setup.open('ben')]
  const heard = events(ann, 'change')
  ben.edit({ from: 3, to: 6, insert: 'two 😀' })
  await setup.arrive()
  assert.equal(ann.text, '😀 two 😀')
  assert.deepEqual(heard[0][1], { changes: [{ from: 3, to: 6, insert: 'two 😀' }], origin: 'remote', userId: 'ben', version: 1, source: undefined, undo: false })
})

test('two who write at one place end with one text, and nobody waits', async () => {
  for (let seed = 0; seed < 50; seed++) {
    const setup = new Setup({ seed, content: '-' })
    const [ann, ben] = [await setup.open('ann'), await setup.open('ben')]
    // each goes on behind what they wrote last
    const type = (document, letters, n) => document.edit({ from: n === 0 ? 0 : document.text.indexOf(letters[n - 1]) + 1, insert: letters[n] })
    for (let n = 0; n < 6; n++) {
      type(ann, 'abcdef', n)
      type(ben, 'ABCDEF', n)
      if (setup.random.below(2)) await setup.world.arrive()
    }
    await setup.until(() => ann.pending === null && ben.pending === null && ann.version === ben.version)
    assert.equal(ann.text, String(setup.server.text))
    assert.equal(ben.text, ann.text)
    assert.match(ann.text, /abcdef/)
    assert.match(ann.text, /ABCDEF/)
  }
})

test('the same id gives the same document until its last release, and one that is opened again at once stays', async () => {
  const setup = new Setup()
  const client = setup.client()
  const document = client.open('doc')
  assert.equal(client.open('doc'), document)
  await setup.until(() => document.status === 'connected')
  document.release()
  document.release()
  assert.equal(client.open('doc'), document)
  await setup.world.tick(1)
  await setup.world.tick(1)
  assert.equal(document.status, 'connected')
  document.release()
  assert.equal(document.status, 'connected')
  await setup.world.tick(1)
  assert.equal(document.status, 'closed')
  assert.throws(() => document.edit({ from: 0, insert: 'x' }), { code: 'closed' })
  assert.throws(() => document.release(), /too often/)
  assert.notEqual(client.open('doc'), document)
})

test('a released document sends what is pending first', async () => {
  const setup = new Setup()
  const document = await setup.open('ann')
  document.edit({ from: 0, insert: 'x' })
  document.release()
  await setup.world.tick(1)
  assert.equal(document.status, 'connected')
  await setup.arrive()
  assert.equal(document.status, 'closed')
  assert.equal(String(setup.server.text), 'x')
})

test('an edit that comes to nothing is answered at once and never sent', async () => {
  const setup = new Setup()
  const document = await setup.open('ann')
  const first = document.edit({ from: 0, insert: 'a' })
  const second = document.edit({ from: 1, insert: 'b' })
  const third = document.edit({ from: 1, to: 2 })
  assert.deepEqual(await second.committed, { operationId: null, version: 0, at: null })
  await third.committed
  assert.deepEqual(document.pending.edits, 1)
  await setup.arrive()
  assert.equal((await first.committed).version, 1)
  assert.equal(setup.server.version, 1)
  assert.equal((await document.edit([]).committed).operationId, null)
})

test('a deletion that another made first is answered before it is sent', async () => {
  const setup = new Setup({ content: 'abcdef' })
  const [ann, ben] = [await setup.open('ann'), await setup.open('ben')]
  const first = ben.edit({ from: 6, insert: '!' }) // under way, so that the next waits behind it
  const second = ben.edit({ from: 1, to: 4 })
  const heard = events(ben, 'pending', 'saved')
  setup.server.edit(parse([1, { d: 3 }]), 'another')
  await setup.until(() => ben.pending === null)
  await first.committed
  assert.deepEqual((await second.committed).operationId, null)
  assert.equal(heard.at(-1)[0], 'saved')
  assert.equal(setup.server.log.length, 2)
  assert.equal(ann.status, 'connected')
})

test('an op that was too large and was taken back meanwhile is answered', async () => {
  const setup = new Setup()
  const ann = await setup.open('ann')
  setup.server.largest = 1000
  const edits = [ann.edit({ from: 0, insert: 'x'.repeat(3000) }), ann.edit({ from: 0, to: 3000 })]
  const heard = events(ann, 'saved')
  await setup.until(() => ann.pending === null)
  for (const edit of edits) assert.equal((await edit.committed).operationId, null)
  assert.equal(heard.length, 1)
  assert.equal(setup.server.log.length, 0)
})

test('undo takes back one\'s own edits alone, and redo makes them again', async () => {
  const setup = new Setup({ content: 'x' })
  const [ann, ben] = [await setup.open('ann'), await setup.open('ben')]
  ann.edit({ from: 1, insert: 'abc' })
  await setup.arrive()
  ben.edit({ from: 2, insert: '1' })
  ben.edit({ from: 0, insert: '2' })
  await setup.arrive()
  assert.equal(ann.text, '2xa1bc')
  assert.equal(ben.canUndo && ann.canUndo && !ann.canRedo, true)
  ann.undo()
  assert.equal(ann.text, '2x1')
  assert.equal(ann.canUndo, false)
  assert.equal(ann.undo(), null)
  await setup.arrive()
  ben.edit({ from: 2, insert: '3' })
  await setup.arrive()
  assert.equal(ann.text, '2x31')
  ann.redo()
  await setup.arrive()
  assert.equal(ben.text, ann.text)
  assert.equal(ann.text, '2xa31bc')
  ann.undo()
  await setup.arrive()
  assert.equal(ann.text, '2x31')
})

test('typing at one place is undone together, after a pause or elsewhere apart', async () => {
  const setup = new Setup()
  const document = await setup.open('ann')
  const type = (from, insert, to = from) => document.edit({ from, to, insert })
  for (const [n, letter] of [...'hello'].entries()) type(n, letter)
  type(4, '', 5)
  setup.world.now += 1000
  type(4, 'p')
  type(0, '-')
  assert.equal(document.text, '-hellp')
  const seen = []
  while (document.undo()) seen.push(document.text)
  assert.deepEqual(seen, ['hellp', 'hell', ''])
  while (document.redo()) seen.push(document.text)
  assert.deepEqual(seen.slice(3), ['hell', 'hellp', '-hellp'])
  document.undo()
  type(0, '!')
  assert.equal(document.canRedo, false)
})

test('a refused edit is given back with what would make it again', async () => {
  const setup = new Setup({ content: 'text' })
  const document = await setup.open('ann')
  const heard = events(document, 'rejected', 'change')
  const edit = document.edit({ from: 4, insert: ' mine' })
  setup.server.roles.set('ann', 'viewer')
  await setup.arrive()
  await assert.rejects(edit.committed, { code: 'forbidden', changes: [{ from: 4, to: 4, insert: ' mine' }] })
  assert.equal(document.text, 'text')
  assert.equal(document.pending, null)
  const rejected = heard.find(([name]) => name === 'rejected')[1]
  assert.deepEqual([rejected.code, rejected.text, rejected.changes], ['forbidden', 'text mine', [{ from: 4, to: 4, insert: ' mine' }]])
})

test('another role is told, and a viewer cannot edit', async () => {
  const setup = new Setup()
  const document = await setup.open('ann')
  const heard = events(document, 'role', 'closed', 'status')
  setup.server.share('ann', 'viewer')
  await setup.arrive()
  assert.equal(document.canEdit, false)
  assert.throws(() => document.edit({ from: 0, insert: 'x' }), { code: 'forbidden' })
  setup.server.share('ann', 'none')
  await setup.arrive()
  assert.deepEqual(heard, [['role', 'viewer'], ['status', 'closed'], ['closed', { code: 'forbidden', message: 'the connection was closed with 4403' }]])
})

test('a document that may not be read rejects loaded', async () => {
  const setup = new Setup()
  setup.server.roles.set('ann', 'none')
  const document = setup.client('ann').open('doc')
  await setup.until(() => document.status === 'closed')
  await assert.rejects(document.loaded, { code: 'forbidden' })
})

test('a listener that throws or edits harms no other, and events keep their order', async t => {
  const setup = new Setup()
  const document = await setup.open('ann')
  t.mock.method(console, 'error', () => {})
  document.on('change', () => { throw new Error('a listener\'s own') })
  document.on('change', ({ changes }) => { if (changes[0].insert === 'a') document.edit({ from: 1, insert: 'b' }) })
  const heard = []
  const off = document.on('change', ({ changes }) => heard.push(changes[0].insert))
  document.edit({ from: 0, insert: 'a' })
  off()
  document.edit({ from: 0, insert: 'c' })
  assert.deepEqual(heard, ['a', 'b'])
  assert.equal(document.text, 'cab')
})

test('an op in code points is applied, and one that cannot be is refused', async () => {
  const setup = new Setup({ content: '😀x' })
  const document = await setup.open('ann')
  document.apply([1, '漢', { d: 1 }])
  assert.equal(document.text, '😀漢')
  assert.throws(() => document.apply([3, 'x']), /to 3, beyond the end of the text at 2/)
  assert.throws(() => document.apply([{ d: 3 }]), RangeError)
  assert.throws(() => document.apply(['\0']), /U\+0000/)
  await setup.arrive()
  assert.deepEqual(parse(setup.server.log[0].op), parse([1, '漢', { d: 1 }]))
})
