// Many lives of many clients: they join, type, lose their connections, come back, stop
// reading, misbehave and leave. When everybody has left, nothing of them is left in the
// relay, every time.
//
// For an hour, by hand, from the top of the repository:
//
//   SOAK_SECONDS=3600 make -C test/relay e2e FILES=soak.test.mjs
//
// A relay that is built without sanitizers (CONVERGE_TEST_BIN=$PWD/.local/bin/converge-relay
// before it) is also held to its memory, which ASan lets grow by what it keeps aside
// after a free.

import test from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { Collab } from './lib/collab.mjs'
import { createDocument, quote, sql } from './lib/pg.mjs'
import { random, randomEdit } from './lib/random.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

const SECONDS = Number(process.env.SOAK_SECONDS ?? 25)
const ROUNDS_AT_LEAST = 3
const DOCUMENTS = 12
const EDITS = 12
const PASTE = 'é日😀x'.repeat(20000)
const PASTES = 40
const MB = 1 << 20

const next = random(4711)
const below = n => Math.floor(next() * n)
const contents = async docs => new Map((await sql(`SELECT doc || ' ' || md5(converge.content(doc)) FROM unnest(${quote(`{${docs}}`)}::uuid[]) doc`))
  .split('\n').map(line => line.split(' ')))
const digest = async texts => (await sql(texts.map(text => `SELECT md5(${quote(text)})`).join(' UNION ALL '))).split('\n')

// ---- lives ----

// Types, loses the connection in the middle of it, comes back, goes on.
async function typist (relay, doc, user) {
  const client = await new Collab(doc, user).stayConnected(() => relay).ready()
  for (let n = 0; n < EDITS; n++) {
    client.edit(randomEdit(client.text, next))
    if (below(6) === 0) {
      const lost = client.socket
      lost.terminate()
      await until(`${user} to connect again`, () => client.socket !== lost)
    } else if (below(3) === 0) await until(`${user}'s edits to be in`, () => client.settled)
  }
  return client
}

// Joins, reads a little, leaves; some in the middle of the handshake.
async function visitor (relay, doc, user) {
  const raw = new Raw(relay, doc)
  await raw.opened()
  if (below(2) === 0) await raw.join(user)
  raw.end()
  await raw.close()
}

// Stops reading until more is there than its socket and the room keep, and reads again.
async function sleeper (relay, doc, user) {
  const client = await new Collab(doc, user).connect(relay).ready()
  const writer = await new Collab(doc, 'writer').connect(relay).ready()
  client.socket.pause()
  for (let n = 0; n < PASTES; n++) {
    writer.edit([PASTE, ...(writer.text ? [{ d: [...writer.text].length }] : [])])
    await until('a paste to be in', () => writer.settled)
  }
  client.socket.resume()
  await until('the sleeper to have everything', () => client.settled && client.version === writer.version)
  writer.leave()
  client.leave()
}

// Loses the right to read, is closed, and gets it back for the next time.
async function outcast (relay, doc, user) {
  await sql(`SELECT converge.share('${doc}', '${user}', 'viewer')`)
  const raw = await new Raw(relay, doc).join(user)
  await sql(`SELECT converge.unshare('${doc}', '${user}')`)
  assert.equal((await raw.close()).code, 4403)
}

// Those that break the rules, each in its own way.
async function rude (relay, doc) {
  const forged = new Raw(relay, doc)
  await forged.opened()
  forged.send({ type: 'hello', token: 'a.b.c' })
  const malformed = await new Raw(relay, doc).join('malformed')
  malformed.send('{')
  const silent = await new Raw(relay, doc).opened()
  const half = await new Raw(relay, doc).join('half')
  half.socket.send('{"type":', { fin: false })
  half.end()
  for (const [client, code] of [[forged, 4401], [malformed, 4400], [silent, 4408]]) assert.equal((await client.close()).code, code)
}

// ---- a round of them ----

