// HTTP as attackers write it: requests that can be read in two ways, that are none, that
// never end, and far too many.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import crypto from 'node:crypto'
import { Bytes, upgrade } from './lib/bytes.mjs'
import { createDocument, Session, sql } from './lib/pg.mjs'
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
const inner = request('GET /metrics')

// The statuses of the answers until the relay ends the connection.
async function answers (bytes, where = relay) {
  const client = new Bytes(where).write(bytes)
  await client.end()
  return client.statuses()
}

for (const [what, headers, body] of [
  ['two lengths', ['Content-Length: 0', `Content-Length: ${inner.length}`], inner],
  ['one length twice', [`Content-Length: ${inner.length}`, `Content-Length: ${inner.length}`], inner],
  ['two lengths in one', [`Content-Length: 0, ${inner.length}`], inner],
  ['a length in hexadecimal', ['Content-Length: 0x10'], inner],
  ['a length with a sign', ['Content-Length: +0'], inner],
  ['a negative length', ['Content-Length: -1'], inner],
  ['a length that overflows', ['Content-Length: 18446744073709551616'], inner],
  ['chunks', ['Transfer-Encoding: chunked'], `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`],
  ['chunks and a length', ['Content-Length: 4', 'Transfer-Encoding: chunked'], `0\r\n\r\n${inner}`],
  ['chunks in disguise', ['Transfer-Encoding: xchunked', `Content-Length: ${inner.length}`], inner]
]) {
  test(`a body with an ambiguous end: ${what}`, async () => {
    for (const method of ['GET', 'POST']) assert.deepEqual(await answers(request(`${method} /healthz`, ...headers) + body), [/Transfer/.test(headers) ? 411 : 400])
  })
}

test('a body is not read as a request, and requests cannot be pipelined', async () => {
  const get = request('GET /healthz')
  const post = request('POST /healthz', 'Content-Length: 2') + 'ab'
  assert.deepEqual(await answers(request('POST /healthz', `Content-Length: ${inner.length}`) + inner), [405])
  for (const sequence of ['P', 'GG', 'GP', 'PG', 'PP', 'PPG', 'GPG', 'PGP']) {
    assert.deepEqual(await answers([...sequence].map(letter => letter === 'G' ? get : post).join('')), [sequence[0] === 'G' ? 200 : 405])
    assert.equal((await relay.get('/healthz')).status, 200)
  }
})

test('an invalid handshake becomes no WebSocket', async () => {
  const path = `/v1/collab/${doc}`
  const accepted = new Bytes(relay).write(upgrade(path))
  await until('a good one', () => accepted.statuses()[0] === 101)
  accepted.socket.destroy()
  for (const [headers, first] of [
    [{ 'Sec-WebSocket-Version': '8' }], [{ 'Sec-WebSocket-Version': '0' }], [{ 'Sec-WebSocket-Version': null }], [{ 'Sec-WebSocket-Version': ['8', '13'] }],
    [{ 'Sec-WebSocket-Key': null }], [{ 'Sec-WebSocket-Key': 'short' }], [{ 'Sec-WebSocket-Key': 'x'.repeat(500) }], [{ 'Sec-WebSocket-Key': `${'!'.repeat(22)}==` }],
    [{ 'Content-Length': '10' }], [{ 'Transfer-Encoding': 'chunked' }], [{ 'Sec-WebSocket-Protocol': 'chat' }], [{ Connection: 'close' }], [{}, 'POST'], [{}, 'PUT']
  ]) {
    const statuses = await answers(upgrade(path, headers, first))
    assert.ok(statuses.every(status => status >= 400), JSON.stringify([headers, first, statuses]))
  }
})

