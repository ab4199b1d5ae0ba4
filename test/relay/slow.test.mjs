// Those that read slowly, or not at all, cost nothing and harm nobody.

import test from 'node:test'
import assert from 'node:assert/strict'
import { Collab } from './lib/collab.mjs'
import { content, createDocument, sql } from './lib/pg.mjs'
import { newId, Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { token } from './lib/token.mjs'
import { until } from './lib/wait.mjs'

const CHUNK = 'é日😀x'.repeat(20000)

test('a reader that stops reading gets one catchup when it reads again', async () => {
  const relay = await startRelay({ 'ring-entries': 16, 'ring-bytes': 300000 })
  const doc = await createDocument('')
  const slow = await new Collab(doc, 'slow').connect(relay).ready()
  const writer = await new Raw(relay, doc).join('writer')
  const reader = await new Raw(relay, doc).join('reader')
  slow.socket.pause()
  for (let n = 0; n < 200; n++) {
    writer.op(n, [CHUNK, ...(n > 0 ? [{ d: [...CHUNK].length }] : [])])
    await writer.operation()
    assert.equal((await reader.operation()).version, n + 1)
  }
  const before = await relay.metrics()
  assert.ok(before.ring_bytes <= 300000 + CHUNK.length * 4)
  const heard = slow.heard.ops
  slow.socket.resume()
  await until('the slow reader to be at the end', () => slow.settled && slow.version === 200)
  assert.equal(slow.heard.catchup, 1)
  assert.ok(slow.heard.ops - heard < 200)
  assert.equal(slow.text, await content(doc))
  assert.equal((await relay.metrics()).ring_misses_total, 1)
  writer.op(200, ['end'])
  await until('it to be live again', () => slow.settled && slow.version === 201)
  ;[slow.socket, writer.socket, reader.socket].forEach(socket => socket.terminate())
  await relay.stop()
})

test('an operation of one\'s own is never inside a catchup', async () => {
  const relay = await startRelay({ 'ring-entries': 16, 'ring-bytes': 300000 })
  const doc = await createDocument('')
  const slow = await new Collab(doc, 'slow').connect(relay).ready()
  const writer = await new Raw(relay, doc).join('writer')
  const write = async (from, to) => {
    for (let n = from; n < to; n++) {
      writer.op(n, [CHUNK, ...(n > 0 ? [{ d: [...CHUNK].length }] : [])])
      await writer.operation()
    }
  }
  slow.socket.pause()
  await write(0, 150)
  slow.edit(['mine '])
  assert.equal((await writer.operation()).version, 151)
  await write(151, 300)
  slow.socket.resume()
  await until('the slow one to be at the end', () => slow.settled && slow.version === 300)
  assert.equal(slow.acknowledged.length, 1)
  assert.equal(slow.heard.catchup, 2)
  assert.equal(slow.text, await content(doc))
  ;[slow.socket, writer.socket].forEach(socket => socket.terminate())
  await relay.stop()
})

test('nor inside one that was requested before the operation arrived', async () => {
  const relay = await startRelay({ 'ring-entries': 16, 'ring-bytes': 300000, readers: 1 })
  const doc = await createDocument('')
  const slow = await new Collab(doc, 'slow').connect(relay).ready()
  const writer = await new Raw(relay, doc).join('writer')
  slow.socket.pause()
  for (let n = 0; n < 150; n++) {
    writer.op(n, [CHUNK, ...(n > 0 ? [{ d: [...CHUNK].length }] : [])])
    await writer.operation()
  }
  // whoever reads the tables for the relay is stopped while the operation is made and answered
  const pid = Number(/reader 1: connected to PostgreSQL, backend (\d+)/.exec(relay.log())[1])
  process.kill(pid, 'SIGSTOP')
  try {
    slow.socket.resume()
    await until('catching up to begin', async () => (await relay.metrics()).ring_misses_total === 1)
    slow.edit(['mine '])
    assert.equal((await writer.operation()).version, 151)
    await until('its answer', async () => (await relay.metrics()).ops_held === 0)
    writer.op(151, ['later '])
    assert.equal((await writer.operation()).version, 152)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await until('the slow one to be at the end', () => slow.settled && slow.version === 152)
  assert.equal(slow.acknowledged.length, 1)
  assert.equal(slow.text, await content(doc))
  ;[slow.socket, writer.socket].forEach(socket => socket.terminate())
  await relay.stop()
})

test('a client is pinged; one that never answers is closed, and one that does stays', async () => {
  const relay = await startRelay({ 'ping-interval': 1 })
  const doc = await createDocument('')
  const dead = await new Raw(relay, doc, { autoPong: false }).join('dead')
  const alive = await new Raw(relay, doc).join('alive')
  let pings = 0
  alive.socket.on('ping', () => pings++)
  await until('the dead one to be closed', () => dead.closed)
  assert.equal(dead.closed.code, 1006)
  assert.ok(pings > 0)
  alive.op(0, ['x'])
  assert.equal((await alive.operation()).version, 1)
  alive.end()
  await relay.stop()
})

test('a client that reads nothing while it requests much is closed', async () => {
  const relay = await startRelay()
  const doc = await createDocument('')
  const rude = await new Raw(relay, doc).join('rude')
  rude.socket.pause()
  const nonsense = JSON.stringify({ type: 'op', operationId: newId(), baseVersion: 'none', filler: 'x'.repeat(100) })
  const timer = setInterval(() => { for (let n = 0; n < 2000; n++) rude.socket.send(nonsense) }, 1)
  await until('it to be let go', async () => (await relay.metrics()).connections === 0)
  clearInterval(timer)
  rude.end()
  await relay.stop()
})

test('who makes the relay hold most is closed for a newcomer, and no newcomer is refused', async () => {
  const relay = await startRelay({ 'max-memory': 20 })
  const doc = await createDocument('')
  await sql(`SELECT converge.edit('${doc}', converge.insert(0, repeat('é日😀x', 900000)))`)
  const other = await createDocument('')
  await sql(`SELECT converge.edit('${other}', converge.insert(0, repeat('é日😀z', 600000)))`)
  const hoarder = await new Raw(relay, doc).opened()
  hoarder.socket.pause()
  hoarder.send({ type: 'hello', token: token('slow') })
  await until('its snapshot to wait for it', async () => (await relay.metrics()).socket_bytes > 8 << 20)
  const ann = await new Raw(relay, other).join('ann')
  assert.equal(ann.snapshot.content.length, 3000000)
  const metrics = await relay.metrics()
  assert.equal(metrics['refused_total{reason="memory"}'], 0)
  assert.equal(metrics.memory_closed_total, 1)
  hoarder.socket.resume()
  await until('the hoarder to be closed', () => hoarder.closed)
  await until('its close to be counted', async () => (await relay.metrics())['closes_total{code="4413"}'] === 1)
  ann.end()
  await until('nothing to be held', async () => (await relay.metrics()).socket_bytes === 0)
  await relay.stop()
})

test('a text for which the memory is too small is refused with a reason', async () => {
  const relay = await startRelay({ 'max-memory': 4 })
  const doc = await createDocument('')
  await sql(`SELECT converge.edit('${doc}', converge.insert(0, repeat('é日😀x', 900000)))`)
  const client = await new Raw(relay, doc).opened()
  client.send({ type: 'hello', token: token('ann') })
  assert.match((await client.expect('error')).message, /max-memory/)
  assert.equal((await client.close()).code, 1012)
  assert.equal((await relay.metrics())['refused_total{reason="memory"}'], 1)
  const small = await new Raw(relay, await createDocument('é')).join('ann')
  small.end()
  await relay.stop()
})

test('a snapshot that many wait for is held once', async () => {
  const relay = await startRelay({ 'max-memory': 64 })
  const doc = await createDocument('')
  await sql(`SELECT converge.edit('${doc}', converge.insert(0, repeat('é日😀x', 900000)))`)
  const slow = []
  for (let n = 0; n < 12; n++) slow.push(await new Raw(relay, doc).opened())
  slow.forEach(({ socket }) => socket.pause())
  slow.forEach((client, n) => client.send({ type: 'hello', token: token(`slow ${n}`) }))
  await until('all snapshots to wait', async () => (await relay.metrics()).socket_bytes > 12 * (8 << 20))
  const metrics = await relay.metrics()
  assert.ok(metrics.memory_held_bytes < 64 << 20, `${metrics.memory_held_bytes}`)
  assert.equal(metrics.memory_closed_total, 0)
  slow.forEach(({ socket }) => socket.resume())
  for (const client of slow) {
    await client.expect('joined')
    assert.equal((await client.expect('snapshot')).content.length, 4500000)
  }
  slow.forEach(client => client.end())
  await relay.stop()
})

test('before there is a valid token, only a short message is read', async () => {
  const relay = await startRelay()
  const doc = await createDocument('')
  const stranger = await new Raw(relay, doc).opened()
  stranger.send({ type: 'hello', token: 'x'.repeat(40000) })
  assert.equal((await stranger.close()).code, 1009)
  await relay.stop()
})
