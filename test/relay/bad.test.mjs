// Everything a client may do wrong: each has a clear answer, and changes nothing.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { content, createDocument, sql, version } from './lib/pg.mjs'
import { newId, Raw } from './lib/raw.mjs'
import { file, Relay, startRelay } from './lib/relay.mjs'
import { now, SECRET, signedToken, token } from './lib/token.mjs'
import { until, within } from './lib/wait.mjs'

let relay, doc
before(async () => {
  relay = await startRelay({ 'max-message': 100000 })
  doc = await createDocument('héllo 😀')
})
after(async () => {
  assert.equal(await content(doc), 'héllo 😀')
  assert.equal(await version(doc), 0)
  await relay.stop()
})

// An operation is rejected with this code, and the session goes on.
async function rejected (message, code, says, { user = 'ann', client } = {}) {
  const own = client ?? await new Raw(relay, doc).join(user)
  const operationId = newId()
  own.send({ type: 'op', operationId, baseVersion: 0, ...message })
  const reject = await own.expect('reject')
  assert.deepEqual([reject.operationId, reject.code], [message.operationId ?? operationId, code])
  assert.match(reject.message, says)
  own.send({ type: 'nonsense' })
  assert.equal((await own.expect('error')).code, 'unknown_type')
  own.end()
}

// The connection is closed with this code after an error that says why.
async function closed (client, code, error, says) {
  const message = await client.expect('error')
  assert.equal(message.code, error)
  assert.match(message.message, says)
  const close = await client.close()
  assert.equal(close.code, code)
  assert.equal(close.reason, message.message)
}

for (const [what, op, says] of [
  ['no list', 'text', /./],
  ['a negative length', [-1, 'x'], /./],
  ['a component of no kind', [{ x: 1 }], /./],
  ['a fraction', [1.5, 'x'], /./],
  ['a boolean', [true], /./],
  ['a list in a list', [[1]], /./],
  ['U+0000', ['a\0b'], /./]
]) test(`malformed: ${what}`, () => rejected({ op }, 'invalid', says))

test('an operation beyond the end of the text', async () => {
  await rejected({ op: [8, 'x'] }, 'invalid', /./)
  await rejected({ op: [{ d: 8 }] }, 'invalid', /./)
})

test('a base version in the future', () => rejected({ baseVersion: 1, op: ['x'] }, 'invalid', /./))

test('no base version', () => rejected({ baseVersion: null, op: ['x'] }, 'invalid', /baseVersion/))

test('neither op nor its short form', () => rejected({ operationType: 'move', position: 1 }, 'invalid', /op must be a list/))

test('a lone surrogate', async () => {
  for (const text of ['\\ud83d', '\\ude00', '\\ud83d\\u0061', 'x\\ude00\\ud83d']) {
    const ann = await new Raw(relay, doc).join()
    const id = newId()
    ann.send(`{"type":"op","operationId":"${id}","baseVersion":0,"op":["${text}"]}`)
    const reject = await ann.expect('reject')
    assert.deepEqual([reject.operationId, reject.code], [id, 'invalid'])
    assert.match(reject.message, /surrogate/)
    ann.end()
  }
})

test('an id used again for another operation', async () => {
  const own = await createDocument('')
  const ann = await new Raw(relay, own).join()
  const id = ann.op(0, ['x'])
  await ann.operation()
  ann.op(0, ['y'], id)
  assert.equal((await ann.expect('reject')).code, 'conflict')
  assert.equal(await content(own), 'x')
  ann.end()
})

test('a viewer who writes', async () => {
  const own = await createDocument('text', { role: 'viewer' })
  const ann = await new Raw(relay, own).join()
  assert.equal(ann.joined.role, 'viewer')
  ann.op(0, ['x'])
  assert.equal((await ann.expect('reject')).code, 'forbidden')
  assert.equal(await content(own), 'text')
  ann.end()
})

test('a user who may not read the document', async () => {
  const own = await sql("SELECT converge.create_document('private', 'text')")
  const ann = await new Raw(relay, own).opened()
  ann.send({ type: 'hello', token: token('ann') })
  await closed(ann, 4403, 'forbidden', /./)
})

test('an unknown document', async () => {
  const ann = await new Raw(relay, newId()).opened()
  ann.send({ type: 'hello', token: token('ann') })
  await closed(ann, 4404, 'not_found', /./)
})

test('an invalid document id', async () => {
  for (const id of ['12', 'x'.repeat(36), '', `${newId()}/more`]) {
    const ann = await new Raw(relay, id).opened()
    ann.send({ type: 'hello', token: token('ann') })
    await closed(ann, 4404, 'not_found', /uuid/)
  }
})

