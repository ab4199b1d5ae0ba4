// The head of a request: what it may hold, how long it may be, how it is read.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { Bytes, upgrade } from './lib/bytes.mjs'
import { createDocument, sql } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { token } from './lib/token.mjs'
import { until } from './lib/wait.mjs'

let relay, doc
before(async () => {
  relay = await startRelay()
  doc = await createDocument('é')
})
after(() => relay.stop())

const request = (first, ...headers) => `${[`${first} HTTP/1.1`, 'Host: x', ...headers].join('\r\n')}\r\n\r\n`

// What is said until the relay ends the connection.
async function answer (bytes, where = relay) {
  const client = new Bytes(where).write(bytes)
  await client.end()
  return client
}

// ---- expectations ----

test('a client that waits for the word before its body gets it', async () => {
  const body = JSON.stringify({ title: 'x' })
  const headers = [`Authorization: Bearer ${token('ann')}`, 'Content-Type: application/json', `Content-Length: ${body.length}`]
  for (const word of ['100-continue', '100-Continue']) {
    const client = new Bytes(relay).write(request('POST /v1/docs', ...headers, `Expect: ${word}`))
    await until('the word', () => client.heard.includes('\r\n\r\n'))
    assert.equal(String(client.heard), 'HTTP/1.1 100 Continue\r\n\r\n')
    client.write(body)
    await client.end()
    assert.deepEqual(client.statuses(), [100, 201])
  }
})

test('a client that would be refused is refused without its body', async () => {
  const expect = 'Expect: 100-continue'
  assert.deepEqual((await answer(request('POST /v1/docs', 'Content-Length: 999999999', expect))).statuses(), [413])
  assert.deepEqual((await answer(request('POST /v1/docs', 'Transfer-Encoding: chunked', expect))).statuses(), [411])
  assert.deepEqual((await answer(request('GET /healthz', expect))).statuses(), [200])
  assert.deepEqual((await answer(request('POST /healthz', 'Content-Length: 0', expect))).statuses(), [405])
})

test('what else is expected is refused', async () => {
  for (const expected of ['200-ok', '100-continue, 200-ok', 'x'.repeat(300)]) {
    assert.deepEqual((await answer(request('POST /v1/docs', 'Content-Length: 5', `Expect: ${expected}`))).statuses(), [417], expected)
  }
})

// ---- bodies ----

test('a body may pause for as long as it has time', async () => {
  const own = await startRelay({ 'handshake-timeout': 1, 'body-timeout': 60 })
  const body = JSON.stringify({ title: 'x' })
  const headers = [`Authorization: Bearer ${token('ann')}`, 'Content-Type: application/json', `Content-Length: ${body.length}`]
  const paused = [0, 1, 5].map(n => new Bytes(own).write(request('POST /v1/docs', ...headers) + body.slice(0, n)))
  // one that says nothing is ended when the time of a handshake has passed, twice over
  for (let n = 0; n < 3; n++) await answer('', own)
  for (const [i, n] of [0, 1, 5].entries()) {
    assert.equal(paused[i].closed, undefined, `${n} bytes`)
    paused[i].write(body.slice(n))
    await paused[i].end()
    assert.deepEqual(paused[i].statuses(), [201])
  }
  await own.stop()
})

test('a body that does not come in its time ends the connection', async () => {
  const own = await startRelay({ 'handshake-timeout': 60, 'body-timeout': 1 })
  for (const start of ['', 'x']) assert.deepEqual((await answer(request('POST /healthz', 'Content-Length: 10') + start, own)).statuses(), [])
  await own.stop()
})

// ---- subprotocols ----

test('an unknown subprotocol is answered', async () => {
  for (const list of ['nonsense', 'converge.v2', 'converge.v1x', 'a, b', '', ',', 'x'.repeat(500), 'a/b', `${'x'.repeat(60)}, converge.v1`]) {
    const client = new Bytes(relay).write(upgrade(`/v1/collab/${doc}`, { 'Sec-WebSocket-Protocol': list }))
    await until('an answer', () => client.closed || client.statuses().length > 0)
    assert.deepEqual(client.statuses(), [list === '' ? 101 : 400], list)
    if (list !== '') assert.match(String(client.heard), /the only subprotocol here is converge\.v1/)
    client.socket.destroy()
  }
  for (const list of ['converge.v1', 'nonsense, converge.v1', 'converge.v1,other', ' a ,\tconverge.v1']) {
    const client = new Bytes(relay).write(upgrade(`/v1/collab/${doc}`, { 'Sec-WebSocket-Protocol': list }))
    await until('an answer', () => client.closed || client.heard.includes('\r\n\r\n'))
    assert.match(String(client.heard), /^HTTP\/1\.1 101[^]*Sec-WebSocket-Protocol: converge\.v1\r\n/i, list)
    client.socket.destroy()
  }
})