async function round (relay, docs, closed) {
  const typing = docs.flatMap((doc, n) => [1, 2, 3].map(m => typist(relay, doc, `typist${n}.${m}`)))
  const visiting = docs.map((doc, n) => visitor(relay, doc, `visitor${n}`))
  const large = await createDocument('')
  const short = await createDocument('gone soon')
  const last = await new Raw(relay, short).join('last')
  const others = [...visiting, sleeper(relay, large, 'sleeper'), rude(relay, docs[0]), outcast(relay, closed, 'outcast')]
  const typists = await Promise.all(typing)
  await Promise.all(others)
  await sql(`SELECT converge.delete_document('${short}')`)
  assert.equal((await last.close()).code, 4404)
  const versions = new Map((await sql('SELECT doc_id, version FROM converge.heads')).split('\n').map(line => line.split('|')))
  await until('everybody to have everything', () => typists.every(client => client.settled && client.version >= Number(versions.get(client.doc))))
  const stored = await contents(docs)
  const shown = await digest(typists.map(client => client.text))
  typists.forEach((client, n) => assert.equal(shown[n], stored.get(client.doc)))
  typists.forEach(client => client.leave())
}

// ---- what is left ----

const GAUGES = ['connections', 'sessions_live', 'rooms', 'ring_bytes', 'ops_held', 'messages_waiting']
const descriptors = relay => fs.readdirSync(`/proc/${relay.process.pid}/fd`).length
const residentMB = relay => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${relay.process.pid}/status`, 'utf8'))[1]) * 1024 / MB
const hasSanitizer = relay => fs.readFileSync(`/proc/${relay.process.pid}/maps`, 'utf8').includes('asan')

async function atRest (relay) {
  return until(`these to be 0: ${GAUGES}`, async () => {
    const metrics = await relay.metrics()
    return GAUGES.every(name => metrics[name] === 0) && metrics
  })
}

// It grows if even the least of the last rounds is above all of those in the middle.
function assertSteady (megabytes) {
  const quarter = Math.floor(megabytes.length / 4)
  const middle = Math.max(...megabytes.slice(quarter, 2 * quarter))
  const least = Math.min(...megabytes.slice(-quarter))
  assert.ok(least <= middle + 1, `the relay grows: ${megabytes.map(mb => mb.toFixed(1))} MB`)
}

test('clients that left occupy no memory', { timeout: (SECONDS + 170) * 1000 }, async t => {
  const relay = await startRelay({ 'log-level': 'info', 'ring-entries': 8, 'ring-bytes': 100000, 'ping-interval': 10, 'hello-timeout': 5, 'verify-interval': 1 })
  const docs = await Promise.all(Array.from({ length: DOCUMENTS }, () => createDocument('a text')))
  const closed = (await sql("SELECT converge.create_document('closed')"))
  const end = Date.now() + SECONDS * 1000
  const megabytes = []
  let metrics
  let open
  for (let rounds = 1; rounds <= ROUNDS_AT_LEAST || Date.now() < end; rounds++) {
    await round(relay, docs, closed)
    metrics = await atRest(relay)
    await relay.reload('token keys reloaded')
    // the first round opens what stays open: connections to PostgreSQL
    open ??= descriptors(relay)
    await until('its descriptors to be closed', () => descriptors(relay) <= open)
    megabytes.push(residentMB(relay))
  }
  for (const name of ['ring_misses_total', 'frames_total{path="behind"}', 'revocations_total', 'refused_total{reason="token"}', 'timeouts_total{what="hello"}', 'checksums_total{result="equal"}']) {
    assert.ok(metrics[name] > 0, `${name} is ${metrics[name]}: what it counts was not tried`)
  }
  t.diagnostic(`${megabytes.length} rounds, ${metrics.connections_total} connections, ${metrics.ops_applied_total} operations, ${open} descriptors, memory ${megabytes[0].toFixed(1)} to ${megabytes.at(-1).toFixed(1)} MB`)
  if (!hasSanitizer(relay) && megabytes.length >= 16) assertSteady(megabytes)
  await relay.stop()
})
