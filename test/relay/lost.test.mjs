// Commits that a crash takes back: with synchronous_commit off a PostgreSQL that is
// killed comes up without what it had answered. Nobody may go on with what is lost.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { Cluster } from './lib/cluster.mjs'
import { content, createDocument, edit, sql, version } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

let cluster
before(async () => {
  // the writer of WAL sleeps for so long that only a commit that waits for it is flushed
  cluster = await Cluster.make('wal_writer_delay = 10s\nwal_writer_flush_after = 1GB\nautovacuum = off\ncheckpoint_timeout = 1h')
  await sql(`ALTER ROLE ${process.env.CONVERGE_TEST_ROLE} SET synchronous_commit = off`, cluster.env)
})
after(() => cluster.remove())

// A document at version 1 with ann in it, who has then written what PostgreSQL answered and will not know.
async function withLoss (use, join = async () => {}) {
  for (let attempt = 0; attempt < 5; attempt++) {
    const doc = await createDocument('', { env: cluster.env })
    await edit(doc, ['kept '], cluster.env)
    const relay = await startRelay({}, cluster.env)
    const ann = await new Raw(relay, doc).join('ann')
    const id = ann.op(1, [5, 'lost '])
    await until('PostgreSQL to answer', async () => (await relay.metrics()).ops_applied_total === 1)
    const ben = await new Raw(relay, doc).join('ben')
    const other = await join(relay)
    relay.process.kill('SIGSTOP')
    await cluster.crash()
    await cluster.start()
    // a page flushed for another reason takes the commit along, and then this try is none
    const lost = await version(doc, cluster.env) === 1 && ben.snapshot.version === 2
    if (lost) await use({ doc, relay, ann, ben, id, other })
    if (!lost) relay.process.kill('SIGCONT')
    for (const client of [ann, ben, other]) client?.end()
    await relay.stop()
    if (lost) return
  }
  assert.fail('no commit was lost in five crashes')
}

// Told to come back, and nothing else.
async function sentAway (client) {
  const error = await client.expect('error')
  assert.equal(error.code, 'restarting')
  assert.ok(error.retryAfter > 0)
  assert.equal((await client.close()).code, 1012)
}

test('operations that were sent and lost: all clients join again, and the operation is sent again', async () => {
  await withLoss(async ({ doc, relay, ann, ben, id }) => {
    relay.process.kill('SIGCONT')
    await sentAway(ann)
    await sentAway(ben)
    const again = await new Raw(relay, doc).join('ben', { version: 2, operationId: id })
    assert.equal(again.joined.resumed, false)
    assert.equal(again.snapshot.content, 'kept ')
    const back = await new Raw(relay, doc).join('ann', { version: 1, operationId: ann.snapshot.operationId, pending: id })
    assert.equal(back.joined.resumed, true)
    back.op(1, [5, 'lost '], id)
    for (const client of [back, again]) {
      const entry = await client.operation()
      assert.deepEqual([entry.version, entry.operationId], [2, id])
      client.end()
    }
    assert.equal(await content(doc, cluster.env), 'kept lost ')
    assert.equal((await relay.metrics()).rooms_lost_total, 1)
  })
})

test('lost versions were replaced by others: no client gets the new ones on top of the old ones', async () => {
  await withLoss(async ({ doc, relay, ann, ben, id }) => {
    await edit(doc, [5, 'other '], cluster.env)
    await edit(doc, [11, 'more '], cluster.env)
    relay.process.kill('SIGCONT')
    await sentAway(ann)
    await sentAway(ben)
    const again = await new Raw(relay, doc).join('ben', { version: 2, operationId: id })
    assert.equal(again.joined.resumed, false)
    assert.equal(again.snapshot.content, 'kept other more ')
    const back = await new Raw(relay, doc).join('ann', { version: 1, operationId: ann.snapshot.operationId, pending: id })
    assert.equal(back.joined.resumed, true)
    assert.deepEqual([(await back.operation()).version, (await back.operation()).version], [2, 3])
    back.op(1, [5, 'lost '], id)
    assert.equal((await back.operation()).version, 4)
    assert.equal((await again.operation()).operationId, id)
    back.end()
    again.end()
  })
})

test('operations made on what was lost are not submitted', async () => {
  await withLoss(async ({ doc, relay, ann, ben, id }) => {
    await edit(doc, [5, 'other '], cluster.env)
    await edit(doc, [11, 'more '], cluster.env)
    // what ben types after the lost word would land in the middle of another one
    const later = ben.op(2, [10, 'on top '])
    relay.process.kill('SIGCONT')
    await sentAway(ben)
    await sentAway(ann)
    await until('nothing to be held', async () => (await relay.metrics()).ops_held === 0)
    assert.equal(await content(doc, cluster.env), 'kept other more ')
    assert.equal(await sql(`SELECT count(*) FROM converge.ops WHERE op_id IN ('${later}', '${id}')`, cluster.env), '0')
  })
})

test('a document that lost nothing goes on beside one that did', async () => {
  const quiet = await createDocument('', { env: cluster.env })
  await withLoss(async ({ relay, ben, other }) => {
    relay.process.kill('SIGCONT')
    await sentAway(ben)
    const id = other.op(0, ['x'])
    // it is flushed with the next commit that waits to be
    await until('PostgreSQL to answer', async () => await version(quiet, cluster.env) === 1)
    await sql('SELECT pg_current_xact_id()', cluster.env)
    assert.equal((await other.operation()).operationId, id)
  }, relay => new Raw(relay, quiet).join('cleo'))
})