for (const [what, bad, says] of [
  ['no token', undefined, /needed/],
  ['a token that is none', 'nonsense', /malformed/],
  ['a token with another secret', token('ann', {}, { secret: 'another secret of the tests' }), /signature/],
  ['a token without a signature', token('ann').replace(/\.[^.]*$/, '.'), /malformed|signature/],
  ['a token that was tampered with', token('ann').replace(/^([^.]*)\.[^.]*/, `$1.${Buffer.from('{"sub":"ben"}').toString('base64url')}`), /signature/],
  ['a token signed with "none"', token('ann', {}, { alg: 'none' }), /./],
  ['a token of another algorithm', token('ann', {}, { alg: 'HS512' }), /algorithm/],
  ['an expired token', token('ann', { exp: now() - 60 }), /expired/],
  ['a token of tomorrow', token('ann', { nbf: now() + 86400 }), /not valid yet/],
  ['a token whose time is no number', token('ann', { exp: 'soon' }), /time|expired/],
  ['a token without a user', token(undefined), /user/],
  ['a token of an empty user', token(''), /user/],
  ['a token of everybody', token('*'), /user/],
  ['a token of an endless user', token('x'.repeat(300)), /user/],
  ['an endless token', token('ann', { more: 'x'.repeat(20000) }), /./]
]) {
  test(`${what}`, async () => {
    const ann = await new Raw(relay, doc).opened()
    ann.send({ type: 'hello', token: bad })
    await closed(ann, 4401, 'unauthenticated', says)
  })
}

test('a token that expires while its user is connected', async () => {
  const own = await startRelay({ 'ping-interval': 1 })
  const ann = await new Raw(own, doc).join('ann', { token: token('ann', { exp: now() + 2 }) })
  await closed(ann, 4401, 'unauthenticated', /expired/)
  await own.stop()
})

test('public keys: the right signature is taken, key confusion is not', async () => {
  for (const [alg, pair] of [
    ['RS256', crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ES256', crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' })]
  ]) {
    const pem = pair.publicKey.export({ type: 'spki', format: 'pem' })
    const own = await startRelay({ 'jwt-alg': alg, 'jwt-key': file(`${alg}.pem`, pem) })
    const ann = await new Raw(own, doc).opened()
    ann.send({ type: 'hello', token: signedToken('ann', pair.privateKey, alg) })
    assert.equal((await ann.expect('joined')).userId, 'ann')
    ann.end()
    for (const bad of [token('ann', {}, { secret: pem }), token('ann', {}, { secret: SECRET })]) {
      const ben = await new Raw(own, doc).opened()
      ben.send({ type: 'hello', token: bad })
      await closed(ben, 4401, 'unauthenticated', /./)
    }
    await own.stop()
  }
})

test('invalid JSON, and JSON that is not a message', async () => {
  for (const text of ['{', '', '[]', '7', '"hello"', '{"type":1}', '{}', '{"type":"hello"} trailing', '{"type":"op","type":"hello"}', '['.repeat(90000)]) {
    const ann = await new Raw(relay, doc).join()
    ann.send(text)
    await closed(ann, 4400, 'malformed', /JSON|type/)
  }
})

test('invalid UTF-8', async () => {
  for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
    const ann = await new Raw(relay, doc).join()
    const message = Buffer.concat([Buffer.from(`{"type":"op","operationId":"${newId()}","baseVersion":0,"op":["`), Buffer.from(bytes), Buffer.from('"]}')])
    ann.socket.send(message, { binary: false })
    await closed(ann, 4400, 'malformed', /UTF-8/)
  }
})

test('a binary frame', async () => {
  const ann = await new Raw(relay, doc).join()
  ann.socket.send(Buffer.from('{"type":"ack"}'), { binary: true })
  await closed(ann, 4400, 'malformed', /text frames/)
})

test('a message that is too big, in one piece and in many', async () => {
  const big = JSON.stringify({ type: 'op', operationId: newId(), baseVersion: 0, op: ['x'.repeat(100000)] })
  const ann = await new Raw(relay, doc).join()
  ann.send(big)
  await closed(ann, 1009, 'too_large', /big/)
  const ben = await new Raw(relay, doc).join()
  for (let at = 0; at < big.length; at += 7000) ben.socket.send(big.slice(at, at + 7000), { fin: false })
  await closed(ben, 1009, 'too_large', /big/)
})

test('messages out of order', async () => {
  const op = { type: 'op', operationId: newId(), baseVersion: 0, op: ['x'] }
  const first = await new Raw(relay, doc).opened()
  first.send(op)
  await closed(first, 4400, 'out_of_order', /first message must be hello/)

  const early = await new Raw(relay, doc).opened()
  early.send({ type: 'hello', token: token('ann') })
  await early.expect('joined')
  await early.expect('snapshot')
  early.send(op)
  await closed(early, 4400, 'out_of_order', /before the ack/)

  const hasty = await new Raw(relay, doc).opened()
  hasty.send({ type: 'hello', token: token('ann') })
  hasty.send(op)
  await until('its close', () => hasty.closed)
  assert.equal(hasty.closed.code, 4400)

  const twice = await new Raw(relay, doc).join()
  twice.send({ type: 'hello', token: token('ann') })
  await closed(twice, 4400, 'out_of_order', /hello was already sent/)

  const again = await new Raw(relay, doc).join()
  again.send({ type: 'ack', sequenceId: again.snapshot.sequenceId })
  await closed(again, 4400, 'out_of_order', /ack/)
})

