// What one user asks for, others do not pay: memory against its bound, whatever clients do.
// These relays are built as they are installed: what the sanitizers take would hide the rest.

import test from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { allSettled, Collab } from './lib/collab.mjs'
import { content, createDocument, sql, version } from './lib/pg.mjs'
import { newId, Raw } from './lib/raw.mjs'
import { Relay } from './lib/relay.mjs'
import { token } from './lib/token.mjs'
import { until } from './lib/wait.mjs'

const MIB = 1 << 20
const BIG = 5 * MIB
const BIN = process.env.CONVERGE_TEST_PLAIN_BIN

const web = fs.mkdtempSync(path.join(os.tmpdir(), 'converge-web-'))
fs.writeFileSync(path.join(web, 'big.js'), Buffer.alloc(8 * MIB, 'x'))
const sockets = new Set()
const relays = new Set()
let big

test.before(async () => {
  big = await createDocument('')
  await sql(`SELECT converge.edit('${big}', converge.insert(0, repeat('x', ${BIG})))`)
})

test.afterEach(() => {
  sockets.forEach(socket => socket.destroy())
  sockets.clear()
  relays.forEach(relay => relay.process.kill('SIGKILL'))
  relays.clear()
})
test.after(() => fs.rmSync(web, { recursive: true }))

// A relay, and how much more than at its start it takes, at most so far.
class Measured extends Relay {
  static async start (options) {
    const relay = new Measured({ 'log-level': 'debug', web, ...options }, process.env, BIN)
    relays.add(relay)
    await relay.ready()
    await relay.metrics()
    relay.bound = options['max-memory'] * MIB
    relay.before = relay.rss()
    relay.grown = 0
    return relay
  }

