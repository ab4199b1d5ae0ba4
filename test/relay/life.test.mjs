// A document that was deleted, and another that was created under its id: their
// versions have the same numbers, and no client may mix them. And whether an
// operation that was sent is in, which a client learns when it comes back.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { content, createDocument, edit, Session, sql } from './lib/pg.mjs'
import { newId, Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

let relay, second
before(async () => { [relay, second] = await Promise.all([startRelay(), startRelay()]) })
after(() => Promise.all([relay.stop(), second.stop()]))

const remake = (doc, text) => `SELECT converge.delete_document('${doc}'); SELECT converge.create_document('again', '${text}', '${doc}');
  SELECT converge.share('${doc}', '*', 'editor')`

const rejoin = async (doc, hello, from = relay) => new Raw(from, doc).join('ann', hello)

test('a client comes back at version 0 to the document that it left', async () => {
  const doc = await createDocument('one')
  const ann = await rejoin(doc)
  const { life } = ann.joined
  ann.end()
  const back = await rejoin(doc, { version: 0, life })
  assert.deepEqual([back.joined.resumed, back.joined.life], [true, life])
  back.op(0, [3, '!'])
  assert.equal((await back.operation()).version, 1)
  back.end()
  const behind = await rejoin(doc, { version: 0, life }, second)
  assert.equal(behind.joined.resumed, true)
  assert.equal((await behind.operation()).version, 1)
  behind.end()
})

test('a client comes back to another document under the id: it gets its text', async () => {
  const doc = await createDocument('one')
  const ann = await rejoin(doc)
  const { life } = ann.joined
  ann.end()
  await sql(remake(doc, 'another'))
  for (const hello of [{ version: 0, life }, { version: 0 }, { version: 0, life: 'nonsense' }, { version: 0, life: '' }]) {
    const back = await rejoin(doc, hello)
    assert.deepEqual([back.joined.resumed, back.joined.version, back.snapshot.content], [false, 0, 'another'])
    assert.notEqual(back.joined.life, life)
    back.end()
  }
})

test('the same operation made both documents: the life says that they are two', async () => {
  const doc = await createDocument('one')
  const ann = await rejoin(doc)
  const operationId = ann.op(0, ['x'])
  const { sequenceId } = await ann.operation()
  ann.end()
  await sql(`${remake(doc, 'another')}; SELECT converge.apply_op('${doc}', '${operationId}', 0, '["x"]')`)
  const back = await rejoin(doc, { version: 1, operationId, life: ann.joined.life })
  assert.deepEqual([back.joined.resumed, back.snapshot.content], [false, 'xanother'])
  const numbered = await rejoin(doc, { version: 1, operationId, sequenceId })
  assert.equal(numbered.joined.resumed, false)
  back.end()
  numbered.end()
})

test('a life that is no text is malformed', async () => {
  const doc = await createDocument('one')
  const ann = await new Raw(relay, doc).opened()
  ann.send({ type: 'hello', token: (await import('./lib/token.mjs')).token('ann'), version: 0, life: 7 })
  assert.equal((await ann.expect('error')).code, 'malformed')
  assert.equal((await ann.close()).code, 4400)
})

test('those in a document are closed when it is made anew in one transaction, and nothing of the new one reaches them', async () => {
  const doc = await createDocument('one')
  const clients = await Promise.all([relay, second, relay].map(from => rejoin(doc, {}, from)))
  const operationId = clients[0].op(0, ['x'])
  for (const client of clients) assert.equal((await client.operation()).version, 1)
  await sql(`BEGIN; ${remake(doc, 'two')}; SELECT converge.edit('${doc}', '["a"]'); SELECT converge.edit('${doc}', '["b"]'); COMMIT`)
  for (const client of clients) {
    assert.equal((await client.close()).code, 4404)
    // what it was sent and has not taken
    assert.deepEqual(client.messages.filter(({ type }) => type === 'ops').flatMap(({ ops }) => ops), [])
  }
  for (const [n, from] of [relay, second].entries()) {
    const back = await rejoin(doc, { version: 1, operationId }, from)
    assert.deepEqual([back.joined.resumed, back.joined.version, back.snapshot.content], [false, 2 + n, n ? 'cbatwo' : 'batwo'])
    await edit(doc, ['c'])
    assert.equal((await back.operation()).version, 3 + n)
    back.end()
  }
})

test('one who joins the new document sees it alone, while the old one still has its members', async () => {
  const doc = await createDocument('one')
  for (let n = 0; n < 20; n++) {
    const old = await rejoin(doc)
    const base = old.joined.version
    const made = sql(remake(doc, `text ${n}`))
    const typist = old.op(base, ['old '])
    await made
    const fresh = await rejoin(doc)
    assert.equal(fresh.snapshot.content, `text ${n}`)
    assert.notEqual(fresh.joined.life, old.joined.life)
    assert.equal(fresh.joined.version, 0)
    fresh.op(0, ['new '])
    const entry = await fresh.operation()
    assert.deepEqual([entry.version, entry.op], [1, ['new ']])
    assert.notEqual(entry.operationId, typist)
    assert.equal((await old.close()).code, 4404)
    assert.equal(await content(doc), `new text ${n}`)
    fresh.end()
  }
})

test('an operation that waits for the document while it is made anew is not applied to the new one', async () => {
  const doc = await createDocument('one')
  const ann = await rejoin(doc)
  const holder = new Session()
  await holder.run(`BEGIN; ${remake(doc, 'another')}`)
  ann.op(0, ['eats '])
  await until('the operation to wait', async () => (await relay.metrics()).busy_documents_total > 0)
  await holder.run('COMMIT')
  await holder.close()
  assert.equal((await ann.close()).code, 4404)
  assert.equal(await content(doc), 'another')
  assert.equal(await sql(`SELECT version FROM converge.heads WHERE doc_id = '${doc}'`), '0')
})

// ---- whether the pending operation is in ----

test('joined says which version a pending operation made, or that it is not in', async () => {
  const doc = await createDocument('')
  const ids = [null]
  const ann = await rejoin(doc)
  for (let n = 1; n <= 20; n++) {
    ids[n] = ann.op(n - 1, ['x'])
    await ann.operation()
  }
  ann.end()
  const at = (version, more) => ({ version, operationId: ids[version], ...more })
  const packed = async () => sql(`SELECT converge.pack('${doc}', 5)`)
  for (const prepare of [async () => {}, packed]) {
    await prepare()
    for (const [hello, expected] of [
      [at(10, { pending: ids[11] }), 11], [at(10, { pending: ids[20] }), 20], [at(10, { pending: newId() }), null], [at(20, { pending: newId() }), null],
      [{ pending: ids[3] }, 3], [{ pending: ids[20] }, 20], [{ pending: newId() }, null], [at(10), undefined], [{}, undefined],
      [{ version: 12, operationId: newId(), pending: ids[4] }, 4], [{ version: 99, operationId: newId(), pending: newId() }, null]
    ]) {
      const back = await rejoin(doc, hello)
      assert.deepEqual(['pendingVersion' in back.joined, back.joined.pendingVersion], [expected !== undefined, expected], JSON.stringify(hello))
      if (back.joined.resumed && expected) {
        let entry
        do entry = await back.operation(); while (entry.operationId !== hello.pending)
        assert.equal(entry.version, expected)
      }
      back.end()
    }
  }
  // history that might have it is forgotten
  await sql(`SELECT converge.prune('${doc}', 12)`)
  for (const [hello, expected] of [
    [at(10, { pending: newId() }), undefined], [at(10, { pending: ids[11] }), undefined], [at(10, { pending: ids[14] }), 14],
    [at(13, { pending: newId() }), null], [{ pending: newId() }, undefined]
  ]) {
    const back = await rejoin(doc, hello)
    assert.deepEqual(['pendingVersion' in back.joined, back.joined.pendingVersion], [expected !== undefined, expected], JSON.stringify(hello))
    back.end()
  }
})

test('the operation of a client whose document was made anew is not in the new one', async () => {
  const doc = await createDocument('one')
  const ann = await rejoin(doc)
  const pending = ann.op(0, ['x'])
  await ann.operation()
  ann.end()
  await sql(remake(doc, 'another'))
  const back = await rejoin(doc, { version: 0, life: ann.joined.life, pending })
  assert.deepEqual([back.joined.resumed, back.joined.pendingVersion], [false, null])
  back.end()
})
