// Compressed messages: agreed on or not, large, many, slow, and bombs.

import test from 'node:test'
import assert from 'node:assert/strict'
import zlib from 'node:zlib'
import net from 'node:net'
import crypto from 'node:crypto'
import { allSettled, Collab } from './lib/collab.mjs'
import { content, createDocument, edit, version } from './lib/pg.mjs'
import { random, randomEdit } from './lib/random.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { token } from './lib/token.mjs'
import { until } from './lib/wait.mjs'

const prose = length => Array.from({ length }, (_, n) => `wörd${n * 7919 % 1000} 😀`).join(' ')
const metric = async (relay, name) => (await relay.metrics())[name]

test('off, nothing is agreed on', async () => {
  const relay = await startRelay()
  const doc = await createDocument(prose(5000))
  const ann = await new Raw(relay, doc, { perMessageDeflate: true }).join('ann')
  assert.equal(ann.socket.extensions, '')
  assert.equal(await metric(relay, 'deflate_clients'), 0)
  assert.equal(await metric(relay, 'deflate_messages_total{direction="out"}'), 0)
  ann.end()
  await relay.stop()
})

test('a snapshot is compressed only for clients that offer it', async () => {
  const relay = await startRelay({ deflate: 500 })
  const text = prose(6000)
  const doc = await createDocument(text)
  for (const [perMessageDeflate, agreed] of [
    [true, 'permessage-deflate'], [false, ''],
    // whoever asks for these is told that he gets them, or would close the connection
    [{ serverNoContextTakeover: true, clientNoContextTakeover: true }, 'permessage-deflate'],
    [{ clientMaxWindowBits: 10 }, 'permessage-deflate'], [{ serverMaxWindowBits: 10 }, '']
  ]) {
    const before = await metric(relay, 'bytes_out_total')
    const ann = await new Raw(relay, doc, { perMessageDeflate }).join('ann')
    assert.equal(ann.socket.extensions, agreed)
    assert.ok(ann.snapshot.content === text)
    const sent = await metric(relay, 'bytes_out_total') - before
    const whole = Buffer.byteLength(text)
    assert.ok(agreed ? sent < whole / 2 : sent > whole, `${sent} of ${whole}`)
    assert.equal(await metric(relay, 'deflate_clients'), agreed ? 1 : 0)
    // what is short stays as it is, and what comes is understood
    const { version: base } = ann.snapshot
    const out = await metric(relay, 'deflate_messages_total{direction="out"}')
    ann.op(base, ['é'])
    assert.deepEqual((await ann.operation()).op, ['é'])
    assert.equal(await metric(relay, 'deflate_messages_total{direction="out"}'), out)
    await edit(doc, [{ d: 1 }])
    await ann.operation()
    ann.end()
    await until('it to be gone', async () => await metric(relay, 'deflate_clients') === 0)
  }
  await relay.stop()
})

test('large operations both ways, many at once, some of them no shorter', async () => {
  const relay = await startRelay({ deflate: 1 })
  const doc = await createDocument('')
  const clients = await Promise.all([0, 0, 1, 2].map(threshold => new Raw(relay, doc, { perMessageDeflate: threshold === 2 ? false : { threshold: threshold * 1e9 } }).join('ann')))
  const texts = Array.from({ length: 30 }, (_, n) => n % 2 ? prose(n * 300 + 1) : crypto.randomBytes(n * 3000 + 1).toString('base64'))
  for (const text of texts) clients[0].op(0, [text])
  const seen = await Promise.all(clients.map(async client => {
    const ops = []
    while (ops.length < texts.length) ops.push((await client.operation()).op.find(part => typeof part === 'string'))
    return ops
  }))
  for (const ops of seen) assert.ok(ops.every((op, n) => op === texts[n]))
  assert.ok(await metric(relay, 'deflate_messages_total{direction="in"}') >= texts.length)
  assert.ok(await metric(relay, 'deflate_saved_bytes_total') > 0)
  clients.forEach(client => client.end())
  await relay.stop()
})

