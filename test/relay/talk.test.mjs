// Comments, suggestions and chat over the WebSocket: what a client says comes back to all as
// events, in the order of the commits; once, whatever is lost in between.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { quote, sql } from './lib/pg.mjs'
import { newId, Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { Witness } from './lib/streamed.mjs'
import { until } from './lib/wait.mjs'

let relay
let witness
before(async () => {
  relay = await startRelay()
  witness = new Witness(relay)
})
after(async () => {
  await witness.end()
  await relay.stop()
})

const members = { ben: 'editor', cleo: 'commenter', dan: 'viewer' }
const create = content => sql(`SELECT doc FROM converge.create_document('a title', ${quote(content)}) AS doc,
  LATERAL (SELECT ${Object.entries(members).map(([user, role]) => `converge.share(doc, '${user}', '${role}')`).join(', ')}) AS shared`)
const as = (user, statement) => sql(`SET converge."user" = ${quote(user)}; ${statement}`)

// Clients that get what happens from now on.
async function join (doc, ...users) {
  await witness.streamed()
  return Promise.all(users.map(async user => {
    const client = await new Raw(relay, doc).join(user)
    client.send({ type: 'nonsense' })
    await client.expect('error')
    return client
  }))
}

test('a comment and a reply come to every client, numbered', async () => {
  const doc = await create('Boil the 😀 rice.')
  const [cleo, dan] = await join(doc, 'cleo', 'dan')
  const [threadId, id, reply] = [newId(), newId(), newId()]
  cleo.send({ type: 'comment', id, threadId, body: 'which "é"\n😀?', version: 0, from: 11, to: 15 })
  cleo.send({ type: 'comment', id: reply, threadId, body: 'brown' })
  for (const client of [cleo, dan]) {
    const thread = await client.expect('thread')
    assert.deepEqual([thread.id, thread.changed, thread.from, thread.to, thread.version, thread.quote, thread.userId, thread.resolvedBy], [threadId, 1, 11, 15, 0, 'rice', 'cleo', null])
    const comment = await client.expect('comment')
    assert.deepEqual([comment.id, comment.threadId, comment.changed, comment.body, comment.userId], [id, threadId, 2, 'which "é"\n😀?', 'cleo'])
    assert.equal('committed' in comment, false)
    const second = await client.expect('comment')
    assert.deepEqual([second.id, second.changed, second.body], [reply, 3, 'brown'])
  }
  cleo.send({ type: 'comment', id, body: 'which one?' })
  assert.equal((await dan.expect('comment')).body, 'which one?')
  cleo.send({ type: 'thread', id: threadId, resolved: true })
  assert.equal((await dan.expect('thread')).resolvedBy, 'cleo')
  cleo.send({ type: 'comment', id: reply, deleted: true })
  const deleted = await dan.expect('comment')
  assert.deepEqual([deleted.id, deleted.body, typeof deleted.deletedAt], [reply, '', 'string'])
  cleo.end()
  dan.end()
})

test('what was said before is answered to its sender alone, and changes nothing', async () => {
  const doc = await create('é')
  const [cleo, dan] = await join(doc, 'cleo', 'dan')
  const said = { type: 'chat', id: newId(), body: 'é' }
  cleo.send(said)
  const first = await cleo.expect('chat')
  cleo.send(said)
  assert.deepEqual(await cleo.expect('chat'), first)
  cleo.send({ ...said, body: 'another' })
  const { of, id, code } = await cleo.expect('reject')
  assert.deepEqual([of, id, code], ['chat', said.id, 'conflict'])
  cleo.send({ type: 'chat', id: newId(), body: 'last' })
  assert.deepEqual([(await dan.expect('chat')).body, (await dan.expect('chat')).body], ['é', 'last'])
  assert.equal((await cleo.expect('chat')).changed, 2)
  cleo.end()
  dan.end()
})

test('a suggestion is accepted: the edit comes first, then the decision, once', async () => {
  const doc = await create('Boil the rice.')
  const [cleo, ben, other] = await join(doc, 'cleo', 'ben', 'ben')
  const id = newId()
  cleo.send({ type: 'suggest', id, baseVersion: 0, op: [9, 'pasta', { d: 4 }], note: 'Italian' })
  for (const client of [cleo, ben, other]) {
    const { op, note, status, baseVersion, version } = await client.expect('suggest')
    assert.deepEqual({ op, note, status, baseVersion, version }, { op: [9, 'pasta', { d: 4 }], note: 'Italian', status: 'open', baseVersion: 0, version: null })
  }
  ben.op(0, ['> '])
  for (const client of [cleo, ben, other]) await client.operation()
  ben.send({ type: 'decide', id, accept: true })
  other.send({ type: 'decide', id, accept: true })
  for (const client of [cleo, ben, other]) {
    const { operationId, version, op, userId } = await client.operation()
    assert.deepEqual({ operationId, version, op, userId }, { operationId: id, version: 2, op: [11, 'pasta', { d: 4 }], userId: 'ben' })
    const decided = await client.expect('decide')
    assert.deepEqual([decided.status, decided.decidedBy, decided.version], ['accepted', 'ben', 2])
  }
  // the second of the two is answered alone
  const again = await Promise.race([ben, other].map(client => client.expect('decide')))
  assert.equal(again.version, 2)
  assert.equal(await sql(`SELECT count(*) FROM converge.ops WHERE doc_id = '${doc}'`), '2')
  cleo.send({ type: 'decide', id, accept: false })
  assert.equal((await cleo.expect('reject')).code, 'forbidden')
  cleo.end()
  ben.end()
  other.end()
})

test('several suggestions are decided together', async () => {
  const doc = await create('ab')
  const [ben] = await join(doc, 'ben')
  const ids = [newId(), newId()]
  for (const [n, id] of ids.entries()) ben.send({ type: 'suggest', id, baseVersion: 0, op: n ? [1, { d: 1 }] : [{ d: 1 }] })
  await ben.expect('suggest')
  await ben.expect('suggest')
  ben.send({ type: 'decide', ids, accept: true })
  for (const [n, id] of ids.entries()) {
    assert.equal((await ben.operation()).version, n + 1)
    assert.deepEqual([(await ben.expect('decide'))].map(({ id, version }) => [id, version]), [[id, n + 1]])
  }
  ben.send({ type: 'decide', ids, accept: false })
  const rejected = await ben.expect('reject')
  assert.deepEqual([rejected.of, rejected.ids, rejected.id], ['decide', ids, undefined])
  ben.end()
})

test('of suggestions that are accepted together the one that is stale is named, and the others can be accepted without it', async () => {
  const doc = await create('abc')
  const [ben] = await join(doc, 'ben')
  const ids = [newId(), newId(), newId()]
  for (const [n, id] of ids.entries()) ben.send({ type: 'suggest', id, baseVersion: 0, op: n === 2 ? ['>'] : [1, { d: 1 }] })
  for (const _ of ids) await ben.expect('suggest')
  ben.send({ type: 'decide', ids, accept: true })
  const { of, ids: refused, code, message } = await ben.expect('reject')
  assert.deepEqual([of, refused, code], ['decide', ids, 'forbidden'])
  assert.match(message, new RegExp(`suggestion ${ids[1]} is stale`))
  assert.equal(await sql(`SELECT count(*) FROM converge.suggestions WHERE doc_id = '${doc}' AND status = 'open'`), '3')
  ben.send({ type: 'decide', ids: [ids[0], ids[2]], accept: true })
  for (const id of [ids[0], ids[2]]) {
    assert.equal((await ben.operation()).operationId, id)
    assert.equal((await ben.expect('decide')).id, id)
  }
  ben.end()
})

test('what cannot be is rejected by its id, what has none ends the connection', async () => {
  const doc = await create('é')
  const [cleo] = await join(doc, 'cleo')
  const id = newId()
  const cases = [
    [{ type: 'comment', id, threadId: newId(), body: 'x', from: 0, to: 2 }, 'invalid'],
    [{ type: 'comment', id, threadId: newId(), body: 'x', from: 0, to: 1, version: 9 }, 'invalid'],
    [{ type: 'comment', id, threadId: newId(), body: 7, from: 0, to: 1 }, 'invalid'],
    [{ type: 'comment', id, threadId: newId(), body: 'a\u0000b', from: 0, to: 1 }, 'invalid'],
    [{ type: 'comment', id, threadId: 'x', body: 'x' }, 'invalid'],
    [{ type: 'comment', id, threadId: newId(), body: 'x', from: -1, to: 1 }, 'invalid'],
    [{ type: 'comment', id, deleted: false }, 'invalid'],
    [{ type: 'comment', id, threadId: newId(), body: 'no such thread' }, 'forbidden'],
    [{ type: 'comment', id, threadId: newId(), body: 'x'.repeat(10001), from: 0, to: 1 }, 'too_large'],
    [{ type: 'chat', id, body: '\ud800' }, 'invalid'],
    [{ type: 'chat', id }, 'invalid'],
    [{ type: 'suggest', id, baseVersion: 0, op: 'x' }, 'invalid'],
    [{ type: 'suggest', id, baseVersion: 0, op: [{ d: 'x' }] }, 'invalid'],
    [{ type: 'suggest', id, baseVersion: 0, op: [{ d: 2 }] }, 'invalid'],
    [{ type: 'thread', id, resolved: 'yes' }, 'invalid'],
    [{ type: 'decide', id, accept: 1 }, 'invalid']
  ]
  for (const [message, code] of cases) {
    cleo.send(message)
    const answer = await cleo.expect('reject')
    assert.deepEqual([answer.of, answer.id, answer.code], [message.type, id, code], JSON.stringify(message).slice(0, 100))
    assert.equal(typeof answer.message, 'string')
  }
  cleo.send({ type: 'chat', id, body: 'it goes on' })
  await cleo.expect('chat')
  cleo.send({ type: 'chat', id: 'x', body: 'é' })
  assert.equal((await cleo.expect('error')).code, 'malformed')
  assert.equal((await cleo.close()).code, 4400)
})

test('what is done in SQL comes, and nothing of it after a revocation', async () => {
  const doc = await create('é')
  const [ben, dan] = await join(doc, 'ben', 'dan')
  await as('ben', `SELECT converge.say('${doc}', 'one'); SELECT converge.edit('${doc}', '["x"]')`)
  assert.equal((await dan.expect('chat')).body, 'one')
  await dan.operation()
  await sql(`BEGIN; SELECT converge.unshare('${doc}', 'dan'); SELECT converge.say('${doc}', 'two'); COMMIT`)
  assert.equal((await dan.expect('error')).code, 'forbidden')
  assert.equal((await dan.close()).code, 4403)
  assert.deepEqual([(await ben.expect('chat')).body, (await ben.operation()).version, (await ben.expect('chat')).body], ['one', 1, 'two'])
  ben.end()
})

test('a client whose role was asked about is told to list what it did not get', async () => {
  const doc = await create('é')
  const [ben, dan] = await join(doc, 'ben', 'dan')
  await sql(`BEGIN; SELECT converge.share('${doc}', 'dan', 'commenter'); SELECT converge.say('${doc}', 'while it is asked'); COMMIT`)
  assert.deepEqual([await dan.expect('role'), await dan.expect('talk')], [{ type: 'role', role: 'commenter' }, { type: 'talk' }])
  assert.equal((await ben.expect('chat')).body, 'while it is asked')
  await sql(`SELECT converge.say('${doc}', 'after')`)
  assert.equal((await dan.expect('chat')).changed, 2)
  ben.end()
  dan.end()
})

test('a client that has not acknowledged its snapshot is told when it has', async () => {
  const doc = await create('é')
  const [ben] = await join(doc, 'ben')
  const client = await new Raw(relay, doc).opened()
  const { token } = await import('./lib/token.mjs')
  client.send({ type: 'hello', token: token('dan') })
  await client.expect('joined')
  const { sequenceId } = await client.expect('snapshot')
  await sql(`SELECT converge.say('${doc}', 'too early')`)
  await ben.expect('chat')
  client.send({ type: 'ack', sequenceId })
  await client.expect('talk')
  client.end()
  ben.end()
})

test('messages are carried out in their order', async () => {
  const doc = await create('é')
  const [cleo] = await join(doc, 'cleo')
  const threadId = newId()
  const ids = Array.from({ length: 14 }, newId)
  cleo.send({ type: 'comment', id: newId(), threadId, body: 'x', from: 0, to: 1 })
  for (const id of ids) cleo.send({ type: 'comment', id, threadId, body: id })
  await cleo.expect('thread')
  await cleo.expect('comment')
  for (const id of ids) assert.equal((await cleo.expect('comment')).id, id)
  assert.deepEqual((await relay.metrics()).talk_in_total > 15, true)
  cleo.end()
})

test('when the stream was away, clients are told to list what there is', async () => {
  const doc = await create('é')
  await sql(`SELECT converge.say('${doc}', 'before anybody listened')`)
  const [ben] = await join(doc, 'ben')
  const silent = await new Raw(relay, await create('nothing was ever said')).join('ben')
  const before = (await relay.metrics()).pg_reconnects_total
  await sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'walsender' AND application_name LIKE 'converge%'")
  await until('another stream', async () => (await relay.metrics()).pg_reconnects_total > before && (await relay.metrics()).stream_up === 1)
  await ben.expect('talk')
  assert.deepEqual(silent.messages.filter(({ type }) => type === 'talk'), [])
  silent.end()
  ben.end()
})
