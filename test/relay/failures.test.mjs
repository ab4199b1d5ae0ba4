// Relays, PostgreSQL and connections that end in the middle of everything: no
// acknowledged edit is lost, none is applied twice, and nobody reloads.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { Cluster } from './lib/cluster.mjs'
import { Crowd } from './lib/crowd.mjs'
import { content, createDocument, edit, Session, sql, version } from './lib/pg.mjs'
import { Proxy } from './lib/proxy.mjs'
import { newId, Raw } from './lib/raw.mjs'
import { Relay, startRelay } from './lib/relay.mjs'
import { token } from './lib/token.mjs'
import { until } from './lib/wait.mjs'

let cluster
before(async () => { cluster = await Cluster.make() })
after(() => cluster.remove())

test('a relay is killed and started again while people type', async () => {
  const doc = await createDocument('once upon a time ', { env: cluster.env })
  let relay = await startRelay({}, cluster.env)
  const listen = `127.0.0.1:${relay.port}`
  const crowd = await new Crowd(doc, 4, () => relay, 11).start()
  for (let n = 0; n < 6; n++) {
    await crowd.progress()
    await relay.crash()
    relay = new Relay({ listen }, cluster.env)
    await relay.ready()
  }
  await crowd.progress()
  await crowd.finish(cluster.env)
  assert.ok(crowd.clients.every(client => client.heard.snapshot === 1 && client.heard.joined > 1))
  await relay.stop()
})

for (const [how, end] of [['restarted', () => cluster.stop('fast')], ['ended at once', () => cluster.stop('immediate')], ['killed', () => cluster.crash()]]) {
  test(`PostgreSQL is ${how} under a relay while people type`, async () => {
    const doc = await createDocument('once upon a time ', { env: cluster.env })
    const relay = await startRelay({}, cluster.env)
    const crowd = await new Crowd(doc, 4, () => relay, 12).start()
    for (let n = 0; n < 3; n++) {
      await crowd.progress()
      await end()
      await until('the relay to notice', async () => (await relay.get('/readyz')).status === 503)
      await cluster.start()
      await crowd.progress()
    }
    await crowd.finish(cluster.env)
    assert.ok(crowd.clients.every(client => client.heard.joined === 1), 'a client had to connect again')
    await relay.stop()
  })
}

test('a relay that starts before PostgreSQL serves when it is there', async () => {
  const doc = await createDocument('early', { env: cluster.env })
  await cluster.stop()
  const relay = await new Relay({}, cluster.env).listening()
  assert.equal((await relay.get('/healthz')).status, 200)
  const ready = await relay.get('/readyz')
  assert.equal(ready.status, 503)
  assert.match(await ready.text(), /no connection to PostgreSQL/)
  const ann = await new Raw(relay, doc).opened()
  ann.send({ type: 'hello', token: token('ann') })
  await until('the hello to be in', async () => (await relay.metrics()).bytes_in_total > 0)
  await cluster.start()
  await ann.expect('joined')
  assert.equal((await ann.expect('snapshot')).content, 'early')
  await relay.ready()
  ann.end()
  await relay.stop()
})

test('edits wait while PostgreSQL is unavailable, up to a limit', async () => {
  const doc = await createDocument('', { env: cluster.env })
  const relay = await startRelay({ 'held-ops': 5 }, cluster.env)
  const ann = await new Raw(relay, doc).join('ann')
  await cluster.stop()
  await until('the relay to notice', async () => (await relay.get('/readyz')).status === 503)
  const ids = Array.from({ length: 8 }, (_, n) => ann.op(0, [`${n} `]))
  for (const id of ids.slice(5)) {
    const reject = await ann.expect('reject')
    assert.deepEqual([reject.operationId, reject.code], [id, 'unavailable'])
    assert.ok(reject.retryAfter > 0)
  }
  await cluster.start()
  for (const id of ids.slice(0, 5)) assert.equal((await ann.operation()).operationId, id)
  assert.equal(await version(doc, cluster.env), 5)
  ann.end()
  await relay.stop()
})

