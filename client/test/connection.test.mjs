// How a document keeps its connection: close codes, tokens, waiting, and who is judged gone.

import assert from 'node:assert/strict'
import test from 'node:test'
import { Client } from '../src/index.js'
import { events, Setup } from './lib/setup.mjs'
import { tokenOf } from './model/server.mjs'
import { settle } from './model/world.mjs'

/** Close a document's connection with a code. */
async function close (setup, code) {
  for (const wire of [...setup.world.wires]) wire.end(code)
  await settle()
}

/** Timers that wait, by how long yet. */
const waits = setup => [...setup.world.timers.values()].map(({ at }) => at - setup.world.now).sort((a, b) => a - b)

for (const [code, name] of [[4400, 'malformed'], [4403, 'forbidden'], [4404, 'not_found']]) {
  test(`${code} is final, and gives back what is pending`, async () => {
    const setup = new Setup({ content: 'x' })
    const document = await setup.open('ann')
    const heard = events(document, 'rejected', 'closed')
    const edit = document.edit({ from: 1, insert: 'mine' })
    await close(setup, code)
    assert.equal(document.status, 'closed')
    assert.deepEqual(heard.map(([kind, { code }]) => [kind, code]), [['rejected', name], ['closed', name]])
    assert.deepEqual([heard[0][1].text, document.text], ['xmine', 'x'])
    await assert.rejects(edit.committed, { code: name })
    await setup.world.calm(() => false, 50)
    assert.equal(setup.world.wires.size, 0)
  })
}

for (const code of [1000, 1001, 1006, 1009, 1011, 1012, 4408, 4429, 4999]) {
  test(`after ${code} it comes back`, async () => {
    const setup = new Setup()
    const document = await setup.open('ann')
    const heard = events(document, 'status')
    document.edit({ from: 0, insert: 'kept' })
    await close(setup, code)
    assert.equal(document.status, 'reconnecting')
    await setup.until(() => document.pending === null)
    assert.equal(String(setup.server.text), 'kept')
    assert.deepEqual(heard.map(([, status]) => status), ['reconnecting', 'connected'])
  })
}

test('4401 asks once for a fresh token, then nobody is logged in', async () => {
  const setup = new Setup()
  const asked = []
  let answer = tokenOf('ann')
  const document = setup.client('ann', { token: ask => { asked.push(ask.fresh); return answer } }).open('doc')
  await setup.until(() => document.status === 'connected')
  setup.world.now += 60_000
  await close(setup, 4401)
  await setup.until(() => document.status === 'connected')
  assert.deepEqual(asked, [false, true])
  answer = 'expired'
  setup.world.now += 60_000
  await close(setup, 4401)
  await setup.until(() => document.status === 'unauthenticated')
  assert.deepEqual(asked.slice(2), [true])
  await setup.world.calm(() => false, 20)
  assert.equal(asked.length, 3)
  answer = tokenOf('ann')
  document.client.authenticate()
  await setup.until(() => document.status === 'connected')
})

test('without a token it is unauthenticated, and a token function that fails is asked again', async () => {
  const setup = new Setup()
  const none = setup.client('ann', { token: async () => null }).open('doc')
  await setup.until(() => none.status === 'unauthenticated')
  let calls = 0
  const failing = setup.client('ann', { token: async () => { if (++calls < 4) throw new Error('no network'); return tokenOf('ann') } }).open('doc')
  await setup.until(() => failing.status === 'connected')
  assert.equal(calls, 4)
})

test('a token that expires is renewed in time on the living connection', async () => {
  const setup = new Setup()
  const said = []
  setup.server.on_token = (connection, { token }) => said.push(token)
  let life = 600
  const token = () => `.${btoa(JSON.stringify({ sub: 'ann', iat: setup.world.now / 1000, exp: setup.world.now / 1000 + life++ }))}.`
  const document = setup.client('ann', { token }).open('doc')
  await setup.until(() => document.status === 'connected')
  const begin = setup.world.now
  await setup.until(() => said.length === 2)
  assert.ok(setup.world.now - begin < 1_200_000 && setup.world.now - begin > 1_000_000, String(setup.world.now - begin))
  assert.equal(document.status, 'connected')
})

