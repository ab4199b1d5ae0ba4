// The head of a request: what it may hold, how long it may be, how it is read.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import https from 'node:https'
import path from 'node:path'
import { Bytes, upgrade } from './lib/bytes.mjs'
import { createDocument, sql } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { Relay, startRelay } from './lib/relay.mjs'
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

// ---- long heads ----

test('a head longer than it may be is answered, and not logged as an error', async () => {
  const own = await startRelay()
  for (const bytes of [40000, 70000, 300000]) {
    for (const head of [
      request('GET /healthz', `X-Long: ${'x'.repeat(bytes)}`), request('GET /healthz', ...Array.from({ length: bytes / 100 }, (unused, n) => `X-Many-${n}: ${'x'.repeat(100)}`)),
      request(`GET /${'x'.repeat(bytes)}`), `GET /healthz HTTP/1.1\r\nX-Endless: ${'x'.repeat(bytes)}`, request('GET /healthz', `Authorization: Bearer ${'x'.repeat(bytes)}`)
    ]) {
      const client = await answer(head, own)
      assert.deepEqual(client.statuses(), [431], head.slice(0, 60))
      assert.match(String(client.heard), /at most 32768 bytes/)
    }
  }
  assert.equal((await own.metrics())['http_answers_total{status="4xx"}'], 15)
  assert.doesNotMatch(own.log(), / error /)
  await own.stop()
})

test('a head of more than 8 KB is read, whole or in pieces', async () => {
  const long = request('GET /healthz', `X-Long: ${'x'.repeat(20000)}`, ...Array.from({ length: 50 }, (unused, n) => `X-${n}: y`))
  assert.deepEqual((await answer(long)).statuses(), [200])
  const client = new Bytes(relay).write(long.slice(0, 9))
  for (let at = 9; at < long.length; at += 7000) {
    // another request goes in between, so that this one is looked at
    assert.deepEqual((await answer(request('GET /healthz'))).statuses(), [200])
    client.write(long.slice(at, at + 7000))
  }
  await client.end()
  assert.deepEqual(client.statuses(), [200])
  const ann = await new Raw(relay, doc, { headers: { Cookie: 'x'.repeat(12000) } }).join('ann')
  assert.equal(ann.joined.userId, 'ann')
  ann.end()
})

test('what begins no request, ends too soon or says nothing is let go', async () => {
  const own = await startRelay({ 'handshake-timeout': 1 })
  for (const bytes of ['', 'GET', 'GET /healthz HTTP/1.1\r\n', 'GET /healthz HTTP/1.1\r\nHost: x\r\n', '\r\n\r\n']) assert.deepEqual((await answer(bytes, own)).statuses(), [], JSON.stringify(bytes))
  // no request at all
  for (const bytes of ['\x16\x03\x01\x02\x00', '\0\0\0\0']) assert.ok((await answer(bytes, own)).statuses().every(status => status >= 400))
  const half = new Bytes(own).write('GET /heal')
  half.socket.end()
  await half.end()
  await own.stop()
})

test('connections whose request has not come do not keep a relay from ending', async () => {
  const own = await startRelay({ 'handshake-timeout': 600 })
  const waiting = ['', 'GET /', `GET /${'x'.repeat(40000)}`].map(bytes => new Bytes(own).write(bytes))
  assert.equal((await own.get('/healthz')).status, 200)
  await own.stop()
  for (const client of waiting) await client.end()
})

// ---- paths ----

