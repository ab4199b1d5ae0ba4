// Slow lines: whoever takes what waits for them has time, however much it is; whoever
// takes nothing has not.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import tls from 'node:tls'
import { upgrade } from './lib/bytes.mjs'
import { createDocument, edit, sql } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { Relay } from './lib/relay.mjs'
import { token } from './lib/token.mjs'
import { until } from './lib/wait.mjs'

// Much more than the kernel keeps for both ends, and a line that needs much longer than a
// relay with these options waits for somebody who takes nothing.
const BYTES = 30000000
const RATE = 5000000
const SHORT = { 'ping-interval': 1, 'answer-timeout': 1, 'handshake-timeout': 2 }

const dir = fs.mkdtempSync(path.join(process.env.CONVERGE_TEST_DIR, 'lines-'))
const [key, cert, web] = ['key.pem', 'cert.pem', 'web'].map(name => path.join(dir, name))

let relays, big, behind
before(async () => {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' })
  fs.mkdirSync(web)
  fs.writeFileSync(path.join(web, 'big.js'), Buffer.alloc(BYTES, 'é'))
  relays = {
    plain: await new Relay({ ...SHORT, web }).listening(),
    TLS: await new Relay({ ...SHORT, web, 'tls-cert': cert, 'tls-key': key }).listening()
  }
  // a control character is six bytes in JSON, so that a document of 5 MB is a message of 30 MB
  big = await createDocument('')
  await sql(`SELECT converge.edit('${big}', converge.insert(0, repeat(U&'\\0001', ${BYTES / 6})))`)
  behind = await createDocument('')
  for (let n = 0; n < 5; n++) await sql(`SELECT converge.edit('${behind}', converge.insert(0, repeat(U&'\\0001', ${BYTES / 30})))`)
})
after(async () => {
  for (const relay of Object.values(relays)) await relay.stop()
  fs.rmSync(dir, { recursive: true })
})

// A line of a few megabytes a second, with an end that answers pings when it comes to them.
class Line {
  constructor (kind, first) {
    const { port } = relays[kind]
    this.count = 0
    this.text = Buffer.alloc(0)
    this.began = performance.now()
    this.socket = kind === 'TLS' ? tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }) : net.connect(port, '127.0.0.1')
    this.socket.on('error', () => {})
    this.socket.on('close', () => { this.closed = true })
    this.socket.on('end', () => { this.ended = true })
    this.socket.pause()
    this.socket.write(first)
  }

  // Begin to read, no more than the line carries, of so many bytes in all.
  read (most = Infinity) {
    this.began = performance.now()
    this.timer = setInterval(() => {
      for (;;) {
        const allowed = Math.min(most, (performance.now() - this.began) / 1000 * RATE) - this.count
        const piece = allowed > 0 && this.socket.read()
        if (!piece) break
        this.count += piece.length
        this.take(piece)
      }
    }, 2)
    return this
  }

  // The ends of what came are enough.
  take (piece) {
    if (this.text.length < 2000) this.text = Buffer.concat([this.text, piece])
    // a message's end, which pings may follow
    this.complete ||= this.count > BYTES && /["\]]}/.test(piece.subarray(-200).toString('latin1'))
    // a ping of one byte: answered in its place
    if (this.websocket && piece.includes(Buffer.from([0x89, 1, 0]))) this.say(0x8a, '\0')
  }

  say (first, text) {
    const bytes = Buffer.from(text)
    const length = bytes.length < 126 ? [0x80 | bytes.length] : [0xfe, bytes.length >> 8, bytes.length & 255]
    this.socket.write(Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), bytes]))
  }

  stop () {
    clearInterval(this.timer)
    this.socket.destroy()
  }
}

// A client that has said hello, and reads nothing yet.
async function client (kind, doc, hello = {}) {
  const line = new Line(kind, upgrade(`/v1/collab/${doc}`))
  line.websocket = true
  await until('the upgrade', () => String(line.socket.read() ?? '').startsWith('HTTP/1.1 101'))
  line.say(0x81, JSON.stringify({ type: 'hello', token: token('ann'), ...hello }))
  return line
}

