// A primary that dies and a standby that takes its place: relays follow, clients whose
// version is not on the new timeline get a snapshot, the others go on.

import test, { afterEach, beforeEach } from 'node:test'
import assert from 'node:assert/strict'
import net from 'node:net'
import { Cluster } from './lib/cluster.mjs'
import { Crowd } from './lib/crowd.mjs'
import { content, createDocument, edit, sql } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { Relay, startRelay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

let primary, standby
beforeEach(async () => {
  primary = await Cluster.make()
  standby = await primary.standby()
})
afterEach(async () => {
  await standby.remove()
  await primary.remove()
})

const dsn = (...hosts) => `host=${hosts.join(',')} port=5432 user=${process.env.CONVERGE_TEST_ROLE} target_session_attrs=read-write`
const relayOf = options => startRelay({ dsn: dsn(primary.sockets, standby.sockets), ...options }, primary.env)

// The standby has everything that was committed.
async function replicated () {
  const lsn = await sql('SELECT pg_current_wal_flush_lsn()', primary.env)
  await until('the standby to follow', async () => await sql(`SELECT pg_last_wal_replay_lsn() >= '${lsn}'`, standby.env) === 't')
}

// The standby gets nothing any more.
async function cut () {
  await sql("ALTER SYSTEM SET primary_conninfo = ''", standby.env)
  await sql('SELECT pg_reload_conf()', standby.env)
  await until('the standby to be cut off', async () => await sql("SELECT count(*) FROM pg_stat_replication WHERE application_name = 'walreceiver'", primary.env) === '0')
}

test('nothing was lost: clients stay connected and go on', async () => {
  const doc = await createDocument('', { env: primary.env })
  const relay = await relayOf()
  const ann = await new Raw(relay, doc).join('ann')
  ann.op(0, ['before '])
  await ann.operation()
  await replicated()
  await primary.crash()
  const id = ann.op(1, [7, 'meanwhile '])
  await standby.promote()
  assert.equal((await ann.operation()).operationId, id)
  await edit(doc, ['after '], standby.env)
  assert.equal((await ann.operation()).version, 3)
  assert.equal(await content(doc, standby.env), 'after before meanwhile ')
  assert.equal((await relay.metrics()).rooms_lost_total, 0)
  ann.end()
  await relay.stop()
})

for (const [what, others] of [['and the versions are free', 0], ['and the versions are others\' now', 2], ['and there are more than before', 5]]) {
  test(`the last commits were lost, ${what}: a snapshot for the clients that saw them, the others go on`, async () => {
    const [doc, quiet] = [await createDocument('', { env: primary.env }), await createDocument('', { env: primary.env })]
    const relay = await relayOf()
    const ann = await new Raw(relay, doc).join('ann')
    const cleo = await new Raw(relay, quiet).join('cleo')
    cleo.op(0, ['kept'])
    const held = await cleo.operation()
    ann.op(0, ['kept '])
    const kept = await ann.operation()
    await replicated()
    await cut()
    for (const base of [1, 2]) {
      ann.op(base, [5, 'lost '])
      await ann.operation()
    }
    const ben = await new Raw(relay, doc).join('ben')
    assert.equal(ben.snapshot.content, 'kept lost lost ')
    // nothing decides but the versions: the relay looks only when all is done
    relay.process.kill('SIGSTOP')
    await primary.crash()
    await standby.promote()
    for (let n = 0; n < others; n++) await edit(doc, [5, `other ${n} `], standby.env)
    const later = ben.op(3, [15, 'made on what is lost'])
    relay.process.kill('SIGCONT')
    for (const client of [ann, ben]) {
      const error = await client.expect('error')
      assert.equal(error.code, 'restarting')
      assert.ok(error.retryAfter > 0)
      assert.equal((await client.close()).code, 1012)
    }
    await relay.ready()
    const text = await content(doc, standby.env)
    const again = await new Raw(relay, doc).join('ben', { version: 3, operationId: ben.snapshot.operationId })
    assert.deepEqual([again.joined.resumed, again.snapshot.content], [false, text])
    const offline = await new Raw(relay, doc).join('dan', { version: 1, operationId: kept.operationId })
    assert.equal(offline.joined.resumed, true)
    for (let n = 0; n < others; n++) assert.equal((await offline.operation()).version, n + 2)
    const id = again.op(1 + others, ['new '])
    for (const client of [again, offline]) assert.deepEqual([(await client.operation()).operationId], [id])
    assert.equal(await sql(`SELECT count(*) FROM converge.ops WHERE op_id = '${later}'`, standby.env), '0')
    // the document that lost nothing never noticed
    cleo.op(1, [4, ' too'])
    assert.equal((await cleo.operation()).version, held.version + 1)
    assert.equal((await relay.metrics()).rooms_lost_total, 1)
    for (const client of [again, offline, cleo]) client.end()
    await relay.stop()
  })
}

test('clients type through several relays while the standby is promoted', async () => {
  const doc = await createDocument('once upon a time ', { env: primary.env })
  const relays = [await relayOf(), await relayOf()]
  let next = 0
  const crowd = await new Crowd(doc, 4, () => relays[next++ % 2], 21).start()
  await crowd.progress()
  // everything acknowledged so far gets across; what is under way at the crash is in doubt
  crowd.pause()
  await until('nothing to be under way', () => crowd.clients.every(client => client.settled))
  await replicated()
  await primary.crash()
  crowd.resume()
  await standby.promote()
  await crowd.progress()
  await crowd.finish(standby.env)
  assert.ok(crowd.clients.every(client => client.heard.snapshot === 1))
  for (const relay of relays) await relay.stop()
})

test('if the first host never answers, the relay connects to the second', async () => {
  const taken = new Set()
  const mute = net.createServer(socket => taken.add(socket.on('error', () => {})))
  await new Promise(resolve => mute.listen(0, '127.0.0.1', resolve))
  const doc = await createDocument('there', { env: primary.env })
  const relay = await new Relay({
    dsn: `host=127.0.0.1,${primary.sockets} port=${mute.address().port},5432 user=${process.env.CONVERGE_TEST_ROLE} target_session_attrs=read-write`
  }, primary.env).listening()
  const ann = await new Raw(relay, doc).join('ann')
  assert.equal(ann.snapshot.content, 'there')
  await relay.ready()
  assert.ok(taken.size > 0)
  ann.end()
  await relay.stop()
  taken.forEach(socket => socket.destroy())
  mute.close()
})