test('a token that says no time, or one beyond a timer, is not asked for all the time', async () => {
  for (const [exp, wait] of [[undefined, 0], [null, 0], ['soon', 0], [true, 0], [4e9, 2 ** 30], [1e300, 2 ** 30]]) {
    const setup = new Setup()
    let asked = 0
    const document = await setup.open('ann', { token: () => (asked++, `.${btoa(JSON.stringify({ sub: 'ann', exp }))}.`) })
    assert.equal(document.status, 'connected')
    assert.deepEqual([asked, Math.max(0, ...waits(setup))], [1, wait], String(exp))
  }
})

test('it waits ever longer, at random, but never more than half a minute', async () => {
  const setup = new Setup()
  const document = await setup.open('ann')
  setup.world.network = false
  await setup.cut()
  const longest = []
  for (let n = 0; n < 20; n++) {
    longest.push(waits(setup)[0])
    await setup.world.tick()
    await setup.arrive()
  }
  assert.ok(longest.every(ms => ms >= 0 && ms <= 30_000), String(longest))
  assert.ok(longest[0] <= 500 && Math.max(...longest.slice(10)) > 15_000, String(longest))
  assert.ok(new Set(longest).size > 10)
  assert.equal(document.status, 'offline')
})

for (const name of ['online', 'pageshow', 'visible']) {
  test(`at ${name} it connects at once`, async () => {
    const setup = new Setup()
    const document = await setup.open('ann')
    setup.world.network = false
    await setup.cut()
    for (let n = 0; n < 10; n++) { await setup.world.tick(); await setup.arrive() }
    setup.world.network = true
    const before = setup.world.now
    for (const listener of document.client.tab.listeners) listener(name)
    await setup.arrive()
    assert.equal(document.status, 'connected')
    assert.equal(setup.world.now, before)
  })
}

test('at pagehide it leaves, and comes back at pageshow', async () => {
  const setup = new Setup()
  const document = await setup.open('ann')
  const tell = name => { for (const listener of document.client.tab.listeners) listener(name) }
  tell('pagehide')
  assert.equal(setup.server.connections.size, 0)
  await setup.world.calm(() => false, 20)
  assert.equal(setup.world.wires.size, 0)
  tell('pageshow')
  await setup.arrive()
  assert.equal(document.status, 'connected')
})

test('silence is not judged, but an op without an answer is', async () => {
  const setup = new Setup()
  const document = await setup.open('ann')
  const heard = events(document, 'status')
  setup.world.now += 3_600_000
  await setup.world.calm(() => false, 20)
  assert.deepEqual(heard, [])
  // the network swallows everything, and says nothing
  const [wire] = setup.world.wires
  wire.fromClient = () => {}
  document.edit({ from: 0, insert: 'x' })
  const begin = setup.world.now
  await setup.until(() => document.pending === null)
  assert.ok(setup.world.now - begin < 60_000)
  assert.deepEqual(heard.map(([, status]) => status), ['reconnecting', 'connected'])
})

for (const modern of [true, false]) {
  test(`a server that is slow to answer, but lives, is waited for: ${modern ? 'it answers a ping' : 'an older one says that it knows none'}`, async () => {
    const setup = new Setup({ modern })
    const document = await setup.open('ann')
    const heard = events(document, 'status')
    const slow = []
    const told = []
    for (const wire of setup.world.wires) {
      const { onmessage } = wire.socket
      wire.socket.onmessage = event => {
        told.push(JSON.parse(event.data))
        onmessage(event)
      }
    }
    setup.server.on_op = (...args) => slow.push(args)
    document.edit({ from: 0, insert: 'x' })
    const begin = setup.world.now
    await setup.world.calm(() => setup.world.now - begin > 40_000)
    assert.deepEqual(heard, [])
    assert.ok(told.length >= 1 && told.every(({ type, code }) => modern ? type === 'pong' : code === 'unknown_type'))
    delete setup.server.on_op
    for (const args of slow) setup.server.on_op(...args)
    await setup.until(() => document.pending === null)
    assert.deepEqual(heard, [])
    assert.equal(setup.server.version, 1)
  })
}

test('when the page is seen again, a dead connection is found out', async () => {
  const setup = new Setup()
  const document = await setup.open('ann')
  const [wire] = setup.world.wires
  wire.fromClient = () => {}
  for (const listener of document.client.tab.listeners) listener('visible')
  const heard = events(document, 'status')
  await setup.until(() => heard.length === 2)
  assert.equal(document.status, 'connected')
})

