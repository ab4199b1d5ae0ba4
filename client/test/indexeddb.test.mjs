// Offline storage in IndexedDB, over fake-indexeddb and a model of the server.

import assert from 'node:assert/strict'
import test from 'node:test'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { indexeddb } from '../src/indexeddb.js'
import { Locks } from './lib/locks.mjs'
import { Setup } from './lib/setup.mjs'

globalThis.IDBKeyRange = IDBKeyRange

// fake-indexeddb works on the event loop: let it, and the world, go on until something is so.
async function until (setup, condition) {
  for (let n = 0; n < 3000; n++) {
    if (condition()) return
    await new Promise(resolve => setImmediate(resolve))
    if (!await setup.world.arrive() && n % 40 === 39) await setup.world.tick()
  }
  throw new Error('it never came to be')
}

/** Everything in the database. */
async function dump (factory) {
  const database = await new Promise((resolve, reject) => {
    const request = factory.open('converge')
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
  const rows = {}
  for (const name of database.objectStoreNames) {
    const all = what => new Promise(resolve => { database.transaction(name).objectStore(name)[what]().onsuccess = event => resolve(event.target.result) })
    rows[name] = await all('getAll')
    rows[`${name} keys`] = await all('getAllKeys')
  }
  database.close()
  return rows
}

class Offline extends Setup {
  constructor (options) {
    super(options)
    this.factory = new IDBFactory()
  }

  tab (user = 'ann', options = {}) {
    const client = this.client(user, { storage: indexeddb({ indexedDB: this.factory }), ...options })
    return Object.assign(client.open('doc'), { tab: client.tab })
  }

  async joined (user, options) {
    const document = this.tab(user, options)
    await until(this, () => document.status === 'connected')
    return document
  }

  /** The tab is gone. */
  crash (document) {
    document.tab.dead = true
    for (const wire of [...this.world.wires]) if (wire.tab === document.tab) wire.cut()
  }

  async down () {
    this.world.network = false
    await this.cut()
  }
}

/** A second later. */
async function later (setup, ms = 1100) {
  setup.world.now += ms
  for (let n = 0; n < 30; n++) {
    await setup.world.tick(0)
    await new Promise(resolve => setImmediate(resolve))
  }
}

test('what is typed without a connection outlives the tab and is sent by the next', async () => {
  const setup = new Offline({ content: 'text' })
  const first = await setup.joined()
  await setup.down()
  first.edit({ from: 4, insert: ' one 😀' })
  first.edit({ from: 0, insert: '> ' })
  await later(setup)
  setup.crash(first)
  const second = setup.tab()
  await second.loaded
  assert.equal(second.text, '> text one 😀')
  assert.equal(second.status, 'offline')
  assert.equal(second.pending.edits, 2)
  assert.equal(second.title, 'a title')
  second.edit({ from: 0, insert: '!' })
  setup.world.network = true
  await until(setup, () => second.pending === null)
  assert.equal(String(setup.server.text), '!> text one 😀')
  await until(setup, () => setup.world.io.length === 0)
  await later(setup, 6000)
  const { sessions, 'ops keys': ops } = await dump(setup.factory)
  assert.deepEqual(ops.filter(key => key.includes('typed')), [])
  assert.ok(sessions.every(({ meta, edits }) => !edits && meta.inflight === null))
})

test('typing that is answered within a second stores nothing', async () => {
  const setup = new Offline()
  const document = await setup.joined()
  for (let n = 0; n < 10; n++) {
    document.edit({ from: n, insert: 'x' })
    await setup.arrive()
    setup.world.now += 200
    await setup.world.tick(0)
  }
  await later(setup, 100)
  assert.deepEqual((await dump(setup.factory)).sessions, [])
  await later(setup, 6000)
  assert.equal((await dump(setup.factory)).texts[0], 'xxxxxxxxxx')
})

test('an offline keystroke writes its own few bytes', async () => {
  const setup = new Offline({ content: 'x'.repeat(100_000) })
  const document = await setup.joined()
  await setup.down()
  document.edit({ from: 0, insert: 'a' })
  await later(setup)
  const { storage } = document.client
  let bytes = 0
  const { write } = storage.backend
  storage.backend.write = function (key, fence, change) {
    bytes += JSON.stringify(change).length
    return write.call(this, key, fence, change)
  }
  for (let n = 0; n < 20; n++) {
    document.edit({ from: n + 1, insert: 'b' })
    await later(setup, 50)
  }
  assert.ok(bytes < 20 * 80, `${bytes} bytes for 20 keystrokes`)
  assert.equal((await dump(setup.factory)).ops.length, 21)
})

test('an op in flight is sent again as it was, by whoever opens the document next, and counts once', async () => {
  const setup = new Offline()
  const first = await setup.joined()
  first.edit({ from: 0, insert: 'once' })
  setup.server.unavailable = 'after' // it is in, and nobody is told
  await setup.arrive()
  await later(setup, 1200)
  await later(setup, 10)
  assert.equal((await dump(setup.factory)).sessions[0].meta.inflight.op[0], 'once')
  setup.crash(first)
  const second = await setup.joined()
  await until(setup, () => second.pending === null)
  assert.equal(second.text, 'once')
  assert.equal(setup.server.version, 1)
})

test('two tabs that were offline at once both come back, with all that was typed', async () => {
  const setup = new Offline()
  const [one, two] = [await setup.joined(), await setup.joined()]
  await setup.down()
  one.edit({ from: 0, insert: 'one' })
  two.edit({ from: 0, insert: 'two' })
  await later(setup)
  setup.crash(one)
  setup.crash(two)
  await later(setup, 61_000)
  setup.world.network = true
  // without locks, a session is taken for gone once it has not written for a while
  setup.factory.now = Date.now
  const realNow = Date.now
  Date.now = () => setup.world.now + 10 * 60_000
  try {
    const last = await setup.joined()
    await until(setup, () => last.pending === null && setup.server.version === 2)
    await until(setup, () => last.version === 2)
    assert.match(last.text, /one/)
    assert.match(last.text, /two/)
  } finally {
    Date.now = realNow
  }
})

test('a user never sends what another typed', async () => {
  const setup = new Offline()
  const ann = await setup.joined('ann')
  await setup.down()
  ann.edit({ from: 0, insert: 'secret' })
  await later(setup)
  setup.crash(ann)
  setup.world.network = true
  const ben = await setup.joined('ben')
  await later(setup, 61_000)
  await until(setup, () => ben.version === setup.server.version)
  assert.equal(ben.text, '')
  assert.equal(setup.server.version, 0)
  const again = await setup.joined('ann')
  await until(setup, () => again.pending === null && setup.server.version === 1)
})

test('without IndexedDB a document works in memory, and says so', async () => {
  const setup = new Offline()
  const client = setup.client('ann', { storage: indexeddb({ indexedDB: undefined }) })
  const document = client.open('doc')
  const heard = []
  document.on('unstored', error => heard.push(error))
  await until(setup, () => document.status === 'connected')
  document.edit({ from: 0, insert: 'x' })
  assert.ok([...client.tab.listeners].some(listener => listener('beforeunload')), 'the page asks before it is left')
  await until(setup, () => document.pending === null)
  assert.ok(heard.length > 0)
})

test('a connection to the database that was lost is opened again', async () => {
  const setup = new Offline()
  const open = setup.factory.open.bind(setup.factory)
  let opened = 0
  let failing = false
  setup.factory.open = (...args) => {
    const request = open(...args)
    if (++opened > 1) return request
    request.addEventListener('success', () => {
      const { result } = request
      const transaction = result.transaction.bind(result)
      // what Safari does: the connection is there, and every transaction fails
      result.transaction = (...args) => {
        if (failing) throw Object.assign(new Error('Connection to Indexed Database server lost'), { name: 'InvalidStateError' })
        return transaction(...args)
      }
    })
    return request
  }
  const document = await setup.joined()
  await setup.down()
  assert.equal(opened, 1)
  failing = true
  document.edit({ from: 0, insert: 'kept' })
  await later(setup)
  assert.equal(opened, 2)
  assert.deepEqual((await dump(setup.factory)).ops.map(op => op), [['kept']])
})

test('an upgrade by another tab closes the connection', async () => {
  const setup = new Offline()
  await setup.joined()
  await new Promise((resolve, reject) => {
    const request = setup.factory.deleteDatabase('converge')
    request.onsuccess = resolve
    request.onblocked = () => reject(new Error('blocked'))
  })
})

/** Let the browser be one that has something, for one test. */
function browser (t, navigator) {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true })
  t.after(() => before === undefined ? delete globalThis.navigator : Object.defineProperty(globalThis, 'navigator', before))
}

