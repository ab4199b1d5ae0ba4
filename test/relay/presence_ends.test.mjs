// Relays and PostgreSQL that end while people are there: who is gone is forgotten, who
// is not stays.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { Cluster } from './lib/cluster.mjs'
import { createDocument, sql } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { Relay, startRelay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

let cluster
before(async () => { cluster = await Cluster.make() })
after(() => cluster.remove())

const start = (options = {}) => startRelay({ 'presence-timeout': 3, ...options }, cluster.env)
const sees = (client, ...users) => until(`${users} to be seen, and nobody else`, () => client.users.join() === users.join())
const rows = doc => sql(`SELECT user_id FROM converge.presence WHERE doc_id = '${doc}' ORDER BY user_id`, cluster.env)
const hasRows = (doc, ...users) => until(`rows of ${users}`, async () => await rows(doc) === users.join('\n'))
const knows = (relay, relays) => until(`${relays} relays to be known`, async () => (await relay.metrics()).presence_relays === relays)

// Two relays with a client each in one document.
async function pair () {
  const doc = await createDocument('text', { env: cluster.env })
  const [relay, other] = await Promise.all([start(), start()])
  const ann = await new Raw(relay, doc).join('ann')
  const ben = await new Raw(other, doc).join('ben')
  await sees(ann, 'ann', 'ben')
  await sees(ben, 'ann', 'ben')
  await hasRows(doc, 'ann', 'ben')
  return { doc, relay, other, ann, ben }
}

test('the clients of a relay that was killed vanish from the others, and from the table', async () => {
  const { doc, relay, other, ann } = await pair()
  await other.crash()
  await sees(ann, 'ann')
  await hasRows(doc, 'ann')
  await knows(relay, 0)
  assert.equal(await sql('SELECT count(*) FROM converge.relays', cluster.env), '1')
  ann.end()
  await relay.stop()
})

test('rows of a relay that died alone are shown to nobody, until another one deletes them', async () => {
  const doc = await createDocument('text', { env: cluster.env })
  const relay = await start()
  await new Raw(relay, doc).join('ann')
  await hasRows(doc, 'ann')
  const seenByReader = () => sql(`SET SESSION AUTHORIZATION reader; SELECT count(*) FROM converge.presence WHERE doc_id = '${doc}'`, cluster.env)
  await sql('CREATE ROLE reader', cluster.env)
  assert.equal(await seenByReader(), '1')
  await relay.crash()
  await until('the row to be hidden', async () => await seenByReader() === '0')
  assert.equal(await rows(doc), 'ann')
  const next = await start()
  await hasRows(doc)
  await next.stop()
  await sql('DROP ROLE reader', cluster.env)
})

test('a relay that ends takes its clients with it at once', async () => {
  const { doc, relay, other, ann } = await pair()
  await other.stop()
  await until('the goodbye', async () => (await relay.metrics()).presence_relays === 0)
  await sees(ann, 'ann')
  await hasRows(doc, 'ann')
  assert.equal(await sql('SELECT count(*) FROM converge.relays', cluster.env), '1')
  ann.end()
  await relay.stop()
  assert.equal(await sql('SELECT count(*) FROM converge.relays', cluster.env), '0')
})

for (const [how, stop] of [['restarted', () => cluster.stop('fast')], ['killed', () => cluster.crash()]]) {
  test(`PostgreSQL is ${how}, and everybody is still there`, async () => {
    const { doc, relay, other, ann, ben } = await pair()
    ben.send({ type: 'presence', version: 0, cursor: { anchor: 1, head: 1 } })
    await until('the cursor', () => ann.seen('ben').cursor?.head === 1)
    await stop()
    for (const one of [relay, other]) await until('the relays to notice', async () => (await one.get('/readyz')).status === 503)
    // what happens meanwhile is not lost
    ben.send({ type: 'presence', version: 0, cursor: { anchor: 2, head: 2 } })
    await until('ben to see it', () => ben.seen('ben').cursor.head === 2)
    await cluster.start()
    await until('the cursor to be told', () => ann.seen('ben')?.cursor?.head === 2)
    await hasRows(doc, 'ann', 'ben')
    ann.end()
    await sees(ben, 'ben')
    await hasRows(doc, 'ben')
    ben.end()
    await Promise.all([relay.stop(), other.stop()])
  })
}

test('a relay that was silent for too long is known again when it speaks', async () => {
  const { doc, relay, other, ann, ben } = await pair()
  other.process.kill('SIGSTOP')
  await sees(ann, 'ann')
  await hasRows(doc, 'ann')
  other.process.kill('SIGCONT')
  await sees(ann, 'ann', 'ben')
  await sees(ben, 'ann', 'ben')
  await hasRows(doc, 'ann', 'ben')
  ann.end()
  ben.end()
  await Promise.all([relay.stop(), other.stop()])
})

test('without its connection for presence a relay serves all the same', async t => {
  const doc = await createDocument('text', { env: cluster.env })
  const allow = () => sql(`SELECT converge.allow_relay('${process.env.CONVERGE_TEST_ROLE}')`, cluster.env)
  t.after(allow)
  await sql(`REVOKE EXECUTE ON FUNCTION converge.begin_presence(uuid, integer) FROM ${process.env.CONVERGE_TEST_ROLE}`, cluster.env)
  const relay = await start()
  const ann = await new Raw(relay, doc).join('ann')
  const ben = await new Raw(relay, doc).join('ben')
  await sees(ann, 'ann', 'ben')
  ben.end()
  await sees(ann, 'ann')
  ann.op(0, ['x'])
  assert.equal((await ann.operation()).version, 1)
  assert.match(relay.log(), /presence: no connection: .*begin_presence.*allow_relay/)
  assert.equal(await rows(doc), '')
  await allow()
  await hasRows(doc, 'ann')
  ann.end()
  await relay.stop()
})

test('many documents with many clients are told whole to a relay that begins', async () => {
  const docs = await Promise.all(Array.from({ length: 20 }, () => createDocument('text', { env: cluster.env })))
  const relay = await start()
  const clients = await Promise.all(docs.flatMap(doc => Array.from({ length: 15 }, (_, n) => new Raw(relay, doc).join(`user ${n} ${'é'.repeat(60)}`))))
  await until('all to be there', async () => (await relay.metrics()).presence_clients === 300)
  const other = await new Relay({ 'presence-timeout': 3 }, cluster.env).ready()
  await until('all to be known elsewhere', async () => (await other.metrics()).presence_elsewhere === 300)
  clients.slice(0, 100).forEach(client => client.end())
  await until('all who are left to be known elsewhere', async () => (await other.metrics()).presence_elsewhere === 200)
  await until('their rows', async () => await sql('SELECT count(*) FROM converge.presence', cluster.env) === '200')
  clients.forEach(client => client.end())
  await until('nobody to be known elsewhere', async () => (await other.metrics()).presence_elsewhere === 0)
  await Promise.all([relay.stop(), other.stop()])
})
