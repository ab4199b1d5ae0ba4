// Several people type at once; all texts become equal.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { allSettled, Collab } from './lib/collab.mjs'
import { content, createDocument, edit, sql, version } from './lib/pg.mjs'
import { random, randomEdit } from './lib/random.mjs'
import { startRelay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

let relay
before(async () => { relay = await startRelay() })
after(() => relay.stop())

// Clients in a document, live.
async function gather (doc, names, where = relay) {
  return Promise.all(names.map(name => new Collab(doc, name).connect(where).ready()))
}

// Wait until everything is everywhere, and compare the texts.
async function equal (doc, clients) {
  await allSettled(clients, () => version(doc))
  const text = await content(doc)
  for (const client of clients) assert.equal(client.text, text, `${client.user}'s text`)
  return text
}

test('two clients type at one place', async () => {
  const doc = await createDocument('start ')
  const [ann, ben] = await gather(doc, ['ann', 'ben'])
  for (const letter of 'héllo 日本😀') ann.edit([[...ann.text].length, letter])
  for (const letter of 'wörld e\u0301') ben.edit([6, letter])
  await equal(doc, [ann, ben])
  assert.equal(ann.acknowledged.length + ben.acknowledged.length, await version(doc))
  ann.leave()
  ben.leave()
})

test('a client leaves, the others go on', async () => {
  const doc = await createDocument('')
  const [ann, ben, eve] = await gather(doc, ['ann', 'ben', 'eve'])
  eve.leave()
  ann.edit(['a'])
  ben.edit(['b'])
  await equal(doc, [ann, ben])
  ann.leave()
  ben.leave()
})

for (const [seed, people, edits] of [[1, 2, 300], [2, 5, 150], [3, 8, 100]]) {
  test(`${people} clients edit at random (seed ${seed})`, async () => {
    const doc = await createDocument('The quick brown fox. Быстрая лиса. 敏捷的棕色狐狸。🦊')
    const clients = await gather(doc, Array.from({ length: people }, (_, n) => `user ${n}`))
    const next = random(seed)
    const typing = clients.map(async client => {
      for (let n = 0; n < edits; n++) {
        client.edit(randomEdit(client.text, next))
        // let the network have its say now and then, so that edits both meet and wait
        if (next() < 0.3) await until('an answer', () => client.settled)
        else if (next() < 0.5) await new Promise(resolve => setImmediate(resolve))
      }
    })
    const inSql = (async () => {
      for (let n = 0; n < 20; n++) await edit(doc, [0, `${n} `].slice(1))
    })()
    await Promise.all([...typing, inSql])
    await equal(doc, clients)
    const ids = clients.flatMap(client => client.acknowledged)
    assert.equal(new Set(ids).size, ids.length)
    assert.equal(Number(await sql(`SELECT count(*) FROM converge.ops WHERE doc_id = '${doc}'`)), ids.length + 20)
    assert.ok(clients.some(client => client.heard.transformed > 0), 'nothing was ever transformed')
    clients.forEach(client => client.leave())
  })
}

test('many documents at once share batches', async () => {
  const docs = await Promise.all(Array.from({ length: 20 }, () => createDocument('')))
  const clients = (await Promise.all(docs.map(doc => gather(doc, ['ann', 'ben'])))).flat()
  const next = random(4)
  for (let round = 0; round < 20; round++) {
    clients.forEach(client => client.edit(randomEdit(client.text, next)))
    await until('the answers', () => clients.every(client => client.settled))
  }
  for (const doc of docs) await equal(doc, clients.filter(client => client.doc === doc))
  const metrics = await relay.metrics()
  assert.ok(metrics.batch_ops_count < metrics.batch_ops_sum / 2, 'batches hold one edit each')
  clients.forEach(client => client.leave())
})

test('two relays, clients on both', async () => {
  const other = await startRelay()
  const doc = await createDocument('shared ')
  const clients = [...await gather(doc, ['ann', 'ben']), ...await gather(doc, ['cid', 'dora'], other)]
  const next = random(5)
  for (let round = 0; round < 60; round++) {
    clients.forEach(client => client.edit(randomEdit(client.text, next)))
    if (round % 5 === 0) await until('the answers', () => clients.every(client => client.settled))
  }
  await equal(doc, clients)
  clients.forEach(client => client.leave())
  await other.stop()
})