test('an op in flight goes again exactly as it was', async () => {
  const setup = new Setup({ content: 'abc' })
  const document = await setup.open('ann')
  const sent = []
  const { on_op } = setup.server
  setup.server.on_op = (connection, message) => {
    sent.push(JSON.stringify(message))
    if (sent.length === 1) connection.drop()
    else on_op.call(setup.server, connection, message)
  }
  document.edit({ from: 1, insert: 'x' })
  await setup.arrive()
  document.edit({ from: 0, insert: 'behind it' })
  setup.server.edit([{ kind: 1, length: 1, text: '!' }], 'another')
  await setup.cut()
  await setup.until(() => document.pending === null)
  assert.equal(sent[1], sent[0])
  assert.equal(document.text, String(setup.server.text))
  assert.equal(document.text, 'behind it!axbc')
})

test('what a hello says is what is needed to resume', async () => {
  const setup = new Setup()
  const hellos = []
  const { on_hello } = setup.server
  setup.server.on_hello = function (connection, message) {
    hellos.push(message)
    on_hello.call(this, connection, message)
  }
  const document = await setup.open('ann')
  await document.edit({ from: 0, insert: 'x' })
  await setup.arrive()
  document.edit({ from: 0, insert: 'y' })
  await setup.cut()
  await setup.until(() => hellos.length === 2 && document.pending === null)
  const { operationId, sequenceId } = setup.server.log[0]
  assert.deepEqual(Object.keys(hellos[0]), ['type', 'token'])
  assert.deepEqual(hellos[1], { type: 'hello', token: tokenOf('ann'), version: 1, operationId, sequenceId, life: 'life 1', pending: hellos[1].pending })
  assert.match(hellos[1].pending, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('after stale, what was typed is carried over what the server says now', async () => {
  const setup = new Setup({ content: 'one two' })
  const document = await setup.open('ann')
  await setup.cut()
  document.edit({ from: 7, insert: ' three' })
  setup.server.edit([{ kind: 1, length: 5, text: 'zero ' }], 'other')
  setup.server.submit = function (...args) {
    delete setup.server.submit
    setup.server.prune(1)
    return { code: 'stale', message: 'older than the history kept' }
  }
  const rejected = events(document, 'rejected')
  await setup.until(() => document.pending === null)
  assert.equal(document.text, 'zero one two three')
  assert.equal(String(setup.server.text), document.text)
  assert.deepEqual(rejected, [])
})

test('an op that is too large for the server goes in pieces', async () => {
  const setup = new Setup()
  setup.server.largest = 1000
  const document = await setup.open('ann')
  const edit = document.edit({ from: 0, insert: '漢字 '.repeat(2000) })
  await setup.until(() => document.pending === null)
  assert.equal(String(setup.server.text), document.text)
  assert.ok(setup.server.version > 6)
  assert.equal((await edit.committed).version, setup.server.version)
})

test('what is over every limit is given back', async () => {
  const setup = new Setup()
  const document = await setup.open('ann')
  setup.server.largest = 2
  const heard = events(document, 'rejected')
  document.edit({ from: 0, insert: 'x'.repeat(2000) })
  await setup.until(() => document.pending === null)
  assert.deepEqual([heard[0][1].code, heard.map(([, { changes }]) => changes[0].insert.length), document.text], ['too_large', [2000], ''])
})

test('the relay\'s address may have a path, and be http or ws', async () => {
  const at = url => new Client({ url, token: () => 'x' }).socketUrl('a b')
  assert.equal(at('https://example.org'), 'wss://example.org/v1/collab/a%20b')
  assert.equal(at('http://example.org:8080/some/path/'), 'ws://example.org:8080/some/path/v1/collab/a%20b')
  assert.equal(at('wss://example.org/x?y#z'), 'wss://example.org/x/v1/collab/a%20b')
  assert.throws(() => at('ftp://example.org'), /ftp/)
  assert.throws(() => new Client({ url: 'ws://example.org' }), /token must be a function/)
})

test('nothing global is touched by importing it, nor anything connected by making a client', async () => {
  const before = Object.getOwnPropertyNames(globalThis).sort()
  const module = await import(`../src/index.js?${Date.now()}`)
  assert.deepEqual(Object.getOwnPropertyNames(globalThis).sort(), before)
  let made = 0
  const client = new module.Client({ url: 'ws://x', token: () => 'x', WebSocket: class { constructor () { made++ } } })
  await settle()
  assert.equal(made, 0)
  await client.close()
  assert.throws(() => client.open('doc'), { code: 'closed' })
})