test('edits of one user that wait take no place of another\'s', async () => {
  const [doc, other] = [await createDocument('', { env: cluster.env }), await createDocument('', { env: cluster.env })]
  const relay = await startRelay({ 'held-ops': 6 }, cluster.env)
  const ann = await new Raw(relay, doc).join('ann')
  const ben = await new Raw(relay, doc).join('ben')
  const cleo = await new Raw(relay, other).join('cleo')
  await cluster.stop()
  await until('the relay to notice', async () => (await relay.get('/readyz')).status === 503)
  const rejected = async (who, id) => {
    const reject = await who.expect('reject')
    assert.deepEqual([reject.operationId, reject.code], [id, 'unavailable'])
    assert.match(reject.message, /held-ops/)
    assert.ok(reject.retryAfter > 0)
  }
  const annIds = Array.from({ length: 7 }, (_, n) => ann.op(0, [`ann ${n} `]))
  await rejected(ann, annIds[6])
  // ben gets as many places as ann has, and no more; the newest of ann's make room
  const benIds = Array.from({ length: 4 }, (_, n) => ben.op(0, [`ben ${n} `]))
  for (const id of [annIds[5], annIds[4], annIds[3]]) await rejected(ann, id)
  await rejected(ben, benIds[3])
  // in another document a third user gets a third
  const cleoIds = Array.from({ length: 3 }, (_, n) => cleo.op(0, [`cleo ${n} `]))
  await rejected(cleo, cleoIds[2])
  await rejected(ann, annIds[2])
  await rejected(ben, benIds[2])
  assert.equal((await relay.metrics()).ops_held, 6)
  await cluster.start()
  assert.equal((await ann.operation()).operationId, annIds[0])
  for (const id of cleoIds.slice(0, 2)) assert.equal((await cleo.operation()).operationId, id)
  await until('all that was held to be there', async () => await version(doc, cluster.env) + await version(other, cluster.env) === 6)
  assert.equal((await relay.metrics()).ops_held, 0)
  for (const client of [ann, ben, cleo]) client.end()
  await relay.stop()
})

test('an edit that makes room may be the only one of its document', async () => {
  // more documents than go without turns by user
  const docs = []
  for (let n = 0; n < 20; n++) docs.push(await createDocument('', { env: cluster.env }))
  const [doc] = docs.splice(0, 1)
  const relay = await startRelay({ 'held-ops': docs.length }, cluster.env)
  const anns = []
  for (const own of docs) anns.push(await new Raw(relay, own).join('ann'))
  const ben = await new Raw(relay, doc).join('ben')
  await cluster.stop()
  await until('the relay to notice', async () => (await relay.get('/readyz')).status === 503)
  for (const ann of anns) ann.op(0, ['ann '])
  await until('all to wait', async () => (await relay.metrics()).ops_held === docs.length)
  const benIds = Array.from({ length: 9 }, (_, n) => ben.op(0, [`ben ${n} `]))
  await until('room to be made', async () => (await relay.metrics())['rejects_total{code="unavailable"}'] === benIds.length)
  assert.equal((await relay.metrics()).ops_held, docs.length)
  await cluster.start()
  for (const id of benIds) assert.equal((await ben.operation()).operationId, id)
  const answers = await Promise.all(anns.map(async ann => (await ann.take()).type))
  assert.equal(answers.filter(type => type === 'reject').length, benIds.length)
  assert.equal(answers.filter(type => type === 'ops').length, docs.length - benIds.length)
  let versions = 0
  for (const own of docs) versions += await version(own, cluster.env)
  assert.equal(versions, docs.length - benIds.length)
  for (const client of [...anns, ben]) client.end()
  await relay.stop()
})

test('what is committed while the stream is cut arrives', async () => {
  const doc = await createDocument('', { env: cluster.env })
  const relay = await startRelay({}, cluster.env)
  const ann = await new Raw(relay, doc).join('ann')
  for (let n = 0; n < 10; n++) {
    await sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication", cluster.env)
    await edit(doc, [`${n} `], cluster.env)
    assert.equal((await ann.operation()).version, n + 1)
    await relay.ready()
  }
  ann.end()
  await relay.stop()
})

test('who was shown what SQL does not see yet resumes elsewhere', async () => {
  const doc = await createDocument('', { env: cluster.env })
  const relays = [await startRelay({}, cluster.env), await startRelay({}, cluster.env)]
  const ann = await new Raw(relays[0], doc).join('ann')
  await edit(doc, ['seen '], cluster.env)
  await ann.operation()
  const again = await new Raw(relays[1], doc).opened()
  // the stream shows a commit that waits for a standby; SQL sees it when that has answered
  await cluster.withCommitsWaiting(async () => {
    const id = ann.op(1, [5, 'not yet '])
    assert.equal((await ann.operation()).operationId, id)
    assert.equal(await version(doc, cluster.env), 1)
    again.send({ type: 'hello', token: token('ann'), version: 2, operationId: id })
    await until('it to be asked for again', async () => (await relays[1].metrics())['pg_round_trip_seconds_count{statement="join"}'] > 1)
  })
  const joined = await again.expect('joined')
  assert.deepEqual([joined.resumed, joined.version], [true, 2])
  ann.end()
  again.end()
  for (const relay of relays) await relay.stop()
})