test('no extension is negotiated, so no message is compressed', async () => {
  const client = new Bytes(relay).write(upgrade(`/v1/collab/${doc}`, { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' }))
  await until('an answer', () => client.statuses().length)
  assert.ok(!/sec-websocket-extensions/i.test(String(client.heard)))
  client.socket.destroy()
})

test('invalid requests get no data', async () => {
  for (const bytes of [
    crypto.randomBytes(5000), Buffer.from('16030100c8010000c40303', 'hex'), 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', request('TRACE /metrics'), request('BREW /metrics'),
    request('GE T /metrics'), request('GET http://other.example/metrics'), request('GET /metrics\0'), request('GET /metrics%00'), request(`GET /${'x'.repeat(100000)}`),
    request('GET /metrics', `X-Long: ${'x'.repeat(100000)}`), request('GET /metrics', `Authorization: Bearer ${'x'.repeat(100000)}`), request('GET /metrics', `${'x'.repeat(100000)}: y`),
    request('GET /metrics', ...Array.from({ length: 20000 }, (unused, n) => `X-${n}: y`)), request(`GET /v1/collab/${doc}?${'a=b&'.repeat(3000)}`, 'Upgrade: websocket')
  ]) {
    const client = new Bytes(relay).write(bytes)
    await client.end()
    assert.ok(client.statuses().every(status => status >= 400), String(bytes).slice(0, 60))
    assert.ok(!client.heard.includes('converge_relay_'))
  }
})

test('no form of a path reaches another path', async () => {
  for (const path of ['/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/..%2f..%2fetc/passwd', '/..\\..\\etc\\passwd', '//etc/passwd', '/healthz/../etc/passwd',
    '/metrics/', '/metrics%20', '/METRICS', '/.', '/%', '/%zz', '/?/metrics', '/v1/collab/../../metrics/..']) {
    const client = new Bytes(relay).write(request(`GET ${path}`, 'Connection: close'))
    await until('an answer or the end', () => client.statuses().length || client.closed)
    assert.ok(client.statuses().every(status => status >= 400), path)
    assert.ok(!/root:|converge_relay_/.test(String(client.heard)), path)
    client.socket.destroy()
  }
})

test('no condition, and no form of a path, reveals anything to a user without a role', async () => {
  const closed = await sql("SELECT converge.create_document('a secret', 'a secret')")
  const eve = { Authorization: `Bearer ${token('eve')}`, 'Content-Type': 'application/json' }
  const ask = async (path, headers = {}, method = 'GET', body) => {
    const answer = await relay.get(path, { method, headers: { ...eve, ...headers }, body }).catch(() => null)
    // a connection that ends without a word
    if (answer === null) return 400
    const text = await answer.text()
    assert.ok(!text.includes('a secret'), path)
    return answer.status
  }
  for (const condition of ['"0"', '*', 'W/"0"', '"0", "1"', '""']) {
    for (const what of ['content', 'blame']) assert.equal(await ask(`/v1/docs/${closed}/${what}`, { 'If-None-Match': condition }), 403)
    assert.ok(await ask(`/v1/docs/${closed}`, { 'If-Match': condition, 'If-Modified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT', Range: 'bytes=0-1' }) === 403)
  }
  for (const path of [`${closed}%2fcontent`, `${doc}/../${closed}/content`, `${doc}%2f..%2f${closed}/content`, `${closed}/content/../members`, `${closed}/%2e/content`, `${closed.toUpperCase()}/content`,
    `{${closed}}/content`, `${closed.replaceAll('-', '')}/content`, `%20${closed}/content`, `${closed}%20/content`, `${closed};x/content`, `${closed}/content?version=0%00`, `${closed}/content?version=0&version=1`]) {
    assert.ok([400, 403, 404].includes(await ask(`/v1/docs/${path}`)), path)
  }
  assert.equal(await ask(`/v1/docs/${closed}%00/content`), 400)
  for (const name of ['X-User', 'X-Forwarded-User', 'X-HTTP-Method-Override', 'X-Original-URL', 'X-Rewrite-URL']) assert.equal(await ask(`/v1/docs/${closed}/content`, { [name]: name.endsWith('URL') ? '/healthz' : 'postgres' }), 403)
  // what a token says elsewhere is not looked at
  assert.equal((await relay.get(`/v1/docs/${doc}?token=${token('ann')}`)).status, 401)
  assert.equal((await relay.get(`/v1/docs/${doc}`, { headers: { Cookie: `token=${token('ann')}` } })).status, 401)
  // too long, too many, of another type
  assert.equal(await ask(`/v1/docs?limit=${'9'.repeat(2000)}`), 414)
  assert.ok([414, 400].includes(await ask(`/v1/docs?${'a=b&'.repeat(100)}limit=1`)))
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', '']) {
    assert.equal(await ask('/v1/docs', { 'Content-Type': type }, 'POST', '{"title":"x"}'), 415, type)
  }
  for (const body of ['{', '[]', '"x"', '{"title":"a","title":"b"}', '{"title":"\\u0000"}', '{"title":"\\ud800"}', `{"title":${'['.repeat(5000)}${']'.repeat(5000)}}`, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), '{"id":"\' OR 1=1"}']) {
    assert.equal(await ask('/v1/docs', {}, 'POST', body), 400, String(body).slice(0, 40))
  }
})

test('a body that never arrives, and one that arrives a byte at a time', async () => {
  const own = await startRelay({ 'handshake-timeout': 1, 'body-timeout': 1 })
  const silent = new Bytes(own).write(request('POST /healthz', 'Content-Length: 100000'))
  const slow = new Bytes(own).write(request('POST /healthz', 'Content-Length: 100000'))
  const drip = setInterval(() => slow.write('x'), 100)
  for (const client of [silent, slow]) await client.end()
  clearInterval(drip)
  await own.stop()
})

test('a client that sends more while it waits for an answer is closed', async t => {
  const holder = new Session()
  t.after(() => holder.close())
  const name = `holder ${doc}`
  await holder.run(`SET application_name = '${name}'; BEGIN; SELECT version FROM converge.heads WHERE doc_id = '${doc}' FOR UPDATE`)
  // a relay for this lock: other tests' waits are none of ours, such as one to change the table
  const waiting = async () => Number(await sql(`SELECT count(*) FROM pg_stat_activity AS h, pg_stat_activity AS w
    WHERE h.application_name = '${name}' AND h.pid = ANY (pg_blocking_pids(w.pid))
      AND w.usename = '${process.env.CONVERGE_TEST_ROLE}'`))
  const headers = [`Authorization: Bearer ${token('ann')}`, 'Content-Type: application/json']
  const body = JSON.stringify({ operationId: crypto.randomUUID(), baseVersion: 0, op: ['x'] })
  for (const bytes of [request(`DELETE /v1/docs/${doc}/members/fred`, ...headers), request(`POST /v1/docs/${doc}/ops`, ...headers, `Content-Length: ${body.length}`) + body]) {
    const client = new Bytes(relay).write(bytes)
    await until('it to wait', async () => await waiting() > 0)
    client.write(request('GET /healthz'))
    await client.end()
    assert.deepEqual(client.statuses(), [])
    await until('nothing to wait', async () => await waiting() === 0)
  }
  await holder.run('ROLLBACK')
  assert.equal((await relay.get('/healthz')).status, 200)
})

test('many silent connections delay no other client, and are closed', async () => {
  const own = await startRelay({ 'handshake-timeout': 3 })
  const silent = Array.from({ length: 400 }, (unused, n) => new Bytes(own).write(n % 2 ? 'GET /' : ''))
  const ann = await new Raw(own, await createDocument('')).join('ann')
  ann.op(0, ['é'])
  assert.equal((await ann.operation()).version, 1)
  for (const client of silent) await client.end()
  assert.equal((await own.get('/readyz')).status, 200)
  ann.end()
  await own.stop()
})

test('more connections than there are descriptors', async () => {
  const own = await startRelay({ 'handshake-timeout': 3 })
  const ann = await new Raw(own, await createDocument('')).join('ann')
  // enough for what it has, and some
  execFileSync('prlimit', ['--pid', String(own.process.pid), '--nofile=64:64'])
  const silent = Array.from({ length: 200 }, () => new Bytes(own))
  await until('it to be out of descriptors', () => own.log().includes('could not accept'))
  ann.op(0, ['é'])
  assert.equal((await ann.operation()).version, 1)
  for (const client of silent) await client.end()
  await until('it to take connections again', async () => own.get('/readyz').then(answer => answer.status === 200, () => false))
  ann.end()
  await own.stop()
})
