// Who else is there and where their cursors are, and what this client says of its own.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { parse } from '../src/ot/index.js'
import { events, Setup } from './lib/setup.mjs'

/** A document that is connected, its connection, and what it says of a kind. */
async function joined (options, kind = 'presence') {
  const setup = new Setup(options)
  const heard = []
  setup.server[`on_${kind}`] = (_connection, message) => heard.push(message)
  const document = await setup.open('ann')
  const say = message => [...setup.server.connections].at(-1).say(message)
  return { setup, document, heard, say }
}

const ben = more => ({ clientId: 'b1', userId: 'ben', name: 'Ben', color: '#12ab9f', ...more })

test('others\' cursors are carried over what comes and what is typed here, in UTF-16', async () => {
  const { setup, document, say } = await joined({ content: '😀 hello' })
  const told = events(document, 'presence')
  say({ type: 'presence', users: [ben({ version: 0, cursor: { anchor: 2, head: 7 } })] })
  await setup.arrive()
  assert.deepEqual(document.presence.users, [{ clientId: 'b1', userId: 'ben', name: 'Ben', color: '#12ab9f', cursor: { anchor: 3, head: 8 } }])
  assert.equal(told.length, 1)
  document.edit({ from: 0, insert: '𝒳' }) // not answered yet
  assert.deepEqual(document.presence.users[0].cursor, { anchor: 5, head: 10 })
  setup.server.edit(parse([1, 'abc']), 'of another')
  await setup.until(() => document.pending === null)
  assert.equal(document.text, '𝒳😀abc hello')
  assert.deepEqual(document.presence.users[0].cursor, { anchor: 8, head: 13 })
  setup.server.edit(parse([6, { d: 5 }]), 'what stood there is gone')
  await setup.arrive()
  assert.deepEqual(document.presence.users[0].cursor, { anchor: 8, head: 8 })
})

test('an insert at a cursor pushes it where its own user made it', async () => {
  const { setup, document, say } = await joined({ content: 'ab' })
  say({ type: 'presence', users: [ben({ version: 0, cursor: { anchor: 1, head: 1 } }), { clientId: 'z1', userId: 'cleo', version: 0, cursor: { anchor: 1, head: 1 } }] })
  await setup.arrive()
  setup.server.submit('ben', 'by ben', 0, [1, 'xy'])
  for (const connection of setup.server.connections) setup.server.flow(connection)
  await setup.arrive()
  assert.deepEqual(document.presence.users.map(({ cursor }) => cursor.head), [3, 1])
})

test('a cursor of a version to come waits for it, and one of an old version is carried', async () => {
  const { setup, document, say } = await joined({ content: 'abcdef' })
  say({ type: 'presence', users: [ben({ version: 1, cursor: { anchor: 9, head: 9 } })] })
  await setup.arrive()
  assert.equal(document.presence.users[0].cursor, null)
  setup.server.edit(parse([3, 'xyz']), 'first')
  await setup.arrive()
  assert.deepEqual(document.presence.users[0].cursor, { anchor: 9, head: 9 })
  for (let n = 0; n < 20; n++) setup.server.edit(parse(['-']), `more ${n}`)
  await setup.arrive()
  say({ type: 'presence', users: [ben({ version: 1, cursor: { anchor: 2, head: 4 } })] })
  await setup.arrive()
  assert.deepEqual(document.presence.users[0].cursor, { anchor: 22, head: 24 })
})

test('cursors outlast hundreds of ops, and a snapshot', async () => {
  const { setup, document, say } = await joined({ content: 'abcdef' })
  say({ type: 'presence', users: [ben({ version: 0, cursor: { anchor: 2, head: 4 } })] })
  await setup.arrive()
  for (let n = 0; n < 300; n++) {
    setup.server.edit(parse(['-']), `more ${n}`)
    if (n % 3 === 0) await setup.arrive()
  }
  await setup.arrive()
  assert.deepEqual(document.presence.users[0].cursor, { anchor: 302, head: 304 })
  setup.server.again([...setup.server.connections][0], false)
  await setup.arrive()
  assert.deepEqual(document.presence.users[0].cursor, { anchor: 302, head: 304 })
})

test('who leaves is gone, a complete list is all there are, and one is not among the others', async () => {
  const { setup, document, say } = await joined()
  say({ type: 'presence', users: [ben(), { clientId: 'z1', userId: 'cleo' }, { clientId: document.presence.own, userId: 'ann' }] })
  await setup.arrive()
  assert.deepEqual(document.presence.users.map(({ userId }) => userId), ['ben', 'cleo'])
  say({ type: 'presence', left: ['b1'] })
  await setup.arrive()
  assert.deepEqual(document.presence.users, [{ clientId: 'z1', userId: 'cleo', name: null, color: null, cursor: null }])
  say({ type: 'presence', users: [ben()], complete: true })
  await setup.arrive()
  assert.deepEqual(document.presence.users.map(({ userId }) => userId), ['ben'])
})

