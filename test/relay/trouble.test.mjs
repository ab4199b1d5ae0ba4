// A PostgreSQL in trouble: each sender gets a clear answer, with when to try again, and
// what was not answered is applied once when the trouble is over.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { Cluster } from './lib/cluster.mjs'
import { Crowd } from './lib/crowd.mjs'
import { content, createDocument, edit, Session, sql, version, withTrigger } from './lib/pg.mjs'
import { Proxy } from './lib/proxy.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

const ROLE = process.env.CONVERGE_TEST_ROLE

let cluster
before(async () => { cluster = await Cluster.make() })
after(() => cluster.remove())

const run = statement => sql(statement, cluster.env)
const document = () => createDocument('', { env: cluster.env })
const disconnect = () => run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${ROLE}' AND backend_type = 'client backend'`)

// Change the relay's role while a function runs, and change it back however that ends.
async function withRole (change, back, use) {
  await run(`ALTER ROLE ${ROLE} ${change}`)
  try {
    await use()
  } finally {
    await run(`ALTER ROLE ${ROLE} ${back}`)
  }
}

// Set something for the relay's role while a function runs, and let the relay have it.
async function withSetting (setting, use) {
  await withRole(`SET ${setting}`, `RESET ${setting.split(' ')[0]}`, async () => {
    const relay = await startRelay({}, cluster.env)
    try {
      await use(relay)
    } finally {
      await relay.stop()
    }
  })
}

// Unavailable, and come again.
async function unavailable (client, id) {
  const reject = await client.expect('reject')
  assert.deepEqual([reject.operationId, reject.code], [id, 'unavailable'])
  assert.ok(reject.retryAfter > 0)
}

test('read-only: unavailable, and applied once when it is over', async () => {
  const doc = await document()
  const relay = await startRelay({}, cluster.env)
  const ann = await new Raw(relay, doc).join('ann')
  let ids
  await withRole('SET default_transaction_read_only = on', 'RESET default_transaction_read_only', async () => {
    await disconnect()
    ids = [ann.op(0, ['one ']), ann.op(0, ['two '])]
    for (const id of ids) await unavailable(ann, id)
    assert.equal(await version(doc, cluster.env), 0)
  })
  await disconnect()
  ids.forEach((id, n) => ann.op(0, [['one ', 'two '][n]], id))
  for (const id of ids) assert.equal((await ann.operation()).operationId, id)
  assert.equal(await version(doc, cluster.env), 2)
  ann.end()
  await relay.stop()
})

test('a statement timeout concerns the document that is slow', async () => {
  await withSetting("statement_timeout = '100ms'", async relay => {
    await withTrigger("IF NEW.op::text LIKE '%slow%' THEN PERFORM pg_sleep(60); END IF;", async () => {
      const docs = await Promise.all([document(), document(), document()])
      const [ann, ...others] = await Promise.all(docs.map(doc => new Raw(relay, doc).join('ann')))
      const slow = ann.op(0, ['slow'])
      const after = ann.op(0, ['quick'])
      for (const other of others) {
        const id = other.op(0, ['x'])
        assert.equal((await other.operation()).operationId, id)
        other.end()
      }
      await unavailable(ann, slow)
      await unavailable(ann, after)
      ann.op(0, ['quick'], after)
      assert.equal((await ann.operation()).operationId, after)
      ann.end()
    }, { env: cluster.env })
  })
})

test('no connections: edits are held, and applied once when there are some again', async () => {
  const doc = await document()
  const relay = await startRelay({}, cluster.env)
  const ann = await new Raw(relay, doc).join('ann')
  let id
  await withRole('CONNECTION LIMIT 0', 'CONNECTION LIMIT -1', async () => {
    await disconnect()
    await until('the relay to notice', async () => (await relay.get('/readyz')).status === 503)
    id = ann.op(0, ['held'])
    await until('it to be refused', () => /too many connections/.test(relay.log()))
    await until('it to be held', async () => (await relay.metrics()).ops_held === 1)
  })
  assert.equal((await ann.operation()).operationId, id)
  assert.equal(await content(doc, cluster.env), 'held')
  ann.end()
  await relay.stop()
})

