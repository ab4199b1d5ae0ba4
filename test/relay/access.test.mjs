// Members who come, change and go while they are connected.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createDocument, edit, quote, Session, sql, version } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

let relay
before(async () => { relay = await startRelay() })
after(() => relay.stop())

// A document with these members.
async function create (content, members) {
  const shares = Object.entries(members).map(([user, role]) => `converge.share(doc, ${quote(user)}, '${role}')`)
  return sql(`SELECT doc FROM converge.create_document('a title', ${quote(content)}) AS doc, LATERAL (SELECT ${shares.join(', ')}) AS shared`)
}

const share = (doc, user, role) => sql(`SELECT converge.share('${doc}', ${quote(user)}, '${role}')`)
const unshare = (doc, user) => sql(`SELECT converge.unshare('${doc}', ${quote(user)})`)

// The versions that a client was sent, one by one or composed.
const shown = client => client.messages.flatMap(m => m.type === 'ops' ? m.ops.map(entry => entry.version) : m.version ?? [])

test('a client is informed of its new role, which applies to its next edit', async () => {
  const doc = await create('é', { zoë: 'editor', ben: 'editor' })
  const zoë = await new Raw(relay, doc).join('zoë')
  const ben = await new Raw(relay, doc).join('ben')
  assert.equal(zoë.joined.role, 'editor')
  await share(doc, 'zoë', 'viewer')
  assert.deepEqual(await zoë.take(), { type: 'role', role: 'viewer' })
  const refused = zoë.op(0, ['日本'])
  const { operationId, code } = await zoë.expect('reject')
  assert.deepEqual([operationId, code], [refused, 'forbidden'])
  ben.op(0, ['a'])
  assert.equal((await zoë.operation()).version, 1)
  await share(doc, 'zoë', 'editor')
  assert.deepEqual(await zoë.take(), { type: 'role', role: 'editor' })
  const id = zoë.op(1, ['😀'])
  assert.equal((await zoë.operation()).operationId, id)
  assert.deepEqual((await ben.operation()).version, 1)
  assert.deepEqual((await ben.operation()).version, 2)
  zoë.end()
  ben.end()
})

test('a removed member is closed with 4403, other members are not', async () => {
  const doc = await create('é', { ann: 'editor', ben: 'editor' })
  const other = await create('ß', { ben: 'editor' })
  const ann = await new Raw(relay, doc).join('ann')
  const ben = await new Raw(relay, doc).join('ben')
  const second = await new Raw(relay, doc).join('ben')
  const elsewhere = await new Raw(relay, other).join('ben')
  await unshare(doc, 'ben')
  for (const client of [ben, second]) {
    assert.equal((await client.expect('error')).code, 'forbidden')
    assert.equal((await client.close()).code, 4403)
  }
  ann.op(0, ['x'])
  assert.equal((await ann.operation()).version, 1)
  elsewhere.op(0, ['x'])
  assert.equal((await elsewhere.operation()).version, 1)
  const again = await new Raw(relay, doc).opened()
  again.send({ type: 'hello', token: (await import('./lib/token.mjs')).token('ben') })
  assert.equal((await again.close()).code, 4403)
  ann.end()
  elsewhere.end()
})

test('everyone stands for those who have no row of their own', async () => {
  const doc = await create('é', { '*': 'viewer', ann: 'editor', ben: 'viewer' })
  const [ann, ben, cleo] = await Promise.all(['ann', 'ben', 'cleo'].map(user => new Raw(relay, doc).join(user)))
  assert.equal(cleo.joined.role, 'viewer')
  await share(doc, '*', 'editor')
  assert.deepEqual(await ben.take(), { type: 'role', role: 'editor' })
  assert.deepEqual(await cleo.take(), { type: 'role', role: 'editor' })
  await unshare(doc, 'ann')
  await unshare(doc, '*')
  assert.deepEqual(await ben.take(), { type: 'role', role: 'viewer' })
  assert.equal((await cleo.close()).code, 4403)
  assert.equal((await ann.close()).code, 4403)
  await edit(doc, ['x'])
  assert.equal((await ben.operation()).version, 1)
  assert.deepEqual(shown(cleo).filter(v => v > 0), [])
  ben.end()
})

test('the clients of a deleted document are closed with 4404, those of a renamed one get its title', async () => {
  const doc = await create('é', { ann: 'viewer' })
  const ann = await new Raw(relay, doc).join('ann')
  await sql(`SELECT converge.rename_document('${doc}', 'nom: été 😀')`)
  assert.deepEqual(await ann.take(), { type: 'title', title: 'nom: été 😀' })
  await sql(`SELECT converge.delete_document('${doc}')`)
  assert.equal((await ann.expect('error')).code, 'not_found')
  assert.equal((await ann.close()).code, 4404)
})

