// What is answered beside the WebSockets, and TLS.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import https from 'node:https'
import net from 'node:net'
import path from 'node:path'
import tls from 'node:tls'
import WebSocket from 'ws'
import { createDocument } from './lib/pg.mjs'
import { newId, Raw } from './lib/raw.mjs'
import { file, Relay, startRelay } from './lib/relay.mjs'
import { SECRET, token } from './lib/token.mjs'
import { until } from './lib/wait.mjs'

let relay
before(async () => { relay = await startRelay() })
after(() => relay.stop())

test('health and readiness', async () => {
  for (const [place, status, text] of [['/healthz', 200, 'ok\n'], ['/readyz', 200, 'ready\n']]) {
    const answer = await relay.get(place)
    assert.deepEqual([answer.status, await answer.text()], [status, text])
  }
  assert.equal((await relay.get('/healthz', { method: 'POST', body: 'x' })).status, 405)
})

test('metrics are what happened', async () => {
  const before = await relay.metrics()
  const doc = await createDocument('')
  const ann = await new Raw(relay, doc).join('ann')
  const id = ann.op(0, ['x'])
  await ann.operation()
  ann.op(0, ['x'], id)
  await ann.operation()
  ann.op(9, ['x'])
  await ann.expect('reject')
  const now = await relay.metrics()
  const grown = name => now[name] - before[name]
  assert.equal(grown('connections'), 1)
  assert.equal(grown('rooms'), 1)
  assert.equal(grown('sessions_live'), 1)
  assert.equal(grown('ops_in_total'), 3)
  assert.equal(grown('ops_applied_total'), 1)
  assert.equal(grown('ops_duplicate_total'), 1)
  assert.equal(grown('ops_published_total'), 1)
  assert.equal(grown('rejects_total{code="invalid"}'), 1)
  assert.equal(grown('joins_total{kind="fresh"}'), 1)
  assert.equal(grown('ops_transformed_total'), 0)
  assert.equal(grown('messages_in_total'), 5)
  assert.ok(grown('batch_ops_sum') >= 3) // more, where a document was busy
  assert.equal(grown('pg_round_trip_seconds_count{statement="join"}'), 1)
  assert.ok(grown('pg_round_trip_seconds_count{statement="submit"}') > 0)
  assert.ok(grown('loop_lag_seconds_count') > 0)
  assert.ok(Math.abs(now.stream_last_event_timestamp_seconds - Date.now() / 1000) < 60)
  assert.ok(grown('bytes_in_total') > 0 && grown('bytes_out_total') > 0)
  assert.equal(now.stream_up, 1)
  ann.end()
  await until('it to be counted', async () => (await relay.metrics()).connections === before.connections)
  assert.equal((await relay.metrics())['closes_total{code="none"}'] - before['closes_total{code="none"}'], 1)
})

test('who comes back, is carried over others, or is sent away, is counted', async () => {
  const before = await relay.metrics()
  const doc = await createDocument('')
  const ann = await new Raw(relay, doc).join('ann')
  const id = ann.op(0, ['x'])
  await ann.operation()
  ann.op(0, ['y'])
  await ann.operation()
  ann.end()
  const again = await new Raw(relay, doc).join('ann', { version: 1, operationId: id })
  assert.equal(again.joined.resumed, true)
  const other = await new Raw(relay, doc).join('ann', { version: 1, operationId: newId() })
  assert.equal(other.joined.resumed, false)
  again.send('{')
  assert.equal((await again.close()).code, 4400)
  other.end()
  const now = await relay.metrics()
  const grown = name => now[name] - before[name]
  assert.equal(grown('ops_transformed_total'), 1)
  assert.deepEqual(['fresh', 'resumed', 'resynced', 'refused'].map(kind => grown(`joins_total{kind="${kind}"}`)), [1, 1, 1, 0])
  await until('the close to be counted', async () => (await relay.metrics())['closes_total{code="4400"}'] - before['closes_total{code="4400"}'] === 1)
})

test('the process reports its resources', async () => {
  const doc = await createDocument('')
  const before = await relay.metrics()
  const ann = await new Raw(relay, doc).join('ann')
  const now = await relay.metrics()
  const { pid } = relay.process
  const resident = Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024
  assert.ok(now.process_resident_memory_bytes > resident / 2 && now.process_resident_memory_bytes < resident * 2)
  assert.ok(now.process_open_fds > before.process_open_fds)
  assert.ok(Math.abs(now.process_open_fds - fs.readdirSync(`/proc/${pid}/fd`).length) <= 2)
  assert.ok(now.process_max_fds >= 20000)
  assert.ok(now.process_cpu_seconds_total > 0)
  assert.ok(Math.abs(now.process_start_time_seconds - fs.statSync(`/proc/${pid}`).ctimeMs / 1000) < 5)
  ann.end()
})

test('how long after its commit an operation is sent is measured, each once at most', async () => {
  const count = async () => (await relay.metrics()).commit_to_send_seconds_count
  const before = await count()
  const ann = await new Raw(relay, await createDocument('')).join('ann')
  let version = 0
  await until('an operation to come by the stream', async () => {
    ann.op(version++, ['x'])
    await ann.operation()
    return await count() > before
  })
  assert.ok(await count() <= before + version)
  ann.end()
})

