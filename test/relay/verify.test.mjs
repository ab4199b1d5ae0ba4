// Whether clients hold what the server holds: checksums, asked for and not.

import test from 'node:test'
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { allSettled, Collab } from './lib/collab.mjs'
import { createDocument, edit, sql, version } from './lib/pg.mjs'
import { random, randomEdit } from './lib/random.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

const sha256 = text => crypto.createHash('sha256').update(text).digest('hex')

const results = async relay => {
  const metrics = await relay.metrics()
  return Object.fromEntries(['equal', 'different', 'unknown', 'ignored'].map(result => [result, metrics[`checksums_total{result="${result}"}`]]))
}

const counted = (relay, wanted) => until(`checksums to be ${JSON.stringify(wanted)}`, async () => {
  const found = await results(relay)
  return Object.entries(wanted).every(([result, count]) => found[result] === count)
})

test('clients that type are asked for checksums, and all have the text of the server', async () => {
  const relay = await startRelay({ 'verify-interval': 1 })
  const doc = await createDocument('é😀')
  const clients = ['ann', 'ben', 'cleo'].map(user => new Collab(doc, user).connect(relay))
  await Promise.all(clients.map(client => client.ready()))
  const next = random(7)
  // as long as it takes for a few to have answered while others typed
  await until('checksums to be told', async () => {
    for (const client of clients) client.edit(randomEdit(client.text, next))
    return (await results(relay)).equal >= 3
  })
  await allSettled(clients, () => version(doc))
  const found = await results(relay)
  assert.equal(found.different, 0)
  assert.equal(found.ignored, 0)
  assert.ok((await relay.metrics()).checksums_asked_total >= found.equal)
  assert.equal(clients.reduce((sum, client) => sum + client.heard.checksum, 0), (await relay.metrics()).checksums_asked_total)
  clients.forEach(client => client.leave())
  await relay.stop()
})

test('a client with a wrong checksum gets an error and the text, and is logged', async () => {
  const relay = await startRelay({ 'verify-interval': 1 })
  const doc = await createDocument('the text')
  const ann = await new Raw(relay, doc).join('ann')
  assert.deepEqual(await ann.take(), { type: 'checksum' })
  ann.send({ type: 'checksum', version: 0, checksum: sha256('another text') })
  const error = await ann.expect('error')
  assert.equal(error.code, 'diverged')
  assert.equal((await ann.expect('joined')).resumed, false)
  const snapshot = await ann.expect('snapshot')
  assert.equal(snapshot.content, 'the text')
  assert.equal((await results(relay)).different, 1)
  const line = new RegExp(`error conn \\d+ doc ${doc} user ann: diverged: at version 0 .*${sha256('another text')}.*${sha256('the text')}`)
  assert.match(relay.log(), line)
  // and then it goes on
  ann.send({ type: 'ack', sequenceId: snapshot.sequenceId })
  ann.op(0, ['x'])
  const message = await until('the operation', async () => {
    const message = await ann.take()
    return message.type === 'ops' && message
  })
  assert.equal(message.ops[0].version, 1)
  ann.end()
  await relay.stop()
})

test('unasked, at an older version, in the future, too often', async () => {
  const relay = await startRelay()
  const doc = await createDocument('')
  await edit(doc, ['é'])
  await edit(doc, [1, '😀'])
  const texts = ['', 'é', 'é😀']
  const clients = await Promise.all(['ann', 'ben', 'cleo', 'dan'].map(user => new Raw(relay, doc).join(user)))
  for (const n of [0, 1, 2]) clients[n].send({ type: 'checksum', version: n, checksum: sha256(texts[n]) })
  clients[3].send({ type: 'checksum', version: 3, checksum: sha256('') })
  await counted(relay, { equal: 3, unknown: 1 })
  clients[0].send({ type: 'checksum', version: 0, checksum: sha256('a lie') })
  await counted(relay, { equal: 3, unknown: 1, ignored: 1, different: 0 })
  clients.forEach(client => client.end())
  await relay.stop()
})

test('where history is pruned, and while the session begins anew', async () => {
  const relay = await startRelay()
  const doc = await createDocument('')
  const ann = await new Raw(relay, doc).join('ann')
  for (const n of [0, 1, 2]) await edit(doc, [...(n ? [n] : []), 'x'])
  for (const n of [1, 2, 3]) assert.equal((await ann.operation()).version, n)
  await sql(`SELECT converge.prune('${doc}', 2)`)
  ann.send({ type: 'checksum', version: 1, checksum: sha256('x') })
  await counted(relay, { unknown: 1 })
  const ben = await new Raw(relay, doc).join('ben')
  // the second comes before the first was answered by a snapshot that ben has acknowledged
  ben.send({ type: 'checksum', version: 3, checksum: sha256('xx') })
  await ben.expect('error')
  ben.send({ type: 'checksum', version: 3, checksum: sha256('xxx') })
  await counted(relay, { different: 1, ignored: 1 })
  assert.equal(ben.closed, undefined)
  ann.end()
  ben.end()
  await relay.stop()
})

test('an invalid checksum closes the connection', async () => {
  const relay = await startRelay()
  const doc = await createDocument('')
  const good = sha256('')
  const bad = [{}, { version: 0 }, { checksum: good }, { version: -1, checksum: good }, { version: 0, checksum: good.toUpperCase() },
    { version: 0, checksum: `${good}0` }, { version: 0, checksum: good.slice(1) }, { version: 0, checksum: 5 }, { version: 0.5, checksum: good }]
  for (const fields of bad) {
    const ann = await new Raw(relay, doc).join('ann')
    ann.send({ type: 'checksum', ...fields })
    assert.equal((await ann.expect('error')).code, 'malformed')
    assert.equal((await ann.close()).code, 4400)
  }
  const early = await new Raw(relay, doc).opened()
  early.send({ type: 'checksum', version: 0, checksum: good })
  assert.equal((await early.close()).code, 4400)
  await relay.stop()
})