// Ann types through the relay as fast as it answers, until told to stop.
function typing (client) {
  const typist = { stopped: false }
  client.socket.on('message', () => {
    const last = client.messages.at(-1)
    if (last.type === 'ops' && !typist.stopped) client.op(last.ops.at(-1).version, ['é'])
  })
  client.op(0, ['é'])
  return typist
}

test('nothing that was committed after the revocation is sent or accepted', async () => {
  await Promise.all(Array.from({ length: 8 }, async (unused, n) => {
    const doc = await create('', { ann: 'editor', ben: 'editor' })
    const ann = await new Raw(relay, doc).join('ann')
    const ben = await new Raw(relay, doc).join('ben')
    const typists = [typing(ann), typing(ben)]
    await until('some edits', () => shown(ben).length > 5 + n)
    // the version under the lock that the revocation keeps until it commits
    const last = Number((await sql(`BEGIN; SELECT converge.unshare('${doc}', 'ben'); SELECT 'at ' || version FROM converge.heads WHERE doc_id = '${doc}'; COMMIT`)).match(/at (\d+)/)[1])
    assert.equal((await ben.close()).code, 4403)
    const sum = await version(doc)
    await until('ann to go on', () => shown(ann).at(-1) > sum)
    typists[0].stopped = true
    assert.deepEqual(shown(ben).filter(v => v > last), [])
    assert.equal(await sql(`SELECT count(*) FROM converge.ops WHERE doc_id = '${doc}' AND user_id = 'ben' AND version > ${last}`), '0')
    ann.end()
  }))
})

// Ben types here and in SQL at once, in sessions of his, until he is refused.
function typingInSql (doc, user) {
  const text = `SET converge."user" = ${quote(user)};\n` + `SELECT converge.edit('${doc}', '["日"]');\n`.repeat(20000)
  const typist = { edits: 0 }
  const psql = spawn('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=sqlstate'], { stdio: ['pipe', 'pipe', 'pipe'] })
  let error = ''
  psql.stdin.on('error', () => {})
  psql.stdout.on('data', data => { typist.edits += String(data).split('\n').length - 1 })
  psql.stderr.on('data', data => { error += data })
  // at its exit the last of what it said may still be in the pipe
  psql.once('close', () => { typist.refused = error.trim() })
  psql.stdin.end(text)
  return typist
}

for (const [what, take, refusal] of [
  ['his right to read', doc => `converge.unshare('${doc}', 'ben')`, null],
  ['his right to write', doc => `converge.share('${doc}', 'ben', 'viewer')`, 'forbidden']
]) {
  test(`a member loses ${what} while typing everywhere: none of their edits is committed after that`, async () => {
    const doc = await create('', { ann: 'editor', ben: 'editor' })
    const slot = `roles_${process.pid}_${doc.slice(0, 8)}`
    await sql(`SELECT pg_create_logical_replication_slot('${slot}', 'converge')`)
    const [ann, ben, twin] = await Promise.all(['ann', 'ben', 'ben'].map(user => new Raw(relay, doc).join(user)))
    const typists = [ann, ben, twin].map(typing)
    const inSql = [typingInSql(doc, 'ben'), typingInSql(doc, 'ben')]
    await until('edits on every way', () => inSql.every(typist => typist.edits > 10) && [ben, twin].every(client => shown(client).length > 10))
    await sql(`SELECT ${take(doc)}`)
    await until('SQL to refuse', () => inSql.every(typist => typist.refused))
    for (const typist of inSql) assert.match(typist.refused, /^ERROR: {2}OT002$/m)
    for (const client of [ben, twin]) {
      if (refusal) await until('a refusal', () => client.messages.some(m => m.type === 'reject' && m.code === refusal))
      else assert.equal((await client.close()).code, 4403)
    }
    const sum = await version(doc)
    await until('ann to go on', () => shown(ann).at(-1) > sum)
    typists.forEach(typist => { typist.stopped = true })
    await until('ann to be done', async () => shown(ann).at(-1) === await version(doc))
    // what was committed, in the order of commits
    const lines = (await sql(`SELECT data FROM pg_logical_slot_get_changes('${slot}', NULL, NULL)`)).split('\n').map(line => JSON.parse(line)).filter(line => line.documentId === doc)
    await sql(`SELECT pg_drop_replication_slot('${slot}')`)
    const taken = lines.findIndex(line => line.type === 'member' && line.userId === 'ben')
    const bens = lines.flatMap((line, at) => line.type === 'op' && line.userId === 'ben' ? [at] : [])
    assert.ok(taken > 0 && bens.length >= inSql[0].edits + inSql[1].edits)
    assert.ok(bens.at(-1) < taken, `${bens.at(-1)}, and the role was gone at ${taken} of ${lines.length}`)
    assert.ok(lines.slice(taken).some(line => line.userId === 'ann'))
    // whoever was told that an edit of his was taken was told the truth
    const stored = new Set(bens.map(at => lines[at].operationId))
    for (const client of [ben, twin]) {
      const acknowledged = client.messages.flatMap(m => m.ops ?? []).filter(entry => entry.userId === 'ben').map(entry => entry.operationId)
      assert.deepEqual(acknowledged.filter(id => !stored.has(id)), [])
      client.end()
    }
    ann.end()
  })
}

