// Batches: what is locked, vetoed or in trouble concerns itself only.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { content, createDocument, Session, sql, version, withTrigger } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

let relay
before(async () => { relay = await startRelay() })
after(() => relay.stop())

// Lock a document's head as a slow transaction does.
async function lock (doc) {
  const session = new Session()
  await session.run(`BEGIN; SELECT FROM converge.heads WHERE doc_id = '${doc}' FOR UPDATE`)
  return session
}

test('a locked document delays only its own edits', async () => {
  const [locked, ...others] = await Promise.all(Array.from({ length: 6 }, () => createDocument('')))
  const holder = await lock(locked)
  const ann = await new Raw(relay, locked).join('ann')
  const ids = [ann.op(0, ['first']), ann.op(0, ['second'])]
  const clients = await Promise.all(others.map(doc => new Raw(relay, doc).join('ben')))
  for (let n = 0; n < 10; n++) {
    for (const client of clients) client.op(n, ['x'])
    for (const client of clients) assert.equal((await client.operation()).version, n + 1)
  }
  await until('it to be found busy', async () => (await relay.metrics()).busy_documents_total > 0)
  assert.ok((await relay.metrics()).busy_documents_total < 10, 'it was asked again and again instead of waited for')
  assert.equal(ann.messages.length, 2)
  await holder.run('COMMIT')
  assert.deepEqual([(await ann.operation()).operationId, (await ann.operation()).operationId], ids)
  await holder.close()
  ;[ann, ...clients].forEach(client => client.end())
})

test('of many locked documents the one that is unlocked continues', async () => {
  const docs = await Promise.all(Array.from({ length: 4 }, () => createDocument('')))
  const holders = await Promise.all(docs.map(lock))
  const clients = await Promise.all(docs.map(doc => new Raw(relay, doc).join('ann')))
  clients.forEach(client => client.op(0, ['x']))
  await until('all to be found busy', async () => (await relay.metrics()).busy_documents_total >= 5)
  for (const n of [3, 1, 0, 2]) {
    await holders[n].run('COMMIT')
    assert.equal((await clients[n].operation()).version, 1)
    await holders[n].close()
  }
  clients.forEach(client => client.end())
})

test('operations of a document keep their order through a lock', async () => {
  const doc = await createDocument('')
  const ann = await new Raw(relay, doc).join('ann')
  for (let round = 0; round < 5; round++) {
    const holder = await lock(doc)
    for (let n = 0; n < 5; n++) ann.op(0, [`${round * 5 + n} `])
    await until('it to be found busy', async () => (await relay.metrics()).ops_held > 0)
    await holder.run('ROLLBACK')
    for (let n = 0; n < 5; n++) {
      const entry = await ann.operation()
      assert.ok(JSON.stringify(entry.op).includes(`"${round * 5 + n} "`))
    }
    await holder.close()
  }
  ann.end()
})

test('a trigger\'s veto rejects only its own operation', async () => {
  await withTrigger("IF NEW.op::text LIKE '%veto%' THEN RAISE EXCEPTION 'not this one'; END IF;", async () => {
    const docs = await Promise.all(Array.from({ length: 4 }, () => createDocument('')))
    const clients = await Promise.all(docs.map(doc => new Raw(relay, doc).join('ann')))
    const sent = clients.map((client, c) => Array.from({ length: 10 }, (_, n) => client.op(0, [c === 2 && n % 4 === 1 ? 'veto' : `${n} `])))
    for (const [c, client] of clients.entries()) {
      const answers = new Map()
      while (answers.size < 10) {
        const message = await client.take()
        for (const answer of message.ops ?? [message]) answers.set(answer.operationId, answer)
      }
      for (const [n, id] of sent[c].entries()) {
        const vetoed = c === 2 && n % 4 === 1
        assert.equal(answers.get(id).code, vetoed ? 'forbidden' : undefined)
        if (vetoed) assert.equal(answers.get(id).message, 'not this one')
      }
      const applied = sent[c].filter((id, n) => !(c === 2 && n % 4 === 1))
      const inOrder = (await sql(`SELECT op_id FROM converge.ops WHERE doc_id = '${docs[c]}' ORDER BY version`)).split('\n')
      assert.deepEqual(inOrder, applied)
      client.end()
    }
  })
})

test('an error at commit is an error: no client sees the operation', async () => {
  await withTrigger("IF NEW.op::text LIKE '%late%' THEN RAISE EXCEPTION 'too late'; END IF;", async () => {
    const doc = await createDocument('')
    const ann = await new Raw(relay, doc).join('ann')
    const ben = await new Raw(relay, doc).join('ben')
    const id = ann.op(0, ['late '.repeat(20000)])
    const reject = await ann.expect('reject')
    assert.deepEqual([reject.operationId, reject.code, reject.message], [id, 'forbidden', 'too late'])
    ann.op(0, ['fine'])
    assert.deepEqual((await ben.operation()).op, ['fine'])
    assert.deepEqual((await ann.operation()).version, 1)
    assert.equal(await content(doc), 'fine')
    ann.end()
    ben.end()
  }, { deferred: true })
})

test('conflicts are retried', async () => {
  for (const sqlstate of ['40001', '40P01', '57014', '53200']) {
    await withTrigger(`IF nextval(CALLS) < 3 THEN RAISE EXCEPTION 'bad luck' USING ERRCODE = '${sqlstate}'; END IF;`, async () => {
      const doc = await createDocument('')
      const ann = await new Raw(relay, doc).join('ann')
      ann.op(0, ['x'])
      assert.equal((await ann.operation()).version, 1)
      ann.end()
    })
  }
})

test('a lasting error is answered with a time to retry', async () => {
  await withTrigger("IF NEW.op::text LIKE '%full%' THEN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END IF;", async () => {
    const doc = await createDocument('')
    const ann = await new Raw(relay, doc).join('ann')
    const id = ann.op(0, ['full'])
    const reject = await ann.expect('reject')
    assert.deepEqual([reject.operationId, reject.code], [id, 'unavailable'])
    assert.ok(reject.retryAfter > 0)
    ann.op(0, ['x'])
    assert.equal((await ann.operation()).version, 1)
    ann.end()
  })
})

test('a document that is deleted while it has clients', async () => {
  const doc = await createDocument('text')
  const ann = await new Raw(relay, doc).join('ann')
  await sql(`DELETE FROM converge.heads WHERE doc_id = '${doc}'; DELETE FROM converge.documents WHERE id = '${doc}'`)
  ann.op(0, ['x'])
  assert.equal((await ann.expect('error')).code, 'not_found')
  assert.equal((await ann.close()).code, 4404)
})

test('after lost connections to PostgreSQL nothing is lost or applied twice', async () => {
  const doc = await createDocument('')
  const ann = await new Raw(relay, doc).join('ann')
  const ids = []
  for (let n = 0; n < 100; n++) {
    if (n % 10 === 5) await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${process.env.CONVERGE_TEST_ROLE}' AND datname = current_database()`)
    ids.push(ann.op(n, [`${n} `]))
    assert.equal((await ann.operation()).version, n + 1)
  }
  assert.equal(await version(doc), 100)
  assert.equal(await sql(`SELECT string_agg(op_id::text, ' ' ORDER BY version) FROM converge.ops WHERE doc_id = '${doc}'`), ids.join(' '))
  ann.end()
})
