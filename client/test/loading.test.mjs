// Parts of the code that cannot be loaded for a while: they are asked for once for each
// connection that is made, and what waits for them goes on then. In a file of its own, for
// every other test has them from the beginning.

import assert from 'node:assert/strict'
import test from 'node:test'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { parts } from './lib/unloadable.mjs'

globalThis.IDBKeyRange = IDBKeyRange
parts.failing = true
const { TalkSetup } = await import('./lib/unloaded.mjs')
const { indexeddb } = await import('../src/indexeddb.js')

test('what cannot be loaded is asked for once with each connection, and goes on when it is there', async () => {
  const setup = new TalkSetup({ content: 'Boil the rice.' })
  const unhandled = []
  process.on('unhandledRejection', error => unhandled.push(error))
  const before = { ...parts.asked }
  const client = setup.client('ann', { storage: indexeddb({ indexedDB: new IDBFactory() }) })
  const document = client.open('doc')
  const rejected = []
  document.on('rejected', event => rejected.push(event))
  const heard = []
  document.on('chat', event => heard.push(event.body))
  await setup.eventually(() => document.status === 'connected')
  // all that a page does while it cannot be loaded
  setup.world.network = false
  await setup.cut()
  const said = document.chat.say('hello')
  const { loaded } = document.comments
  for (let n = 0; n < 100; n++) {
    document.presence.set({ cursor: { anchor: n % 5, head: 2 } })
    document.edit({ from: 0, insert: 'x' })
    assert.deepEqual([document.comments.list, document.chat.list, document.presence.users], [[], [], []])
    await setup.world.tick(31_000)
    await setup.still()
  }
  const tries = Object.fromEntries(Object.entries(parts.asked).map(([name, count]) => [name, count - before[name]]))
  assert.ok(tries.core <= 5 && tries.offline <= 4 && tries.talk <= 3, JSON.stringify(tries))
  // a connection, and still not: once more, each
  const connect = async () => {
    const earlier = { ...parts.asked }
    setup.world.network = true
    for (const listener of client.tab.listeners) listener('online')
    await setup.eventually(() => document.status === 'connected')
    await setup.still()
    return Object.entries(parts.asked).map(([name, count]) => count - earlier[name])
  }
  for (let n = 0; n < 3; n++) {
    setup.world.network = false
    await setup.cut()
    assert.deepEqual((await connect()).map(count => count >= 1 && count <= 2), [true, true, true])
  }
  // and then it can be
  setup.world.network = false
  await setup.cut()
  parts.failing = false
  await connect()
  await setup.eventually(() => setup.model.messages.size === 1 && document.talk?.busy === false && heard.length > 0)
  assert.equal((await said).body, 'hello')
  assert.equal(await loaded, document.comments)
  const ben = await setup.open('ben')
  ben.presence.set({ name: 'Ben' })
  await setup.eventually(() => setup.server.connections.size === 2)
  assert.deepEqual([rejected, unhandled], [[], []])
  // nothing is asked for any more
  const last = { ...parts.asked }
  await setup.cut()
  await setup.eventually(() => document.status === 'connected')
  assert.deepEqual(parts.asked, last)
})
