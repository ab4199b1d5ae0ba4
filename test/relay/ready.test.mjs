// Whether /readyz tells the truth: a PostgreSQL that is there, and no good.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { Bytes } from './lib/bytes.mjs'
import { Cluster } from './lib/cluster.mjs'
import { createDocument, edit, Session, sql } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { Relay, startRelay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

let cluster
before(async () => { cluster = await Cluster.make() })
after(() => cluster.remove())

const answer = async relay => {
  const { status, text } = await relay.get('/readyz').then(async found => ({ status: found.status, text: await found.text() }))
  return `${status} ${text.trim()}`
}

const answers = (relay, wanted) => until(`/readyz to answer ${wanted}`, async () => await answer(relay) === wanted)

test('a relay on a standby is not ready, until that is promoted', async () => {
  const standby = await cluster.standby()
  const relay = await new Relay({}, standby.env).listening()
  await answers(relay, '503 PostgreSQL accepts no writes: it is a standby or read-only')
  assert.equal((await relay.metrics()).ready, 0)
  await standby.promote()
  await answers(relay, '200 ready')
  assert.equal((await relay.metrics()).ready, 1)
  const ann = await new Raw(relay, await createDocument('', { env: standby.env })).join('ann')
  ann.op(0, ['x'])
  await ann.operation()
  ann.end()
  await relay.stop()
  await standby.remove()
})

test('a relay on a server that was made read-only is not ready', async () => {
  const relay = await startRelay({}, cluster.env)
  await cluster.withSetting('default_transaction_read_only', 'on', () =>
    answers(relay, '503 PostgreSQL accepts no writes: it is a standby or read-only'))
  await answers(relay, '200 ready')
  await relay.stop()
})

test('a relay whose role may not use the output plugin logs the call that fixes that', async t => {
  const role = process.env.CONVERGE_TEST_ROLE
  if (await sql("SELECT count(*) FROM pg_settings WHERE name = 'output_plugin_libraries'", cluster.env) === '0') {
    t.skip('this server lets every plugin decode')
    return
  }
  t.after(() => sql(`ALTER ROLE ${role} RESET output_plugin_libraries`, cluster.env))
  await sql(`ALTER ROLE ${role} SET output_plugin_libraries = pgoutput`, cluster.env)
  const relay = await new Relay({}, cluster.env).listening()
  await answers(relay, '503 no replication stream from PostgreSQL')
  await until('the log to say what helps', () => relay.log().includes(
    `stream: no connection: library "converge" may not be used as an output plugin; SELECT converge.allow_relay('${role}') grants the missing privilege`))
  await sql(`SELECT converge.allow_relay('${role}')`, cluster.env)
  await answers(relay, '200 ready')
  await relay.stop()
})

test('a relay whose server hangs is not ready', async () => {
  const relay = await startRelay({ writers: 1, readers: 1 }, cluster.env)
  for (const name of ['reader 1', 'writer 1', 'health']) {
    const backend = Number(new RegExp(`${name}: connected to PostgreSQL, backend (\\d+)`).exec(relay.log())[1])
    process.kill(backend, 'SIGSTOP')
    try {
      await answers(relay, '503 PostgreSQL does not answer')
    } finally {
      process.kill(backend, 'SIGCONT')
    }
    await answers(relay, '200 ready')
  }
  await relay.stop()
})

test('a relay whose stream is far behind is not ready', async () => {
  const relay = await startRelay({ 'ready-lag': 1 }, cluster.env)
  const doc = await createDocument('', { env: cluster.env })
  const walsender = Number(await sql("SELECT pid FROM pg_stat_replication WHERE application_name = 'converge-relay'", cluster.env))
  process.kill(walsender, 'SIGSTOP')
  try {
    await edit(doc, ['x'], cluster.env)
    await answers(relay, '503 the replication stream is too far behind (ready-lag)')
    const metrics = await relay.metrics()
    assert.ok(metrics.replication_lag_bytes > 0 && metrics.replication_lag_seconds > 1)
  } finally {
    process.kill(walsender, 'SIGCONT')
  }
  await answers(relay, '200 ready')
  await until('the lag to be gone', async () => (await relay.metrics()).replication_lag_seconds === 0)
  await relay.stop()
})

test('writes of other databases are no lag', async () => {
  const relay = await startRelay({}, cluster.env)
  await sql('CREATE TABLE bulk AS SELECT n, repeat(n::text, 50) FROM generate_series(1, 50000) AS n', cluster.env)
  const asked = async () => (await relay.metrics())['pg_round_trip_seconds_count{statement="probe"}']
  const before = await asked()
  // each of four connections is asked
  await until('the end of the log to be looked at', async () => await asked() >= before + 12)
  await until('all of it to be passed by', async () => (await relay.metrics()).replication_lag_bytes === 0)
  await sql('DROP TABLE bulk', cluster.env)
  await relay.stop()
})

test('a relay that is shutting down is not ready', async () => {
  const relay = await startRelay({}, cluster.env)
  const doc = await createDocument('', { env: cluster.env })
  const ann = await new Raw(relay, doc).join('ann')
  const session = new Session(cluster.env)
  await session.run(`BEGIN; SELECT FROM converge.heads WHERE doc_id = '${doc}' FOR UPDATE`)
  ann.op(0, ['x'])
  await until('the edit to wait', async () => (await relay.metrics()).busy_documents_total > 0)
  // the listening socket closes, so the question goes over a connection that is there, as
  // one is that came before another that was answered
  const probe = new Bytes(relay)
  await until('a connection', () => probe.socket.readyState === 'open')
  assert.equal((await relay.get('/readyz')).status, 200)
  relay.terminate()
  await until('the relay to end', () => /shutting down on/.test(relay.log()))
  probe.write('GET /readyz HTTP/1.1\r\nHost: relay\r\n\r\n')
  await probe.end()
  assert.deepEqual(probe.statuses(), [503])
  await session.run('COMMIT')
  await ann.operation()
  await session.close()
  await relay.stop()
})
