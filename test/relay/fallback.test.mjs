// What the tables cannot give: a client that cannot have the operations it misses gets the
// whole text, and is not sent away again and again; limits of PostgreSQL's are told as such.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { Cluster } from './lib/cluster.mjs'
import { createDocument, edit, Session, sql, withTrigger } from './lib/pg.mjs'
import { newId, Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { User } from './lib/rest.mjs'
import { token } from './lib/token.mjs'
import { until } from './lib/wait.mjs'

let cluster
before(async () => { cluster = await Cluster.make() })
after(() => cluster.remove())

const run = statement => sql(statement, cluster.env)

// Let a function of the gateway do something else for a while.
async function replaced (signature, body, use) {
  const original = await run(`SELECT pg_get_functiondef('converge.${signature}'::regprocedure)`)
  const head = /^[^]*?RETURNS [^\n]*/.exec(original)[0]
  await run(`${head} LANGUAGE plpgsql AS $body$ BEGIN ${body} END $body$`)
  try {
    await use()
  } finally {
    await run(original)
  }
}

const CATCH_UP = 'catch_up(uuid, bigint, uuid, bigint)'
const raising = sqlstate => `RAISE EXCEPTION 'this cannot be had' USING ERRCODE = '${sqlstate}';`

// A document whose history is longer than what a client held, and that client.
async function comeBack (relay) {
  const doc = await createDocument('', { env: cluster.env })
  for (let n = 0; n < 3; n++) await edit(doc, [`é${n} `], cluster.env)
  const ann = await new Raw(relay, doc).opened()
  const life = await run(`SELECT life FROM converge.heads WHERE doc_id = '${doc}'`)
  ann.send({ type: 'hello', token: token('ann'), version: 0, life })
  assert.equal((await ann.expect('joined')).resumed, true)
  return { doc, ann }
}

// It gets the text, and is live from there on.
async function getsText (doc, ann) {
  assert.equal((await ann.expect('joined')).resumed, false)
  const snapshot = await ann.expect('snapshot')
  assert.deepEqual([snapshot.content, snapshot.version], ['é2 é1 é0 ', 3])
  ann.send({ type: 'ack', sequenceId: snapshot.sequenceId })
  await edit(doc, ['then '], cluster.env)
  assert.equal((await ann.operation()).version, 4)
  ann.op(4, ['now '])
  assert.equal((await ann.operation()).version, 5)
  assert.equal(ann.closed, undefined)
}

// out of range of a limit, of memory, of disk, of an allocation, of the stack
for (const sqlstate of ['54000', '53200', '53100', 'XX000', '54001']) {
  test(`catching up fails with ${sqlstate}: the whole text comes instead`, async () => {
    const relay = await startRelay({}, cluster.env)
    await replaced(CATCH_UP, raising(sqlstate), async () => {
      for (let n = 0; n < 2; n++) {
        const { doc, ann } = await comeBack(relay)
        await getsText(doc, ann)
        ann.end()
      }
    })
    await relay.stop()
  })
}

test('what is more than one client is to be sent comes as the whole text, too', async () => {
  const relay = await startRelay({}, cluster.env)
  const body = "from_version := since; version := 3; seq := 3; operation_id := gen_random_uuid(); bytes := 135000000; IF bytes <= most THEN frame := repeat('x', 135000000); END IF; RETURN NEXT;"
  await replaced(CATCH_UP, body, async () => {
    const { doc, ann } = await comeBack(relay)
    await getsText(doc, ann)
    ann.end()
  })
  await relay.stop()
})

test('a room that cannot read what it missed goes on with what comes', async () => {
  const relay = await startRelay({}, cluster.env)
  const doc = await createDocument('', { env: cluster.env })
  const ann = await new Raw(relay, doc).join('ann')
  await replaced(CATCH_UP, raising('54000'), async () => {
    await run('SELECT pg_terminate_backend(pid) FROM pg_stat_replication')
    await edit(doc, ['é '], cluster.env)
    await until('the text, or the operation', () => ann.messages.slice(ann.next).some(({ type }) => type === 'ops' || type === 'snapshot') || ann.closed)
  })
  assert.ok(!ann.closed || ann.closed.code === 1012, JSON.stringify(ann.closed))
  ann.end()
  const ben = await new Raw(relay, doc).join('ben')
  assert.equal(ben.snapshot.content, 'é ')
  ben.end()
  await relay.stop()
})

test('a client whose catching up fails does not delay others', async () => {
  const relay = await startRelay({ readers: 1 }, cluster.env)
  const doc = await createDocument('text', { env: cluster.env })
  await replaced(CATCH_UP, raising('53200'), async () => {
    const clients = []
    for (let n = 0; n < 3; n++) clients.push((await comeBack(relay)).ann)
    const ben = await new Raw(relay, doc).join('ben')
    assert.equal(ben.snapshot.content, 'text')
    for (const client of [...clients, ben]) client.end()
  })
  await relay.stop()
})

for (const [sqlstate, code, error] of [['54000', 1009, 'too_large'], ['53200', 1012, 'unavailable']]) {
  test(`a join fails with ${sqlstate}: ${code}`, async () => {
    const relay = await startRelay({}, cluster.env)
    const doc = await createDocument('', { env: cluster.env })
    await replaced('join_document(text, uuid, bigint, uuid, uuid, uuid, bigint)', raising(sqlstate), async () => {
      const ann = await new Raw(relay, doc).opened()
      ann.send({ type: 'hello', token: token('ann') })
      assert.equal((await ann.expect('error')).code, error)
      assert.equal((await ann.close()).code, code)
    })
    const ann = await new Raw(relay, doc).join('ann')
    ann.end()
    await relay.stop()
  })
}

test('what is answered about a deleted document says nothing of the one that has its id now', async () => {
  const relay = await startRelay({}, cluster.env)
  const doc = await createDocument('old', { env: cluster.env })
  const old = await new Raw(relay, doc).join('ann')
  const holder = new Session(cluster.env)
  await holder.run('SELECT pg_advisory_lock(77)')
  const held = async () => Number(await run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
  await replaced('has_version(uuid, bigint, uuid, bigint, uuid)', 'PERFORM pg_advisory_xact_lock_shared(77); RETURN false;', async () => {
    await run('SELECT pg_terminate_backend(pid) FROM pg_stat_replication')
    await until('a question about what the room holds', async () => await held() > 0)
    await run(`SELECT converge.delete_document('${doc}'); SELECT converge.create_document('', 'new', '${doc}'); SELECT converge.share('${doc}', '*', 'editor')`)
    const fresh = await new Raw(relay, doc).join('ben')
    assert.equal(fresh.snapshot.content, 'new')
    assert.equal((await old.close()).code, 4404)
    await holder.run('SELECT pg_advisory_unlock(77)')
    await until('the answer', async () => await held() === 0)
    await edit(doc, ['and '], cluster.env)
    assert.equal((await fresh.operation()).version, 1)
    fresh.end()
  })
  await holder.close()
  await relay.stop()
})

test('an operation that is over a limit of PostgreSQL\'s is too large, here and over HTTP', async () => {
  const relay = await startRelay({}, cluster.env)
  const doc = await createDocument('', { env: cluster.env })
  const ann = await new Raw(relay, doc).join('ann')
  const ben = new User(relay, 'ben')
  await withTrigger(raising('54000'), async () => {
    const id = ann.op(0, ['é'])
    const reject = await ann.expect('reject')
    assert.deepEqual([reject.operationId, reject.code], [id, 'too_large'])
    const { status, body } = await ben.post(`/v1/docs/${doc}/ops`, { operationId: newId(), baseVersion: 0, op: ['é'] })
    assert.deepEqual([status, body.code], [413, '54000'])
  }, { env: cluster.env })
  await replaced('my_documents(integer, timestamp with time zone, uuid, text)', raising('54000'), async () => {
    assert.equal((await ben.get('/v1/docs')).status, 413)
  })
  ann.op(0, ['é'])
  assert.equal((await ann.operation()).version, 1)
  ann.end()
  await relay.stop()
})
