// Operations that change nothing, and clients that have missed more than the text is.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { allSettled, Collab } from './lib/collab.mjs'
import { content, createDocument, edit, sql, version } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

let relay
before(async () => { relay = await startRelay() })
after(() => relay.stop())

test('the identity is answered, makes no version, and nobody else hears of it', async () => {
  const doc = await createDocument('é😀')
  const [ann, ben] = await Promise.all(['ann', 'ben'].map(user => new Raw(relay, doc).join(user)))
  for (const [n, op] of [[], [3], [''], [{ d: 0 }]].entries()) {
    const id = ann.op(0, op)
    const entry = await ann.operation()
    assert.deepEqual([entry.operationId, entry.version, entry.baseVersion, entry.userId, entry.op], [id, 0, 0, 'ann', []], `${n}`)
  }
  ann.op(0, ['x'])
  for (const client of [ann, ben]) assert.equal((await client.operation()).version, 1)
  const id = ben.op(0, [])
  const entry = await ben.operation()
  assert.deepEqual([entry.operationId, entry.version, entry.op], [id, 0, []])
  assert.equal(await version(doc), 1)
  // sent again, as after a lost connection
  ben.op(0, [], id)
  assert.equal((await ben.operation()).operationId, id)
  const last = ben.op(1, ['y'])
  for (const client of [ann, ben]) assert.equal((await client.operation()).operationId, last)
  ann.end()
  ben.end()
})

test('a base that is not there yet does not confuse the room', async () => {
  const doc = await createDocument('')
  const [ann, eve] = await Promise.all(['ann', 'eve'].map(user => new Raw(relay, doc).join(user)))
  eve.op(5, [])
  assert.equal((await eve.expect('reject')).code, 'invalid')
  ann.op(0, ['x'])
  for (const client of [ann, eve]) assert.equal((await client.operation()).version, 1)
  ann.end()
  eve.end()
})

test('a viewer\'s identity is refused', async () => {
  const doc = await createDocument('', { role: 'viewer' })
  const ann = await new Raw(relay, doc).join('ann')
  ann.op(0, [])
  assert.equal((await ann.expect('reject')).code, 'forbidden')
  ann.end()
})

test('clients whose edits come to nothing go on', async () => {
  const doc = await createDocument('start')
  const clients = await Promise.all(['ann', 'ben', 'cleo'].map(name => new Collab(doc, name).connect(relay).ready()))
  for (let n = 0; n < 30; n++) {
    // the first goes out; what is typed and taken back meanwhile is composed to nothing
    for (const client of clients) {
      client.edit(['日'])
      client.edit(['x'])
      client.edit([{ d: 1 }])
      client.edit([{ d: 1 }])
    }
    // two delete the same
    for (const client of clients) if (client.text.length > 0) client.edit([{ d: 1 }])
    for (const client of clients) client.edit(['é'])
  }
  await allSettled(clients, () => version(doc))
  for (const client of clients) {
    assert.equal(client.text, await content(doc))
    client.leave()
  }
  assert.equal(await sql(`SELECT count(*) FROM (SELECT converge.verify('${doc}')) AS v`), '0')
})

test('who has missed more than the text is gets the text', async () => {
  const doc = await createDocument('start')
  const client = await new Collab(doc, 'ann').connect(relay).ready()
  client.leave()
  await edit(doc, ['first '])
  for (let n = 0; n < 2; n++) await sql(`SELECT converge.edit('${doc}', converge.insert(0, repeat('😀', 3000000)))`)
  client.connect(relay)
  await until('the text', () => client.settled && client.version === 3)
  assert.equal(client.heard.snapshot, 2)
  assert.equal(client.heard.catchup, 0)
  assert.equal(client.version, 3)
  assert.equal(client.text.length, 2 * 6000000 + 'first start'.length)
  client.leave()
})