test('the own cursor is said in code points of the server\'s text, seldom, and not twice', async () => {
  const { setup, document, heard } = await joined({ content: '😀ab' })
  document.presence.set({ name: 'Ann', color: '#000000', cursor: { anchor: 2, head: 3 } })
  for (let n = 0; n < 10; n++) document.presence.set({ cursor: { anchor: 4, head: 4 } })
  await setup.until(() => heard.length > 0)
  assert.deepEqual(heard, [{ type: 'presence', name: 'Ann', color: '#000000', version: 0, cursor: { anchor: 3, head: 3 } }])
  document.presence.set({ cursor: { anchor: 4, head: 4 } })
  await setup.until(() => true)
  assert.equal(heard.length, 1)
  document.edit({ from: 0, insert: 'typed ' }) // pending: others do not have it
  document.presence.set({ cursor: { anchor: 3, head: 9 } })
  await setup.world.tick(5000)
  await setup.arrive()
  assert.deepEqual(heard.at(-1).version === 0 ? heard.at(-1).cursor : null, { anchor: 0, head: 2 })
})

test('a cursor that others move is said again after a while, at the version held', async () => {
  const { setup, document, heard } = await joined({ content: 'ab' })
  document.presence.set({ cursor: { anchor: 2, head: 2 } })
  await setup.until(() => heard.length === 1)
  const from = setup.world.now
  setup.server.edit(parse(['xyz']), 'of another')
  await setup.arrive()
  assert.equal(heard.length, 1)
  await setup.until(() => heard.length === 2)
  assert.deepEqual(heard[1], { type: 'presence', version: 1, cursor: { anchor: 5, head: 5 } })
  assert.ok(setup.world.now - from >= 3000)
})

test('after coming back it is said anew, null takes it away, and what is no cursor is refused', async () => {
  const { setup, document, heard } = await joined({ content: 'ab' })
  document.presence.set({ name: 'n'.repeat(200), cursor: { anchor: 1, head: 99 } })
  await setup.until(() => heard.length === 1)
  assert.deepEqual(heard[0], { type: 'presence', name: 'n'.repeat(100), version: 0, cursor: { anchor: 1, head: 2 } })
  await setup.cut()
  await setup.until(() => heard.length === 2)
  assert.deepEqual(heard[1], heard[0])
  document.presence.set({ cursor: null, name: null })
  await setup.until(() => heard.length === 3)
  assert.deepEqual(heard[2], { type: 'presence', name: null, cursor: null })
  assert.throws(() => document.presence.set({ cursor: { anchor: 1.5, head: 1 } }), TypeError)
  assert.throws(() => document.presence.set({ color: 'red' }), /like #12ab9f, not red/)
})

test('who writes for the chat is typing, until seconds after their last key, or until they say so', async () => {
  const { setup, document, heard, say } = await joined()
  const names = () => heard.map(({ name }) => name)
  document.presence.set({ name: 'Ann', typing: true })
  await setup.until(() => heard.length === 1)
  const from = setup.world.now
  await setup.world.tick(3000)
  document.presence.set({ typing: true })
  await setup.until(() => heard.length === 2)
  assert.ok(setup.world.now - from >= 7000, 'a key prolongs it, and is not said')
  document.presence.set({ typing: true })
  await setup.until(() => heard.length === 3)
  document.presence.set({ typing: false })
  await setup.until(() => heard.length === 4)
  document.presence.set({ name: 'n'.repeat(100), typing: true })
  await setup.until(() => heard.length === 5)
  document.presence.set({ name: null, typing: false })
  await setup.until(() => heard.length === 6)
  assert.deepEqual(names(), ['Ann (typing)', 'Ann', 'Ann (typing)', 'Ann', `${'n'.repeat(91)} (typing)`, null])
  // a connection that is lost meanwhile does not prolong it
  document.presence.set({ name: 'Ann', typing: true })
  await setup.until(() => heard.length === 7)
  await setup.cut()
  await setup.until(() => names().at(-1) === 'Ann')

  say({ type: 'presence', users: [ben({ name: 'Ben (typing)' }), { clientId: 'z1', userId: 'cleo', name: ' (typing)' }, { clientId: 'd1', userId: 'dan', name: 'Dan (Legal)' }] })
  await setup.arrive()
  assert.deepEqual(document.presence.users.map(({ name, typing }) => [name, typing]), [['Ben', true], [null, true], ['Dan (Legal)', undefined]])
})

test('a checksum is that of the server\'s text, without what is pending', async () => {
  const sha256 = async bytes => new Uint8Array(createHash('sha256').update(bytes).digest()).buffer
  const heard = []
  const setup = new Setup({ content: 'täxt 😀' })
  setup.server.on_checksum = (_connection, message) => heard.push(message)
  const environment = setup.world.environment(() => setup.server, { dead: false })
  const document = setup.client('ann', { environment: { ...environment, sha256 } }).open('doc')
  await setup.until(() => document.status === 'connected')
  document.edit({ from: 0, insert: 'pending ' })
  setup.server.hear = ((hear, connection) => function (from, message) { if (message.type !== 'op') hear.call(this, from, message) })(setup.server.hear)
  ;[...setup.server.connections][0].say({ type: 'checksum' })
  await setup.arrive()
  await setup.arrive()
  assert.deepEqual(heard, [{ type: 'checksum', version: 0, checksum: createHash('sha256').update('täxt 😀').digest('hex') }])
})

test('a text that is not the server\'s is told, and replaced', async () => {
  const { setup, document, say } = await joined({ content: 'right' })
  const told = events(document, 'diverged', 'change')
  say({ type: 'error', code: 'diverged', message: 'the text is another' })
  setup.server.again([...setup.server.connections][0], true)
  setup.server.text = setup.server.text.apply(parse([5, '!'])).text
  setup.server.snapshot([...setup.server.connections][0])
  await setup.arrive()
  assert.equal(told[0][0], 'diverged')
  assert.equal(document.text, 'right!')
})