test('nor while there is no stream, when rooms are read from the tables', async () => {
  const name = `no-stream-${process.pid}`
  const lonely = await startRelay({ dsn: `user=${process.env.CONVERGE_TEST_ROLE} application_name=${name}` })
  const doc = await create('', { ann: 'editor', ben: 'editor', cleo: 'editor' })
  const [ann, ben, cleo] = await Promise.all(['ann', 'ben', 'cleo'].map(user => new Raw(lonely, doc).join(user)))
  // a slot waits for the transactions that have begun before it
  const blocker = new Session()
  await blocker.run('BEGIN; SELECT pg_current_xact_id()')
  await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE application_name = '${name}'`)
  await until('the stream to be down', async () => (await lonely.metrics()).stream_up === 0)
  ann.op(0, ['one'])
  assert.equal((await ben.operation()).version, 1)
  await unshare(doc, 'ben')
  await share(doc, 'cleo', 'viewer')
  await edit(doc, ['two'])
  assert.equal((await ben.close()).code, 4403)
  await cleo.operation()
  await until('cleo to be told', () => cleo.messages.some(m => m.type === 'role' && m.role === 'viewer'))
  await until('cleo to have both edits', () => shown(cleo).includes(2))
  assert.deepEqual(shown(ben).filter(v => v > 1), [])
  await share(doc, 'cleo', 'commenter')
  await unshare(doc, 'ann')
  await blocker.run('COMMIT')
  await blocker.close()
  // the new stream does not show what it missed: the tables are asked
  assert.equal((await ann.close()).code, 4403)
  await until('cleo to be told again', () => cleo.messages.some(m => m.type === 'role' && m.role === 'commenter'))
  cleo.end()
  await lonely.stop()
})

test('a client that has fallen behind the room gets nothing after the revocation either', async () => {
  const small = await startRelay({ 'ring-entries': 1, 'ring-bytes': 1024 })
  const doc = await create('', { ann: 'editor', ben: 'editor' })
  const ann = await new Raw(small, doc).join('ann')
  const ben = await new Raw(small, doc).join('ben')
  const held = shown(ben).at(-1)
  ben.end()
  for (let v = 0; v < 5; v++) {
    ann.op(v, ['é'])
    await ann.operation()
  }
  await unshare(doc, 'ben')
  const again = await new Raw(small, doc).opened()
  again.send({ type: 'hello', token: (await import('./lib/token.mjs')).token('ben'), version: held })
  assert.equal((await again.close()).code, 4403)
  assert.deepEqual(shown(again), [])
  ann.end()
  await small.stop()
})

test('many changes of members in one transaction are few questions', async () => {
  const own = await startRelay()
  const id = await createDocument('')
  const ann = await new Raw(own, id).join('ann')
  const before = (await own.metrics()).access_checks_total
  await sql(`DO $$ BEGIN
    FOR n IN 1..1000 LOOP
      UPDATE converge.members SET role = CASE n % 2 WHEN 0 THEN 'editor' ELSE 'commenter' END::converge.role WHERE doc_id = '${id}' AND user_id = '*';
    END LOOP;
  END $$`)
  await sql(`SELECT converge.edit('${id}', converge.insert(0, 'after'))`)
  assert.equal((await ann.operation()).version, 1)
  const asked = (await own.metrics()).access_checks_total - before
  assert.ok(asked >= 1 && asked < 100, `${asked} questions`)
  ann.end()
  await own.stop()
})