const request = place => `GET ${place} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token('ann')}\r\n\r\n`

for (const kind of ['plain', 'TLS']) {
  test(`a snapshot by a slow line arrives, ${kind}`, async () => {
    const line = (await client(kind, big)).read()
    await until('the end of the snapshot', () => line.closed || line.complete)
    assert.ok(!line.closed, `closed after ${line.count} bytes`)
    line.stop()
  })

  test(`so does what a client catches up with, ${kind}`, async () => {
    const line = (await client(kind, behind, { version: 0 })).read()
    await until('the end of it', () => line.closed || line.complete)
    assert.ok(!line.closed, `closed after ${line.count} bytes`)
    line.stop()
  })

  for (const [what, place] of [['a text', () => `/v1/docs/${big}/content`], ['a file', () => '/big.js']]) {
    test(`so does ${what} over HTTP, ${kind}`, async () => {
      const line = new Line(kind, request(place())).read()
      await until('the end of the answer', () => line.closed || line.ended)
      const length = Number(/content-length: (\d+)/.exec(String(line.text))[1])
      assert.match(String(line.text), /^HTTP\/1\.1 200 /)
      assert.equal(line.count, length + line.text.indexOf('\r\n\r\n') + 4)
      line.stop()
    })
  }

  test(`a client that reads nothing is closed: a WebSocket, ${kind}`, async () => {
    for (const most of [0, BYTES / 10]) {
      const line = (await client(kind, big)).read(most)
      await until('some to be read', () => line.count >= most)
      const log = relays[kind].log().split('no sign of life for').length
      await until('it to be let go', () => relays[kind].log().split('no sign of life for').length > log)
      line.stop()
    }
  })

  test(`a client that reads nothing is closed: HTTP, ${kind}`, async () => {
    const descriptors = () => fs.readdirSync(`/proc/${relays[kind].process.pid}/fd`).length
    await until('the connections before to be gone', () => !fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').some(row => row.split(/\s+/)[2]?.endsWith(`:${relays[kind].port.toString(16).toUpperCase().padStart(4, '0')}`) && row.split(/\s+/)[4] === '01'))
    for (const most of [0, BYTES / 10]) {
      const before = descriptors()
      const line = new Line(kind, request('/big.js')).read(most)
      await until('the connection', () => descriptors() > before)
      await until('some to be read', () => line.count >= most)
      await until('it to be let go', () => descriptors() <= before)
      line.stop()
    }
  })
}

test('a client that reads, but never answers, is closed', async () => {
  const doc = await createDocument('')
  const dead = await new Raw(relays.plain, doc, { autoPong: false }).join('dead')
  const alive = await new Raw(relays.plain, doc).join('alive')
  await edit(doc, ['é'])
  await alive.operation()
  await until('it to be let go', () => dead.closed)
  assert.equal(alive.closed, undefined)
  alive.end()
})

test('a file that many read slowly is held once, and counted', async () => {
  const own = await new Relay({ web, 'max-memory': 64 }).ready()
  relays.own = own
  const lines = []
  for (let n = 0; n < 10; n++) lines.push(new Line('own', request('/big.js')))
  await until('all answers to wait', async () => (await own.metrics()).socket_bytes >= 10 * BYTES)
  const metrics = await own.metrics()
  assert.ok(metrics.memory_held_bytes >= BYTES && metrics.memory_held_bytes < 2 * BYTES)
  assert.ok(metrics.memory_largest_debtor_bytes >= 10 * BYTES)
  lines.forEach(line => line.stop())
  await until('nothing to wait', async () => (await own.metrics()).socket_bytes === 0)
  assert.equal((await (await own.get('/big.js')).arrayBuffer()).byteLength, BYTES)
})