test('metrics have a form that Prometheus reads', async () => {
  const answer = await relay.get('/metrics')
  assert.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
  const text = await answer.text()
  for (const line of text.trimEnd().split('\n')) {
    assert.match(line, /^(# HELP [a-z_]+ .+|# TYPE [a-z_]+ (counter|gauge|histogram)|[a-z_]+(\{[a-z]+="[a-z0-9_]+"(,le="[0-9.]+"|,le="\+Inf")?\}|\{le="([0-9.]+|\+Inf)"\})? \d+(\.\d+)?)$/)
  }
})

test('a metric has one heading, and its rows are adjacent', async () => {
  const text = await (await relay.get('/metrics')).text()
  const heads = [...text.matchAll(/^# TYPE (\S+)/mg)].map(match => match[1])
  assert.equal(new Set(heads).size, heads.length)
  let head
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('# TYPE')) head = line.split(' ')[2]
    else if (!line.startsWith('#')) assert.equal(line.replace(/[{ ].*/, '').replace(/_(bucket|sum|count)$/, ''), head.replace(/_count$/, ''))
  }
})

test('many requests on one connection', async () => {
  const agent = { keepalive: true }
  for (let n = 0; n < 50; n++) assert.equal((await relay.get('/healthz', agent)).status, 200)
})

test('options from a file and from the environment', async () => {
  const secret = file('other-secret', SECRET)
  const config = file('relay.conf', `# of a test\njwt-key = ${secret}\nmax-connections = 7\nlog-level = debug\n`)
  const own = await startRelay({ config }, { ...process.env, CONVERGE_HELLO_TIMEOUT: '1' })
  const silent = await new Raw(own, await createDocument('')).opened()
  assert.equal((await silent.close()).code, 4408)
  await own.stop()
})

test('--help and --version', async () => {
  for (const [option, says] of [['help', /--listen ADDR:PORT/], ['version', /^converge-relay \d+\.\d+/]]) {
    const own = new Relay({ [option]: '' })
    assert.equal((await own.ended).code, 0)
    assert.match(own.log(), says)
  }
})

// Make a key and a certificate of its own.
function certify (key, cert) {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' })
}

test('TLS', async () => {
  const dir = fs.mkdtempSync(path.join(process.env.CONVERGE_TEST_DIR, 'tls-'))
  const [key, cert] = [path.join(dir, 'key.pem'), path.join(dir, 'cert.pem')]
  certify(key, cert)
  const own = await new Relay({ 'tls-cert': cert, 'tls-key': key }).listening()
  const ca = fs.readFileSync(cert)
  const status = () => new Promise((resolve, reject) => https.get(`https://localhost:${own.port}/readyz`, { ca, family: 4 }, answer => { answer.resume(); resolve(answer.statusCode) }).on('error', reject))
  await until('the relay to be ready', async () => await status() === 200)
  const doc = await createDocument('sécret')
  const socket = new WebSocket(`wss://localhost:${own.port}/v1/collab/${doc}`, 'converge.v1', { ca, family: 4 })
  const messages = []
  socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', token: token('ann') })))
  socket.on('message', data => messages.push(...[JSON.parse(data)].filter(({ type }) => type !== 'presence')))
  await until('the snapshot', () => messages.length === 2)
  assert.equal(messages[1].content, 'sécret')
  socket.send(JSON.stringify({ type: 'ack', sequenceId: messages[1].sequenceId }))
  const text = 'x'.repeat(300000)
  socket.send(JSON.stringify({ type: 'op', operationId: crypto.randomUUID(), baseVersion: 0, op: [text] }))
  await until('the operation', () => messages.length === 3)
  assert.deepEqual(messages[2].ops[0].op, [text])
  socket.terminate()
  await own.stop()
  fs.rmSync(dir, { recursive: true })
})

test('a certificate is read again on SIGHUP, and a bad one changes nothing', async () => {
  const dir = fs.mkdtempSync(path.join(process.env.CONVERGE_TEST_DIR, 'tls-'))
  const [key, cert] = [path.join(dir, 'key.pem'), path.join(dir, 'cert.pem')]
  certify(key, cert)
  const own = await new Relay({ 'tls-cert': cert, 'tls-key': key, 'handshake-timeout': 1 }).listening()
  const serial = () => new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port: own.port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber)
      socket.destroy()
    }).on('error', reject)
  })
  const first = await serial()
  assert.ok(first)
  certify(key, path.join(dir, 'other.pem'))
  await own.reload('could not reload the TLS certificate')
  assert.equal(await serial(), first)
  fs.renameSync(path.join(dir, 'other.pem'), cert)
  await own.reload('TLS certificate reloaded')
  const second = await serial()
  assert.ok(second && second !== first)
  await assert.rejects(new Promise((resolve, reject) => tls.connect({ host: '127.0.0.1', port: own.port, rejectUnauthorized: false, maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, resolve).on('error', reject)))
  // a client that does not begin or finish its handshake is closed
  for (const bytes of ['', '\x16\x03\x01', '\x16\x03\x01\x02\x00\x01']) {
    const socket = net.connect(own.port, '127.0.0.1', () => socket.write(bytes))
    // a byte at a time is no sign of life either
    const drip = bytes.length > 3 && setInterval(() => socket.write('\x01'), 100)
    socket.on('close', () => clearInterval(drip))
    let closed = false
    socket.on('error', () => {}).on('close', () => { closed = true })
    await until('the connection to be closed', () => closed)
  }
  await own.stop()
  fs.rmSync(dir, { recursive: true })
})