test('clients that type at random, pings between, and all texts are equal', async () => {
  const relay = await startRelay({ deflate: 1, 'ping-interval': 1 })
  const doc = await createDocument(prose(2000))
  const clients = ['ann', 'ben', 'cleo'].map(user => new Collab(doc, user).connect(relay))
  await Promise.all(clients.map(client => client.ready()))
  const next = random(11)
  for (let round = 0; round < 60; round++) {
    for (const client of clients) client.edit(round % 20 ? randomEdit(client.text, next) : [prose(1 + Math.floor(next() * 3000))])
    if (round % 10 === 0) await until('an answer', () => clients.every(client => client.settled))
  }
  await allSettled(clients, () => version(doc))
  const text = await content(doc)
  for (const client of clients) assert.ok(client.text === text)
  clients.forEach(client => client.leave())
  await relay.stop()
})

test('a slow reader gets everything', async () => {
  const relay = await startRelay({ deflate: 1, 'ring-bytes': 1048576 })
  const doc = await createDocument('')
  const [ann, slow] = await Promise.all([{}, {}].map(() => new Raw(relay, doc, { perMessageDeflate: true }).join('ann')))
  slow.socket.pause()
  const texts = Array.from({ length: 120 }, () => crypto.randomBytes(60000).toString('base64'))
  for (const [n, text] of texts.entries()) {
    ann.op(n, [text])
    await ann.operation()
  }
  slow.socket.resume()
  let at = 0
  while (at < texts.length) {
    const message = await slow.take()
    at = message.type === 'catchup' ? message.version : message.ops.at(-1).version
  }
  assert.equal(at, texts.length)
  assert.ok(await metric(relay, 'ring_misses_total') > 0, 'it was not behind')
  ann.end()
  slow.end()
  await relay.stop()
})

// A socket that was upgraded with the extension, and says what frames it wants.
async function rawSocket (relay, doc) {
  const socket = net.connect(relay.port, '127.0.0.1')
  const chunks = []
  socket.on('data', data => chunks.push(data))
  socket.on('error', () => {})
  let closed = false
  socket.on('close', () => { closed = true })
  socket.write(`GET /v1/collab/${doc} HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: converge.v1\r\nSec-WebSocket-Key: ${crypto.randomBytes(16).toString('base64')}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n`)
  await until('the upgrade', () => /Extensions: permessage-deflate\r\n/i.test(Buffer.concat(chunks)))
  const frame = (first, payload) => {
    const length = payload.length < 126 ? [payload.length | 0x80] : payload.length < 65536 ? [126 | 0x80, payload.length >> 8, payload.length & 255] : [127 | 0x80, 0, 0, 0, 0, ...[24, 16, 8, 0].map(shift => (payload.length >>> shift) & 255)]
    socket.write(Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), payload]))
  }
  // whether it is closed with this code, as the bytes of its last frame say
  const closes = async code => {
    const bytes = Buffer.from([code >> 8, code & 255])
    const said = () => Buffer.concat(chunks).lastIndexOf(bytes)
    await until(`a close with ${code}`, () => said() > Buffer.concat(chunks).lastIndexOf('\r\n\r\n') || closed)
    socket.destroy()
    return said() > 0
  }
  return { socket, frame, closes }
}

const deflate = text => zlib.deflateRawSync(text, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4)

test('bombs and rubbish are refused', async () => {
  const relay = await startRelay({ deflate: 1, 'max-message': 20000 })
  const doc = await createDocument('')
  const bomb = deflate(Buffer.alloc(15e6, ' '))
  assert.ok(bomb.length < 20000)
  for (const [payload, code] of [[bomb, 1009], [deflate(Buffer.alloc(20001, ' ')), 1009], [Buffer.from([7]), 4400], [crypto.randomBytes(25000), 1009], [deflate('{'), 4400]]) {
    const client = await rawSocket(relay, doc)
    client.frame(0xc1, payload)
    assert.ok(await client.closes(code), `${payload.length} bytes are closed with ${code}`)
  }
  // in pieces of one byte, with a ping between, it is a message like any other
  const client = await rawSocket(relay, doc)
  const hello = deflate(JSON.stringify({ type: 'hello', token: token('ann') }))
  for (let at = 0; at < hello.length; at++) {
    client.frame((at === 0 ? 0x41 : 0) | (at === hello.length - 1 ? 0x80 : 0), hello.subarray(at, at + 1))
    if (at === 5) client.frame(0x89, Buffer.from('ping'))
  }
  await until('the client to have joined', async () => await metric(relay, 'joins_total{kind="fresh"}') === 1)
  client.socket.destroy()
  await relay.stop()
})
