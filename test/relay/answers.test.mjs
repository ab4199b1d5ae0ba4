// Edits are published from PostgreSQL's answer, before the stream shows them, but for
// those that stand behind a change of members which the stream has yet to tell. The
// stream is held up by stopping the process in PostgreSQL that sends it.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { createDocument, quote, sql, version } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

const NAME = `answers-${process.pid}`
let relay
before(async () => { relay = await startRelay({ dsn: `user=${process.env.CONVERGE_TEST_ROLE} application_name=${NAME}` }) })
after(() => relay.stop())

// The versions that a client was sent beyond those it was asked for.
const untaken = client => client.messages.flatMap(m => m.ops ?? []).map(entry => entry.version)
const fromAnswers = async () => (await relay.metrics()).ops_from_answers_total

// Do something while the stream shows nothing.
async function withoutStream (act) {
  const pid = Number(await sql(`SELECT pid FROM pg_stat_replication WHERE application_name = '${NAME}'`))
  process.kill(pid, 'SIGSTOP')
  try {
    await act()
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}

// Ann and Ben in a document whose first edit was shown by the stream, so that the relay knows how its members stand.
async function settled () {
  const doc = await createDocument('é')
  const [ann, ben] = await Promise.all(['ann', 'ben'].map(user => new Raw(relay, doc).join(user)))
  ann.op(0, ['a'])
  for (const client of [ann, ben]) assert.equal((await client.operation()).version, 1)
  return { doc, ann, ben }
}

test('an edit is shown to all before the stream tells of it, once', async () => {
  const { doc, ann, ben } = await settled()
  const before = await fromAnswers()
  await withoutStream(async () => {
    for (let base = 1; base < 4; base++) {
      const id = ann.op(base, ['日'])
      for (const client of [ann, ben]) assert.equal((await client.operation()).operationId, id)
    }
  })
  assert.equal(await fromAnswers(), before + 3)
  // what comes after it through the stream alone shows that the stream brought nothing twice
  await sql(`SELECT converge.edit('${doc}', '["x"]')`)
  for (const client of [ann, ben]) {
    assert.equal((await client.operation()).version, 5)
    client.end()
  }
})

for (const [what, change] of [
  ['a member is removed', doc => `SELECT converge.share('${doc}', 'cleo', 'viewer'); SELECT converge.unshare('${doc}', '*')`],
  ['somebody writes to the table itself', doc => `DELETE FROM converge.members WHERE doc_id = '${doc}' AND user_id = '*'`]
]) {
  test(`where ${what}, what follows waits for the stream`, async () => {
    const { doc, ann, ben } = await settled()
    await sql(`SELECT converge.share('${doc}', 'ann', 'editor')`)
    ann.op(1, ['b'])
    for (const client of [ann, ben]) assert.equal((await client.operation()).version, 2)
    const before = await fromAnswers()
    await withoutStream(async () => {
      await sql(change(doc))
      ann.op(2, ['secret'])
      // its commit is answered, but nobody is shown it
      await until('the edit to be committed', async () => await version(doc) === 3)
      await until('the relay to have its answer', async () => (await relay.metrics()).ops_held === 0)
      // ann, who may read, has it only where the relay looked into the tables meanwhile,
      // as it does after each new connection of its own
      assert.deepEqual(untaken(ben), [])
      assert.equal(await fromAnswers(), before)
    })
    assert.equal((await ben.close()).code, 4403)
    assert.equal((await ann.operation()).version, 3)
    assert.deepEqual(untaken(ben), [])
    assert.equal(await fromAnswers(), before)
    await withoutStream(async () => {
      ann.op(3, ['c'])
      assert.equal((await ann.operation()).version, 4)
    })
    assert.equal(await fromAnswers(), before + 1)
    ann.end()
  })
}

test('an edit behind one of another session waits for the stream, and none is shown twice', async () => {
  const { doc, ann, ben } = await settled()
  const before = await fromAnswers()
  await withoutStream(async () => {
    await sql(`SELECT converge.edit('${doc}', ${quote(JSON.stringify(['x']))})`)
    ann.op(1, ['y'])
    await until('both to be committed', async () => await version(doc) === 3)
    await until('the relay to have its answer', async () => (await relay.metrics()).ops_held === 0)
    assert.deepEqual(untaken(ben), [])
  })
  for (const client of [ann, ben]) {
    for (const expected of [2, 3]) assert.equal((await client.operation()).version, expected)
    client.end()
  }
  assert.equal(await fromAnswers(), before)
})