  rss () {
    return Number(/VmRSS:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${this.process.pid}/status`, 'utf8'))[1]) * 1024
  }

  look () {
    this.grown = Math.max(this.grown, this.rss() - this.before)
    assert.ok(this.grown <= this.bound * 1.2, `${(this.grown / MIB).toFixed(1)} MiB are held, the bound is ${this.bound / MIB}`)
  }

  // Look until a condition holds.
  async watch (what, condition) {
    await until(what, async () => { this.look(); return condition() }, 60000)
    this.look()
  }

  // A connection that asks for something and reads nothing.
  ask (text) {
    const socket = net.connect(this.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.on('close', () => { socket.gone = true })
    socket.pause()
    socket.write(text)
    sockets.add(socket)
    return socket
  }

  get settled () {
    return (async () => {
      const metrics = await this.metrics()
      return metrics.memory_held_bytes
    })()
  }
}

const head = (place, user, more = '') => `GET ${place} HTTP/1.1\r\nHost: x\r\n${user ? `Authorization: Bearer ${token(user)}\r\n` : ''}${more}\r\n`

// What a user who does nothing wrong gets meanwhile.
async function isServed (relay) {
  const doc = await createDocument('é')
  const ann = await new Raw(relay, doc).join('ann')
  ann.op(0, ['x'])
  assert.equal((await ann.operation()).version, 1)
  ann.end()
  assert.equal((await relay.get('/v1/me', { headers: { authorization: `Bearer ${token('ann')}` } })).status, 200)
  assert.equal((await relay.get('/readyz')).status, 200)
}

test('answers of a text that nobody reads', async () => {
  const relay = await Measured.start({ 'max-memory': 32 })
  for (let n = 0; n < 30; n++) relay.ask(head(`/v1/docs/${big}/content`, `slow ${n}`))
  await relay.watch('answers to wait', async () => (await relay.metrics()).socket_bytes > 4 * BIG)
  await isServed(relay)
  relay.look()
})

test('different texts that nobody reads: the largest debtors go', async () => {
  const relay = await Measured.start({ 'max-memory': 32 })
  const docs = []
  for (let n = 0; n < 10; n++) {
    docs.push(await createDocument(''))
    await sql(`SELECT converge.edit('${docs[n]}', converge.insert(0, repeat('${'abcdefghijkl'[n]}', ${5 * MIB})))`)
  }
  docs.forEach(doc => relay.ask(head(`/v1/docs/${doc}/content`, 'hoarder')))
  await relay.watch('much to wait', async () => await relay.settled > 20 * MIB)
  await isServed(relay)
  const reader = relay.get(`/v1/docs/${docs[3]}/content`, { headers: { authorization: `Bearer ${token('ann')}` } })
  const answer = await reader
  assert.equal(answer.status, 200)
  assert.equal((await answer.json()).content.length, 5 * MIB)
  relay.look()
})

test('bodies without a token, and with one that never come whole', async () => {
  const relay = await Measured.start({ 'max-memory': 16 })
  const body = Buffer.alloc(1.05 * MIB, 'x')
  const post = user => `POST /v1/docs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${user ? `Authorization: Bearer ${token(user)}\r\n` : ''}Content-Length: ${body.length + 1}\r\n\r\n`
  const strangers = Array.from({ length: 100 }, () => { const socket = relay.ask(post()); socket.write(body); socket.resume(); return socket })
  await relay.watch('strangers to be refused', () => strangers.every(socket => socket.gone))
  const users = Array.from({ length: 60 }, (_, n) => { const socket = relay.ask(post(`u${n}`)); socket.write(body); return socket })
  await relay.watch('the bound to be reached', async () => (await relay.metrics()).memory_closed_total > 0)
  await isServed(relay)
  relay.look()
  assert.ok(users.some(socket => !socket.gone))
})

test('a large file of the folder for browsers', async () => {
  const relay = await Measured.start({ 'max-memory': 24 })
  for (let n = 0; n < 100; n++) relay.ask(head('/big.js'))
  await relay.watch('answers to wait', async () => (await relay.metrics()).socket_bytes > 60 * 8 * MIB)
  await isServed(relay)
  relay.look()
})

test('clients that join a large text at once and read nothing', async () => {
  const relay = await Measured.start({ 'max-memory': 32 })
  const clients = []
  for (let n = 0; n < 30; n++) clients.push(await new Raw(relay, big).opened())
  clients.forEach(({ socket }, n) => { socket.pause(); socket.send(JSON.stringify({ type: 'hello', token: token(`slow ${n}`) })) })
  await relay.watch('snapshots to wait', async () => (await relay.metrics()).socket_bytes > 4 * BIG)
  await isServed(relay)
  relay.look()
  clients.forEach(client => client.end())
})

test('large operations of many documents', async () => {
  const relay = await Measured.start({ 'max-memory': 16 })
  const clients = []
  for (let n = 0; n < 40; n++) clients.push(await new Raw(relay, await createDocument('')).join(`u${n}`))
  for (const client of clients) {
    client.op(0, ['y'.repeat(1000000)])
    await client.operation()
    client.messages.length = client.next = 0
    relay.look()
  }
  const metrics = await relay.metrics()
  assert.ok(metrics.ring_bytes <= 8 * MIB && metrics.rings_shortened_total > 0)
  await isServed(relay)
  clients.forEach(client => client.end())
})

test('an edit from SQL that takes much more as JSON', async () => {
  const relay = await Measured.start({ 'max-memory': 16 })
  const doc = await createDocument('')
  const clients = []
  for (let n = 0; n < 6; n++) clients.push(await new Raw(relay, doc).join(`u${n}`))
  clients.slice(1).forEach(client => client.socket.pause())
  await sql(`SELECT converge.edit('${doc}', converge.insert(0, repeat(chr(1), ${12 * MIB})))`)
  // there is no room for the text, and that is what they are told
  await relay.watch('it to be refused', async () => (await relay.metrics())['refused_total{reason="memory"}'] > 0)
  const { code } = await clients[0].close()
  assert.equal(code, 1012)
  await isServed(relay)
  relay.look()
  clients.forEach(client => client.end())
})

test('large edits from SQL reach clients that have room for them', async () => {
  const relay = await Measured.start({ 'max-memory': 64 })
  const doc = await createDocument('é')
  const clients = await Promise.all(['ann', 'ben', 'cid'].map(name => new Collab(doc, name).connect(relay).ready()))
  for (let n = 1; n <= 2; n++) {
    clients[n].edit([[...clients[n].text].length, `${n}`])
    await sql(`SELECT converge.edit('${doc}', converge.insert(1, repeat('x', ${5 * MIB}) || ${n}))`)
    clients[0].edit(['first '])
    relay.look()
  }
  await allSettled(clients, () => version(doc))
  const text = await content(doc)
  clients.forEach(client => assert.ok(client.text === text, `${client.user}'s text of ${client.text.length} of ${text.length}`))
  assert.equal(await version(doc), 6)
  assert.ok((await relay.metrics()).catch_ups_total > 0)
  relay.look()
  clients.forEach(client => client.leave())
})

test('the metric is what the process holds', async () => {
  const relay = await Measured.start({ 'max-memory': 256 })
  const docs = []
  for (let n = 0; n < 5; n++) {
    docs.push(await createDocument(''))
    await sql(`SELECT converge.edit('${docs[n]}', converge.insert(0, repeat('${'0123456789'[n]}', ${6 * MIB})))`)
  }
  docs.forEach((doc, n) => relay.ask(head(`/v1/docs/${doc}/content`, `u${n}`)))
  relay.ask(head('/big.js'))
  const post = `POST /v1/docs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token('ann')}\r\nContent-Length: 1100000\r\n\r\n`
  for (let n = 0; n < 10; n++) relay.ask(post).write(Buffer.alloc(1040000, 'x'))
  await relay.watch('all of it to wait', async () => {
    const m = await relay.metrics()
    return m.socket_bytes >= 30 * MIB && m['memory_bytes{class="requests"}'] > 9 * MIB
  })
  const metrics = await relay.metrics()
  const grown = relay.rss() - relay.before
  assert.ok(Math.abs(metrics.memory_held_bytes - grown) <= grown * 0.2, `${metrics.memory_held_bytes / MIB} MiB are told, ${grown / MIB} are held`)
})