test('in a path a plus is a plus, and so is every other character that is not escaped', async () => {
  const headers = { Authorization: `Bearer ${token('ann')}`, 'Content-Type': 'application/json' }
  const made = await relay.get('/v1/docs', { method: 'POST', headers, body: '{}' })
  const place = `/v1/docs/${(await made.json()).documentId}/members/`
  // a request as it stands, which no library has made better
  const ask = async (method, path, body = '') => {
    const client = await answer(request(`${method} ${path}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), ...(body ? [`Content-Length: ${body.length}`] : [])) + body)
    return [client.statuses()[0], String(client.heard).split('\r\n\r\n')[1]]
  }
  for (const [part, user] of [
    ['ann+test@example.org', 'ann+test@example.org'], ['ann%2Btest@example.org', 'ann+test@example.org'], ['ann%2btest@example.org', 'ann+test@example.org'],
    ['ann%20test', 'ann test'], ['ann%252Btest', 'ann%2Btest'], ['ann%2520test', 'ann%20test'], ['a;b', 'a;b'], ['a%3Bb', 'a;b'], ['a&b=c', 'a&b=c'], ['a%26b', 'a&b'],
    ['a%3Fb', 'a?b'], ['a%23b', 'a#b'], ['a/b', 'a/b'], ['a%2Fb', 'a/b'], ['a%2fb+c', 'a/b+c'], ['a=b+c', 'a=b+c'], ["!$'()*,:@-._~", "!$'()*,:@-._~"], ['z%C3%B6+e', 'zö+e'], ['++', '++'], ['+%20+', '+ +']
  ]) {
    const [status, text] = await ask('PUT', place + part, '{"role":"viewer"}')
    assert.deepEqual([status, JSON.parse(text)], [200, { userId: user, role: 'viewer' }], part)
    assert.equal(await sql(`SELECT count(*) FROM converge.members WHERE doc_id = '${place.split('/')[3]}' AND user_id = $$${user}$$`), '1', part)
    assert.deepEqual((await ask('DELETE', place + part))[0], 204, part)
    assert.equal(await sql(`SELECT string_agg(user_id, ' ') FROM converge.members WHERE doc_id = '${place.split('/')[3]}'`), 'ann', part)
  }
  // what libwebsockets would make of these is another path, or none
  for (const part of ['a//b+c', 'a/../b+c', '.a+b', 'a%00b', 'a%2', 'a%zz+', '%']) {
    const [status] = await ask('PUT', place + part, '{"role":"viewer"}')
    assert.ok([400, 403, 404, undefined].includes(status), `${part}: ${status}`)
    assert.equal(await sql(`SELECT string_agg(user_id, ' ') FROM converge.members WHERE doc_id = '${place.split('/')[3]}'`), 'ann', part)
  }
})

test('in a query a plus is a space, as forms write it, and escaped it is a plus', async () => {
  const headers = { Authorization: `Bearer ${token('ann')}`, 'Content-Type': 'application/json' }
  const made = await relay.get('/v1/docs', { method: 'POST', headers, body: '{}' })
  const place = `/v1/docs/${(await made.json()).documentId}/members`
  for (const [part, user] of [['a+b', 'a b'], ['a%2Bb', 'a+b'], ['a%20b', 'a b'], ['a%252Bb', 'a%2Bb'], ['a%26b', 'a&b'], ['a%3Bb', 'a;b'], ['a=b', 'a=b'], ['a%2Fb', 'a/b']]) {
    await relay.get(place, { method: 'PUT', headers, body: JSON.stringify({ userId: user, role: 'viewer' }) })
    const client = await answer(request(`DELETE ${place}?userId=${part}`, `Authorization: ${headers.Authorization}`))
    assert.deepEqual(client.statuses(), [204], part)
    assert.equal(await sql(`SELECT string_agg(user_id, ' ') FROM converge.members WHERE doc_id = '${place.split('/')[3]}'`), 'ann', part)
  }
})

test('over TLS a path that cannot be told is refused, and an escaped one is taken', async () => {
  const dir = fs.mkdtempSync(path.join(process.env.CONVERGE_TEST_DIR, 'tls-'))
  const [key, cert] = [path.join(dir, 'key.pem'), path.join(dir, 'cert.pem')]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost'], { stdio: 'ignore' })
  const own = await new Relay({ 'tls-cert': cert, 'tls-key': key }).listening()
  const ask = (method, place, body) => new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token('ann')}`, 'Content-Type': 'application/json', ...(body && { 'Content-Length': body.length }) }
    https.request({ host: '127.0.0.1', port: own.port, rejectUnauthorized: false, method, path: place, headers }, response => {
      let text = ''
      response.on('data', data => { text += data }).on('end', () => resolve([response.statusCode, text]))
    }).on('error', reject).end(body)
  })
  await until('it to be ready', async () => (await ask('GET', '/readyz'))[0] === 200)
  const place = `/v1/docs/${JSON.parse((await ask('POST', '/v1/docs', '{}'))[1]).documentId}/members`
  for (const part of ['ann+x', 'ann%20x', 'ann;x', 'ann&x']) {
    const [status, text] = await ask('PUT', `${place}/${part}`, '{"role":"viewer"}')
    assert.equal(status, 400, part)
    assert.match(text, /write \+ as %2B/)
  }
  for (const [part, user] of [['ann%2Bx', 'ann+x'], ['ann%3Bx', 'ann;x'], ['ann%26x', 'ann&x']]) {
    assert.deepEqual(JSON.parse((await ask('PUT', `${place}/${part}`, '{"role":"viewer"}'))[1]), { userId: user, role: 'viewer' })
  }
  assert.equal((await ask('PUT', place, '{"userId":"ann x","role":"viewer"}'))[0], 200)
  await own.stop()
  fs.rmSync(dir, { recursive: true })
})