for (const level of ['repeatable read', 'serializable']) {
  test(`${level}: what others write at the same time is carried over, in order`, async () => {
    await withSetting(`default_transaction_isolation = '${level}'`, async relay => {
      const doc = await document()
      const crowd = await new Crowd(doc, 3, () => relay, 31).start()
      let wrote = 0
      let done = false
      const writer = (async () => {
        while (!done) {
          await edit(doc, ['+'], cluster.env)
          wrote++
        }
      })()
      await until('a conflict', async () => (await relay.metrics()).batch_failures_total > 0)
      await crowd.progress(100)
      done = true
      await writer
      assert.ok(wrote > 0)
      await crowd.finish(cluster.env, wrote)
      assert.match(relay.log(), / 40001 /)
    })
  })
}

test('a deadlock with somebody\'s own tables: the relay gives way and tries again', async () => {
  await run("CREATE TABLE totals (id int PRIMARY KEY, n int); INSERT INTO totals VALUES (1, 0); GRANT ALL ON totals TO PUBLIC")
  // PostgreSQL ends the one whose patience ends first
  await withSetting("deadlock_timeout = '200ms'", async relay => {
    await withTrigger('UPDATE public.totals SET n = n + 1;', async () => {
      const doc = await document()
      const ann = await new Raw(relay, doc).join('ann')
      const other = new Session(cluster.env)
      await other.run("SET deadlock_timeout = '100s'; BEGIN; UPDATE totals SET n = n")
      const id = ann.op(0, ['x'])
      await until('the relay to wait', async () => await run(`SELECT count(*) FROM pg_stat_activity WHERE usename = '${ROLE}' AND wait_event_type = 'Lock'`) === '1')
      const both = other.run(`SELECT converge.edit('${doc}', '["y"]'); COMMIT`)
      await until('the deadlock', () => / 40P01 /.test(relay.log()))
      await both
      const entries = [await ann.operation(), await ann.operation()]
      assert.deepEqual(entries.map(entry => entry.version), [1, 2])
      assert.ok(entries.some(entry => entry.operationId === id))
      await other.close()
      ann.end()
    }, { env: cluster.env })
  })
})

test('a commit whose answer was lost: submitted again under the same ids, and answered once', async () => {
  const doc = await document()
  const proxy = await Proxy.before(cluster)
  const relay = await startRelay({ dsn: proxy.dsn }, cluster.env)
  const ann = await new Raw(relay, doc).join('ann')
  // An operation may come from the log and as the answer to what was submitted again.
  const heard = new Map()
  const hear = async id => {
    while (!heard.has(id)) {
      const entry = await ann.operation()
      heard.set(entry.operationId, entry.version)
    }
    return heard.get(id)
  }
  for (let n = 0; n < 5; n++) {
    await until('every connection to be there', () => relay.log().split('connected to PostgreSQL').length > 5 * (n + 1))
    assert.equal(await hear(ann.op(3 * n, ['before'])), 3 * n + 1)
    await until('its answer, which the log overtakes', async () => (await relay.metrics()).ops_held === 0)
    proxy.lose()
    const ids = [ann.op(3 * n + 1, ['a']), ann.op(3 * n + 1, ['b'])]
    await until('it to be committed', async () => await version(doc, cluster.env) >= 3 * n + 2)
    assert.ok(!JSON.stringify(ann.messages).includes(ids[0]))
    proxy.cut()
    assert.deepEqual([await hear(ids[0]), await hear(ids[1])], [3 * n + 2, 3 * n + 3])
  }
  assert.equal(await version(doc, cluster.env), 15)
  assert.ok((await relay.metrics()).ops_duplicate_total > 0)
  ann.end()
  await relay.stop()
  await proxy.end()
})
