// What protocols the port speaks: HTTP/1.1 and WebSockets of one kind, and nothing that a
// client may ask to go over to. A connection that the relay does not serve is ended by it.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import tls from 'node:tls'
import { Bytes, upgrade } from './lib/bytes.mjs'
import { createDocument } from './lib/pg.mjs'
import { Relay, startRelay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

// How HTTP/2 begins, its first SETTINGS, and a request of it for /metrics on stream 1.
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const frame = (type, flags, stream, payload = Buffer.alloc(0)) => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}
const request = stream => frame(1, 5, stream, Buffer.concat([Buffer.from([0x82, 0x86, 0x41, 1, 0x78, 0x04, 8]), Buffer.from('/metrics')]))
const HTTP2 = Buffer.concat([Buffer.from(PREFACE), frame(4, 0, 0), request(1), request(3), frame(3, 0, 1, Buffer.alloc(4)), frame(0, 1, 3, Buffer.from('é')), request(3)])

let relay, doc
before(async () => {
  relay = await startRelay({ 'handshake-timeout': 1 })
  doc = await createDocument('é')
})
after(() => relay.stop())

const both = { Connection: 'Upgrade, HTTP2-Settings', 'HTTP2-Settings': 'AAMAAABkAAQAoAAAAAIAAAAA' }

// What is heard until the relay ends the connection, and whether it serves afterwards.
async function heard (...pieces) {
  const client = new Bytes(relay)
  for (const piece of pieces) client.write(piece)
  await client.end()
  assert.equal((await relay.get('/healthz')).status, 200)
  return client
}

async function refused (what, ...pieces) {
  const client = await heard(...pieces)
  const statuses = client.statuses()
  assert.ok(statuses.every(status => status >= 400), `${what}: ${client.heard}`)
  assert.ok(!client.heard.includes('converge_relay_'), what)
  return statuses
}

const PROTOCOLS = [
  'h2c', 'H2C', 'H2c', 'h2', 'HTTP/2.0', 'HTTP/1.1', 'TLS/1.0', 'foo', 'raw-skt', 'lws', 'raw-proxy', 'mqtt', 'cgi', 'dbus',
  'websocket, h2c', 'h2c, websocket', 'websocket,h2c', 'h2c,websocket', 'WebSocket, H2C', 'websocket websocket', 'websocket/13', 'websocketh2c',
  ['websocket', 'h2c'], ['h2c', 'websocket'], ['h2c', 'h2c'], ['websocket', 'foo'], ['foo', 'websocket'], ['foo', 'h2c'], ['h2c', 'foo']
]

for (const place of ['collab', '/healthz', '/metrics', '/v1/docs']) {
  test(`no protocol but websocket is gone over to: ${place}`, async () => {
    const where = place === 'collab' ? `/v1/collab/${doc}` : place
    for (const protocol of PROTOCOLS) {
      for (const others of [{}, both, { ...both, 'Sec-WebSocket-Key': null, 'Sec-WebSocket-Version': null, 'Sec-WebSocket-Protocol': null }]) {
        const what = JSON.stringify([protocol, others])
        const statuses = await refused(what, upgrade(where, { Upgrade: protocol, ...others }), HTTP2)
        assert.equal(statuses.length, 1, what)
      }
    }
  })
}

test('a refusal says what could be gone over to', async () => {
  const client = await heard(upgrade('/v1/docs', { Upgrade: 'h2c', ...both }))
  assert.match(String(client.heard), /"malformed".*websocket/)
})

test('websocket is, however it is written', async () => {
  for (const protocol of ['websocket', 'WebSocket', 'WEBSOCKET']) {
    const client = new Bytes(relay).write(upgrade(`/v1/collab/${doc}`, { Upgrade: protocol }))
    await until('an answer', () => client.statuses().length)
    assert.deepEqual(client.statuses(), [101])
    client.socket.destroy()
  }
})

test('HTTP/2 that is not asked for first', async () => {
  for (const pieces of [[HTTP2], [PREFACE], [PREFACE.slice(0, 16), HTTP2.subarray(16)], ['PRI * HTTP/1.1\r\nHost: x\r\n\r\n'], ['GET / HTTP/2.0\r\nHost: x\r\n\r\n', HTTP2], ['PRI * HTTP/2.0\r\nUpgrade: websocket\r\n\r\n', HTTP2]]) {
    await refused(String(pieces[0]), ...pieces)
  }
})

test('a tunnel is not opened', async () => {
  for (const target of ['x:1', '127.0.0.1:5432', '/healthz', `/v1/collab/${doc}`, '*']) {
    for (const others of [{}, { Upgrade: 'websocket' }, { Upgrade: 'h2c', ...both }]) {
      await refused(`CONNECT ${target}`, upgrade(target, { Upgrade: null, ...others }, 'CONNECT'), HTTP2)
    }
  }
})

test('a connection that no session is made of is ended, whatever it asked to become', async () => {
  const before = await relay.metrics()
  for (const first of ['CONNECT x:1', 'GET /healthz', `GET /v1/collab/${doc}`]) {
    for (const protocol of ['h2c', 'foo', ['websocket', 'h2c']]) {
      // what follows never comes: the connection is not kept for it
      const [method, place] = first.split(' ')
      await heard(upgrade(place, { Upgrade: protocol, ...both }, method))
    }
  }
  const now = await relay.metrics()
  assert.equal(now.connections, before.connections)
  assert.ok(now.process_open_fds <= before.process_open_fds + 1)
})

test('under TLS as well: ALPN offers HTTP/1.1 alone', async () => {
  const dir = fs.mkdtempSync(path.join(process.env.CONVERGE_TEST_DIR, 'tls-'))
  const [key, cert] = [path.join(dir, 'key.pem'), path.join(dir, 'cert.pem')]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' })
  const own = await new Relay({ 'tls-cert': cert, 'tls-key': key, 'handshake-timeout': 1 }).listening()
  // What was agreed on, and what was heard until the end.
  const ask = (protocols, bytes) => new Promise(resolve => {
    let text = ''
    const socket = tls.connect({ host: '127.0.0.1', port: own.port, rejectUnauthorized: false, ALPNProtocols: protocols }, () => socket.write(bytes))
    socket.on('data', data => { text += data.toString('latin1') })
    socket.on('error', () => {})
    socket.on('close', () => resolve({ protocol: socket.alpnProtocol, text }))
  })
  const get = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
  for (const protocols of [['h2', 'http/1.1'], ['http/1.1'], ['http/1.1', 'h2'], undefined]) {
    const { protocol, text } = await ask(protocols, get)
    assert.notEqual(protocol, 'h2')
    assert.match(text, /^HTTP\/1\.1 200 /)
  }
  for (const protocols of [['h2'], ['h2c'], ['h2', 'http/1.1'], ['foo'], undefined]) {
    for (const bytes of [HTTP2, upgrade('/metrics', { Upgrade: 'h2c', ...both }), upgrade('x:1', { Upgrade: null }, 'CONNECT')]) {
      const { protocol, text } = await ask(protocols, bytes)
      assert.notEqual(protocol, 'h2')
      assert.ok(!text.includes(' 101 ') && !text.includes('converge_relay_'), JSON.stringify([protocols, text]))
    }
  }
  // what is not TLS is not taken for it, nor kept
  const plain = new Bytes(own).write(HTTP2)
  await plain.end()
  assert.equal(plain.heard.length, 0)
  await own.stop()
  fs.rmSync(dir, { recursive: true })
})