test('a stream that only seems to be there is noticed', async () => {
  const doc = await createDocument('', { env: cluster.env })
  const proxy = await Proxy.before(cluster)
  const relay = await startRelay({ dsn: proxy.dsn }, cluster.env)
  const ann = await new Raw(relay, doc).join('ann')
  // an idle one is no silent one: its walsender answers
  proxy.lose(pair => pair.replicates)
  await edit(doc, ['x'], cluster.env)
  await until('the silence to be noticed', () => /stopped sending data/.test(relay.log()), 90000)
  assert.equal((await ann.operation()).version, 1)
  ann.end()
  await relay.stop()
  await proxy.end()
})

test('rooms are read from the tables while a long transaction prevents the stream from starting', async () => {
  const doc = await createDocument('', { env: cluster.env })
  const long = new Session(cluster.env)
  await long.run('BEGIN; SELECT pg_current_xact_id()')
  const relay = await new Relay({}, cluster.env).listening()
  const ann = await new Raw(relay, doc).join('ann')
  await edit(doc, ['one '], cluster.env)
  assert.equal((await ann.operation()).version, 1)
  ann.op(1, ['two '])
  assert.equal((await ann.operation()).version, 2)
  assert.match(await (await relay.get('/readyz')).text(), /no replication stream/)
  await long.run('COMMIT')
  await relay.ready()
  await edit(doc, ['three '], cluster.env)
  assert.equal((await ann.operation()).version, 3)
  await long.close()
  ann.end()
  await relay.stop()
})

test('nothing is left in PostgreSQL by a relay that was killed', async () => {
  const relay = await startRelay({}, cluster.env)
  await until('its slot', async () => await sql('SELECT count(*) FROM pg_replication_slots', cluster.env) === '1')
  await relay.crash()
  await until('its slot to be gone', async () => await sql('SELECT count(*) FROM pg_replication_slots', cluster.env) === '0')
})

test('progress is reported, so that WAL is not kept', async () => {
  const relay = await startRelay({}, cluster.env)
  const doc = await createDocument('', { env: cluster.env })
  for (let n = 0; n < 20; n++) await edit(doc, ['x'], cluster.env)
  const lsn = await sql('SELECT pg_current_wal_lsn()', cluster.env)
  await until('the slot to follow', async () => await sql(`SELECT bool_and(confirmed_flush_lsn >= '${lsn}') FROM pg_replication_slots`, cluster.env) === 't')
  await relay.stop()
})

test('SIGTERM: unanswered edits are finished, clients are asked to reconnect', async () => {
  const doc = await createDocument('', { env: cluster.env })
  const relay = await startRelay({}, cluster.env)
  const ann = await new Raw(relay, doc).join('ann')
  const idle = await new Raw(relay, doc).join('ben')
  const early = await new Raw(relay, doc).opened()
  const holder = new Session(cluster.env)
  await holder.run(`BEGIN; SELECT FROM converge.heads WHERE doc_id = '${doc}' FOR UPDATE`)
  const id = ann.op(0, ['last words'])
  await until('it to be under way', async () => (await relay.metrics()).busy_documents_total > 0)
  relay.terminate()
  await until('no new connection to be accepted', () => relay.get('/healthz').then(() => false, () => true))
  const late = ann.op(0, ['too late'])
  const reject = await ann.expect('reject')
  assert.deepEqual([reject.operationId, reject.code], [late, 'unavailable'])
  await holder.run('COMMIT')
  assert.equal((await ann.operation()).operationId, id)
  await idle.operation()
  for (const client of [ann, idle, early]) {
    const error = await client.expect('error')
    assert.equal(error.code, 'restarting')
    assert.ok(error.retryAfter > 0)
    assert.equal((await client.close()).code, 1012)
  }
  await holder.close()
  await relay.stop()
  assert.equal(await content(doc, cluster.env), 'last words')
})

test('SIGTERM without PostgreSQL stops within the drain timeout', async () => {
  const doc = await createDocument('', { env: cluster.env })
  const relay = await startRelay({ 'drain-timeout': 1 }, cluster.env)
  const ann = await new Raw(relay, doc).join('ann')
  await cluster.stop()
  await until('the relay to notice', async () => (await relay.get('/readyz')).status === 503)
  ann.op(0, ['x'], newId())
  await until('it to be held', async () => (await relay.metrics()).ops_held === 1)
  await relay.stop()
  assert.equal((await ann.close()).code, 1012)
  await cluster.start()
})