test('fields of the wrong type', async () => {
  for (const hello of [{ version: -1 }, { version: 'x' }, { version: 1, operationId: 'x' }, { pending: 7 }, { token: 7 }]) {
    const ann = await new Raw(relay, doc).opened()
    ann.send({ type: 'hello', token: token('ann'), ...hello })
    await closed(ann, 4400, 'malformed', /hello/)
  }
  const ann = await new Raw(relay, doc).opened()
  ann.send({ type: 'hello', token: token('ann') })
  const snapshot = (await ann.expect('joined')) && await ann.expect('snapshot')
  ann.send({ type: 'ack', sequenceId: snapshot.sequenceId + 1 })
  await closed(ann, 4400, 'malformed', /sequenceId must be that of the snapshot/)
  for (const operationId of [undefined, 7, 'x', null]) {
    const ben = await new Raw(relay, doc).join()
    ben.send({ type: 'op', operationId, baseVersion: 0, op: ['x'] })
    await closed(ben, 4400, 'malformed', /operationId/)
  }
})

test('unknown fields are ignored', async () => {
  const ann = await new Raw(relay, doc).opened()
  ann.send({ type: 'hello', token: token('ann'), colour: 'red', more: { deep: [1] } })
  await ann.expect('joined')
  ann.end()
})

test('no hello', async () => {
  const own = await startRelay({ 'hello-timeout': 1 })
  const ann = await new Raw(own, doc).opened()
  await closed(ann, 4408, 'too_slow', /hello/)
  const ben = await new Raw(own, doc).join('ben')
  await closed(await new Raw(own, doc).opened(), 4408, 'too_slow', /hello/)
  assert.equal(ben.closed, undefined)
  await own.stop()
})

test('a path where no document is', async () => {
  for (const place of ['/', '/v1/collab', '/v2/collab/x']) {
    const { status } = await relay.get(place)
    assert.equal(status, 404)
  }
  const ann = new Raw(relay, doc)
  ann.end()
  const other = new Raw({ port: `${relay.port}/elsewhere` }, doc)
  await until('an answer', () => other.refused)
  assert.equal(other.refused, 404)
})

test('an origin that is not on the list', async () => {
  const own = await startRelay({ origin: ['https://one.example', 'https://two.example'] })
  for (const [origin, status] of [['https://one.example', 0], ['https://two.example', 0], [undefined, 0], ['https://three.example', 403], ['https://one.example.evil', 403]]) {
    const ann = new Raw(own, doc, { origin })
    if (status === 0) await ann.join()
    else assert.equal(await until('an answer', () => ann.refused), status)
    ann.end()
  }
  await own.stop()
})

test('more connections than are allowed', async () => {
  const own = await startRelay({ 'max-connections': 2 })
  const clients = [await new Raw(own, doc).join(), await new Raw(own, doc).join()]
  const third = new Raw(own, doc)
  assert.equal(await until('an answer', () => third.refused), 503)
  clients[0].end()
  await until('a place', async () => (await own.metrics()).connections === 1)
  await new Raw(own, doc).join()
  await own.stop()
})

test('operations above the limit are rejected with a retry time', async () => {
  const own = await createDocument('')
  const holder = new Raw(relay, own)
  await holder.join()
  const ids = Array.from({ length: 200 }, () => holder.op(0, ['x']))
  const answered = new Map()
  await until('every answer', () => {
    for (; holder.next < holder.messages.length; holder.next++) {
      const message = holder.messages[holder.next]
      if (message.type === 'reject') answered.set(message.operationId, message)
      else message.ops.forEach(entry => answered.set(entry.operationId, entry))
    }
    return answered.size === ids.length
  })
  const rejects = [...answered.values()].filter(answer => answer.type === 'reject')
  assert.ok(rejects.every(reject => reject.code === 'rate_limited' && reject.retryAfter > 0))
  assert.equal(await version(own), ids.length - rejects.length)
  holder.end()
})

test('options that make no sense end with status 2 and say why', async () => {
  for (const [options, says] of [
    [{ 'ring-entries': 0 }, /ring-entries: "0" is not a whole number from 1 to/],
    [{ 'jwt-key': '/no/such/file' }, /jwt-key/],
    [{ 'jwt-key': file('short', 'short') }, /16 bytes/],
    [{ 'jwt-alg': 'none' }, /jwt-alg/],
    [{ listen: `127.0.0.1:${relay.port}` }, /could not listen/],
    [{ listen: '300.1.1.1:0' }, /could not listen/],
    [{ 'tls-cert': '/a', 'tls-key': '/b' }, /./]
  ]) {
    const own = new Relay(options)
    const { code } = await within('the relay to end', own.ended)
    assert.equal(code, 2)
    assert.match(own.log(), says)
    assert.doesNotMatch(own.log(), /Sanitizer/)
  }
})