test('a lock is held for as long as a tab lives, and tells others that it does', async t => {
  const locks = new Locks()
  browser(t, { locks })
  const setup = new Offline()
  const one = await setup.joined()
  await setup.down()
  one.edit({ from: 0, insert: 'of one' })
  await later(setup)
  assert.equal(locks.held.size, 1)
  // while it lives another tab leaves its session alone, ...
  const two = setup.tab()
  await later(setup, 4000)
  assert.notEqual(two.text, 'of one')
  assert.equal(locks.held.size, 2)
  // ... and takes it up as soon as its lock is free
  const [first] = locks.held.keys()
  setup.crash(one)
  locks.held.delete(first)
  setup.world.network = true
  await until(setup, () => String(setup.server.text) === 'of one' && two.text === 'of one')
  await until(setup, () => locks.held.size === 1)
  await two.client.close()
  await until(setup, () => locks.held.size === 0)
})

test('the browser is asked once to keep what is stored, when something is', async t => {
  let asked = 0
  browser(t, { storage: { persist: async () => { asked++; throw new Error('not here') } } })
  const setup = new Offline()
  const document = await setup.joined()
  document.edit({ from: 0, insert: 'answered ' })
  await until(setup, () => document.pending === null)
  await setup.down()
  document.edit({ from: 0, insert: 'kept' })
  await later(setup)
  document.edit({ from: 0, insert: 'kept' })
  await later(setup)
  assert.equal(asked, 1)
})
