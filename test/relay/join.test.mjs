// Joining, and the ways of an operation.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { content, createDocument, edit, sql, version } from './lib/pg.mjs'
import { newId, Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { now, token } from './lib/token.mjs'
import { until } from './lib/wait.mjs'

let relay
before(async () => { relay = await startRelay() })
after(() => relay.stop())

test('a client joins, gets the text, and sees what it types', async () => {
  const doc = await createDocument('héllo 😀')
  const ann = await new Raw(relay, doc).join('ann')
  const { clientId, users, life, ...joined } = ann.joined
  assert.equal(life, await sql(`SELECT life FROM converge.documents WHERE id = '${doc}'`))
  assert.match(clientId, /^[0-9a-f]{8}-/)
  await until('ann to see herself', () => ann.present.has(clientId))
  assert.deepEqual(joined, { type: 'joined', documentId: doc, userId: 'ann', role: 'editor', title: 'a title', version: 0, resumed: false })
  assert.equal(ann.snapshot.content, 'héllo 😀')
  assert.equal(ann.snapshot.version, 0)
  const id = ann.op(0, [6, '日本'])
  const entry = await ann.operation()
  assert.equal(entry.operationId, id)
  assert.equal(entry.version, 1)
  assert.equal(entry.baseVersion, 0)
  assert.equal(entry.userId, 'ann')
  assert.deepEqual(entry.op, [6, '日本'])
  assert.ok(Math.abs(Date.parse(entry.at) - Date.now()) < 3600000)
  assert.equal(await content(doc), 'héllo 日本😀')
  ann.end()
})

test('all clients of the document get the operation, transformed', async () => {
  const doc = await createDocument('0123456789')
  const ann = await new Raw(relay, doc).join('ann')
  const ben = await new Raw(relay, doc).join('ben')
  ann.op(0, [2, 'aa'])
  assert.deepEqual((await ben.operation()).op, [2, 'aa'])
  await ann.operation()
  ben.op(0, [8, { d: 1 }])
  const entry = await ann.operation()
  assert.deepEqual([entry.version, entry.baseVersion, entry.userId, entry.op], [2, 0, 'ben', [10, { d: 1 }]])
  assert.deepEqual(await ben.operation(), entry)
  ann.end()
  ben.end()
})

test('an edit made in SQL reaches the clients through the stream', async () => {
  const doc = await createDocument('text')
  const ann = await new Raw(relay, doc).join('ann')
  assert.equal(await edit(doc, [4, ' from psql']), 1)
  const entry = await ann.operation()
  assert.deepEqual([entry.version, entry.op], [1, [4, ' from psql']])
  ann.end()
})

test('a transaction of many operations arrives in order', async () => {
  const doc = await createDocument('')
  const ann = await new Raw(relay, doc).join('ann')
  await sql(`SELECT converge.edit('${doc}', converge.insert(0, n || ' ')) FROM generate_series(1, 300) AS n`)
  for (let n = 1; n <= 300; n++) assert.deepEqual([(await ann.operation()).version], [n])
  ann.end()
})

test('operations sent one after the other are applied in order', async () => {
  const doc = await createDocument('')
  const ann = await new Raw(relay, doc).join('ann')
  for (let n = 0; n < 20; n++) ann.op(0, [`${n} `])
  for (let n = 1; n <= 20; n++) {
    const entry = await ann.operation()
    assert.equal(entry.version, n)
    assert.ok(JSON.stringify(entry.op).includes(`"${n - 1} "`))
  }
  ann.end()
})

test('the short form of an operation', async () => {
  const doc = await createDocument('0123456789')
  const ann = await new Raw(relay, doc).join('ann')
  const send = (base, more) => ann.send({ type: 'op', operationId: newId(), baseVersion: base, ...more })
  send(0, { operationType: 'insert', position: 0, payload: 'é' })
  assert.deepEqual((await ann.operation()).op, ['é'])
  send(1, { operationType: 'delete', position: 1, length: 2 })
  assert.deepEqual((await ann.operation()).op, [1, { d: 2 }])
  send(2, { operationType: 'replace', position: 2, length: 1, payload: '😀' })
  assert.deepEqual((await ann.operation()).op, [2, '😀', { d: 1 }])
  assert.equal(await content(doc), 'é2😀456789')
  ann.end()
})

test('nothing is sent before the snapshot is acknowledged', async () => {
  const doc = await createDocument('x')
  const ann = await new Raw(relay, doc).opened()
  ann.send({ type: 'hello', token: token('ann') })
  await ann.expect('joined')
  const snapshot = await ann.expect('snapshot')
  await edit(doc, [1, 'y'])
  const ben = await new Raw(relay, doc).join('ben')
  assert.equal(ben.snapshot.version, 1)
  ben.op(1, [2, 'z'])
  await ben.operation()
  assert.equal(ann.messages.length, 2)
  ann.send({ type: 'ack', sequenceId: snapshot.sequenceId })
  assert.deepEqual([(await ann.operation()).version, (await ann.operation()).version], [1, 2])
  ann.end()
  ben.end()
})

test('a ping is answered before the snapshot is acknowledged and after, and is not the first message', async () => {
  const doc = await createDocument('x')
  const ann = await new Raw(relay, doc).opened()
  ann.send({ type: 'hello', token: token('ann') })
  await ann.expect('joined')
  const snapshot = await ann.expect('snapshot')
  ann.send({ type: 'ping' })
  assert.deepEqual(await ann.expect('pong'), { type: 'pong' })
  ann.send({ type: 'ack', sequenceId: snapshot.sequenceId })
  ann.send({ type: 'ping' })
  assert.deepEqual(await ann.expect('pong'), { type: 'pong' })
  ann.op(0, [1, 'y'])
  assert.equal((await ann.operation()).version, 1)
  ann.end()
  const early = await new Raw(relay, doc).opened()
  early.send({ type: 'ping' })
  assert.equal((await early.expect('error')).code, 'out_of_order')
  assert.equal((await early.close()).code, 4400)
})

test('a token comes in the hello, in a header or in the URL', async () => {
  const doc = await createDocument('')
  for (const [options, hello] of [
    [{}, { token: token('ann') }],
    [{ headers: { Authorization: `Bearer ${token('ann')}` } }, {}],
    [{ query: `?token=${token('ann')}` }, {}],
    [{ query: `?token=${token('ben')}`, headers: { Authorization: 'Bearer nonsense' } }, { token: token('ann') }]
  ]) {
    const client = await new Raw(relay, doc, options).opened()
    client.send({ type: 'hello', ...hello })
    assert.equal((await client.expect('joined')).userId, 'ann')
    client.end()
  }
})

test('a client may ask for no subprotocol', async () => {
  const ann = await new Raw(relay, await createDocument('x'), { protocol: null }).join('ann')
  assert.equal(ann.snapshot.content, 'x')
  ann.end()
})

test('a new token is accepted on the open connection, another user\'s is not', async () => {
  const doc = await createDocument('')
  const ann = await new Raw(relay, doc).join('ann')
  ann.send({ type: 'token', token: token('ann', { exp: now() + 1000 }) })
  ann.op(0, ['x'])
  await ann.operation()
  ann.send({ type: 'token', token: token('ben') })
  assert.equal((await ann.expect('error')).code, 'unauthenticated')
  assert.equal((await ann.close()).code, 4401)
})

test('a message that comes in many pieces is one message', async () => {
  const doc = await createDocument('')
  const ann = await new Raw(relay, doc).join('ann')
  const text = '日本語 '.repeat(20000)
  const message = JSON.stringify({ type: 'op', operationId: newId(), baseVersion: 0, op: [text] })
  const middle = Math.floor(message.length / 2)
  ann.socket.send(message.slice(0, middle), { fin: false })
  ann.socket.send(message.slice(middle), { fin: true })
  assert.deepEqual((await ann.operation()).op, [text])
  assert.equal(await content(doc), text)
  ann.end()
})

test('many clients in one document all get everything', async () => {
  const doc = await createDocument('')
  const clients = await Promise.all(Array.from({ length: 60 }, (_, n) => new Raw(relay, doc).join(`user ${n}`)))
  await Promise.all(clients.map(client => client.op(0, ['x'])))
  for (const client of clients) {
    for (let n = 1; n <= 60; n++) assert.equal((await client.operation()).version, n)
  }
  assert.equal(await version(doc), 60)
  clients.forEach(client => client.end())
  await until('the rooms to be gone', async () => (await relay.metrics()).rooms === 0)
  const metrics = await relay.metrics()
  assert.equal(metrics.ring_bytes, 0)
  assert.equal(metrics.connections, 0)
})
