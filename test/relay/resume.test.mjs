// Coming back: by version and operation id, or with a snapshot.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { content, createDocument, edit, sql, version } from './lib/pg.mjs'
import { newId, Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'

let relay
before(async () => { relay = await startRelay() })
after(() => relay.stop())

// A document with n operations; gives it with their ids, the first at index 1.
async function documentWith (n) {
  const doc = await createDocument('')
  await sql(`SELECT converge.edit('${doc}', converge.insert(0, i || ',')) FROM generate_series(1, ${n}) AS i`)
  const rows = await sql(`SELECT op_id FROM converge.ops WHERE doc_id = '${doc}' ORDER BY version`)
  return [doc, [null, ...rows.split('\n')]]
}

test('resuming at the head: nothing is missing, operations flow at once', async () => {
  const [doc, ids] = await documentWith(3)
  const ann = await new Raw(relay, doc).join('ann', { version: 3, operationId: ids[3] })
  assert.equal(ann.joined.resumed, true)
  assert.equal(ann.joined.version, 3)
  const id = ann.op(3, ['x'])
  assert.equal((await ann.operation()).operationId, id)
  ann.end()
})

test('resuming behind: what is missing follows, in order', async () => {
  const [doc, ids] = await documentWith(5)
  const ann = await new Raw(relay, doc).join('ann', { version: 2, operationId: ids[2] })
  assert.equal(ann.joined.resumed, true)
  for (const v of [3, 4, 5]) assert.deepEqual([(await ann.operation()).version], [v])
  await edit(doc, ['!'])
  assert.equal((await ann.operation()).version, 6)
  ann.end()
})

test('resuming where the room has what is missing: from the ring', async () => {
  const [doc, ids] = await documentWith(2)
  const ben = await new Raw(relay, doc).join('ben')
  for (let n = 2; n < 12; n++) {
    ben.op(n, ['y'])
    await ben.operation()
  }
  const before = await relay.metrics()
  const ann = await new Raw(relay, doc).join('ann', { version: 2, operationId: ids[2] })
  assert.equal((await ann.expect('ops')).ops.length, 10)
  assert.equal((await relay.metrics()).catch_ups_total, before.catch_ups_total)
  ann.end()
  ben.end()
})

test('resuming far behind: one composed catchup', async () => {
  const [doc, ids] = await documentWith(200)
  const ann = await new Raw(relay, doc).join('ann', { version: 1, operationId: ids[1] })
  const catchup = await ann.expect('catchup')
  assert.deepEqual([catchup.fromVersion, catchup.version, catchup.operationId], [1, 200, ids[200]])
  await edit(doc, ['!'])
  assert.equal((await ann.operation()).version, 201)
  ann.end()
})

test('a catchup never goes across the pending operation', async () => {
  const [doc, ids] = await documentWith(300)
  const ann = await new Raw(relay, doc).join('ann', { version: 10, operationId: ids[10], pending: ids[150] })
  assert.equal((await ann.expect('catchup')).version, 149)
  assert.equal((await ann.operation()).operationId, ids[150])
  assert.deepEqual([(await ann.expect('catchup')).version], [300])
  ann.end()
})

test('resuming from nothing', async () => {
  const [doc] = await documentWith(2)
  const ann = await new Raw(relay, doc).join('ann', { version: 0, life: await sql(`SELECT life FROM converge.documents WHERE id = '${doc}'`) })
  assert.equal(ann.joined.resumed, true)
  assert.equal((await ann.operation()).version, 1)
  assert.equal((await ann.operation()).version, 2)
  ann.end()
})

test('another operation at that version: a snapshot', async () => {
  const [doc, ids] = await documentWith(5)
  for (const hello of [
    { version: 3, operationId: newId() },
    { version: 3, operationId: ids[2] },
    { version: 99, operationId: ids[5] },
    { version: 3 }
  ]) {
    const ann = await new Raw(relay, doc).join('ann', hello)
    assert.equal(ann.joined.resumed, false)
    assert.equal(ann.snapshot.version, 5)
    assert.equal(ann.snapshot.operationId, ids[5])
    assert.equal(ann.snapshot.content, await content(doc))
    ann.end()
  }
})

test('an operation sent again is applied once and answered again', async () => {
  const doc = await createDocument('')
  const ann = await new Raw(relay, doc).join('ann')
  const id = ann.op(0, ['once'])
  const first = await ann.operation()
  ann.op(0, ['once'], id)
  assert.deepEqual(await ann.operation(), first)
  ann.op(0, ['twice '])
  const second = await ann.operation()
  assert.equal(second.version, 2)
  ann.op(0, ['once'], id)
  assert.deepEqual(await ann.operation(), first)
  assert.equal(await version(doc), 2)
  ann.end()
})

test('an operation sent again after a reconnection, applied meanwhile', async () => {
  const doc = await createDocument('')
  const ann = await new Raw(relay, doc).join('ann')
  const id = ann.op(0, ['once'])
  await ann.operation()
  ann.end()
  const again = await new Raw(relay, doc).join('ann', { version: 0, pending: id })
  again.op(0, ['once'], id)
  const entry = await again.operation()
  assert.deepEqual([entry.version, entry.operationId], [1, id])
  assert.equal(await content(doc), 'once')
  again.end()
})

test('an operation sent again after a snapshot that holds it', async () => {
  const doc = await createDocument('')
  const ann = await new Raw(relay, doc).join('ann')
  const id = ann.op(0, ['once'])
  const entry = await ann.operation()
  ann.end()
  const again = await new Raw(relay, doc).join('ann', { pending: id })
  assert.equal(again.snapshot.content, 'once')
  again.op(0, ['once'], id)
  assert.deepEqual(await again.operation(), entry)
  again.end()
})

test('the same operation by two connections at once is applied once', async () => {
  const doc = await createDocument('')
  const clients = await Promise.all([1, 2, 3, 4].map(() => new Raw(relay, doc).join('ann')))
  const id = newId()
  clients.forEach(client => client.op(0, ['once'], id))
  for (const client of clients) assert.equal((await client.operation()).operationId, id)
  assert.equal(await content(doc), 'once')
  clients.forEach(client => client.end())
})

test('another past that ends in the same operation is noticed by its sequence number', async t => {
  const [doc, ids] = await documentWith(2)
  const ann = await new Raw(relay, doc).join('ann')
  const { version: held, sequenceId } = ann.snapshot
  ann.end()
  // what a failover does: both operations are lost, another comes, the second goes again
  await sql(`DELETE FROM converge.ops WHERE doc_id = '${doc}';
    UPDATE converge.heads SET version = 0, seq = 0, length = 0, log_bytes = 0 WHERE doc_id = '${doc}'`)
  await edit(doc, ['another'])
  await sql(`SELECT converge.apply_op('${doc}', '${ids[2]}', 0, converge.insert(0, '2,'))`)
  const other = await startRelay()
  t.after(() => other.stop())
  const back = await new Raw(other, doc).join('ann', { version: held, operationId: ids[2], sequenceId })
  assert.deepEqual([back.joined.resumed, back.snapshot.content], [false, '2,another'])
  const again = await new Raw(other, doc).join('ann', { version: held, operationId: ids[2], sequenceId: back.snapshot.sequenceId })
  assert.equal(again.joined.resumed, true)
  ;[back, again].forEach(client => client.end())
})
