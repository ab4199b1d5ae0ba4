// Relays that follow a part of the documents: any client at any of them.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { Cluster } from './lib/cluster.mjs'
import { Crowd } from './lib/crowd.mjs'
import { createDocument, edit, sql } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

const SHARDS = 4
const FOLLOWED = [[0, 2], [1, 3]]

let cluster, relays
before(async () => {
  cluster = await Cluster.make()
  relays = await Promise.all(FOLLOWED.map(shard => startRelay({ shards: SHARDS, shard }, cluster.env)))
})
after(async () => {
  for (const relay of relays) await relay.stop()
  await cluster.remove()
})

// The shards that the output plugin finds documents in, by what it shows of them.
async function shardsOf (docs) {
  const found = new Map()
  for (let shard = 0; shard < SHARDS; shard++) {
    const name = `shard_${shard}`
    await sql(`SELECT pg_create_logical_replication_slot('${name}', 'converge')`, cluster.env)
  }
  for (const doc of docs) await edit(doc, ['x'], cluster.env)
  for (let shard = 0; shard < SHARDS; shard++) {
    const name = `shard_${shard}`
    const lines = await sql(`SELECT data FROM pg_logical_slot_get_changes('${name}', NULL, NULL, 'shards', '${SHARDS}', 'shard', '${shard}')`, cluster.env)
    for (const line of lines.split('\n').filter(Boolean)) found.set(JSON.parse(line).documentId, shard)
    await sql(`SELECT pg_drop_replication_slot('${name}')`, cluster.env)
  }
  return found
}

test('the relay and the output plugin divide documents alike', async () => {
  const docs = await Promise.all(Array.from({ length: 16 }, () => createDocument('', { env: cluster.env })))
  const shards = await shardsOf(docs)
  assert.equal(shards.size, docs.length)
  assert.ok(new Set(shards.values()).size > 1)
  for (const doc of docs) {
    const here = FOLLOWED[0].includes(shards.get(doc)) ? 0 : 1
    const clients = await Promise.all(relays.map(relay => new Raw(relay, doc).join('ann')))
    // only what the stream brought has a time of commit
    const streamed = () => Promise.all(relays.map(async relay => (await relay.metrics()).commit_to_send_seconds_count))
    const before = await streamed()
    await edit(doc, ['y'], cluster.env)
    for (const client of clients) assert.equal((await client.operation()).version, 2)
    const after = await streamed()
    assert.deepEqual([after[here] - before[here], after[1 - here] - before[1 - here]], [1, 0])
    clients.forEach(client => client.end())
    for (const relay of relays) await until('the room to be empty', async () => (await relay.metrics()).rooms === 0)
  }
})

test('clients type into one document through every relay, with and without shards', async () => {
  const whole = await startRelay({}, cluster.env)
  const all = [...relays, whole]
  let next = 0
  const docs = await Promise.all(Array.from({ length: 6 }, () => createDocument('once upon a time ', { env: cluster.env })))
  const crowds = await Promise.all(docs.map((doc, n) => new Crowd(doc, 3, () => all[next++ % 3], 50 + n).start()))
  await Promise.all(crowds.map(crowd => crowd.progress(60)))
  for (const crowd of crowds) await crowd.finish(cluster.env)
  await whole.stop()
})

test('a client that may no longer read is closed, on every relay', async () => {
  const docs = await Promise.all(Array.from({ length: 6 }, () => createDocument('', { env: cluster.env })))
  const clients = await Promise.all(docs.flatMap(doc => relays.map(relay => new Raw(relay, doc).join('ann'))))
  await sql(`SELECT converge.unshare(id, '*') FROM converge.documents WHERE id IN (${docs.map(doc => `'${doc}'`)})`, cluster.env)
  for (const client of clients) assert.equal((await client.close()).code, 4403)
})

test('shards that do not exist', () => {
  for (const [args, says] of [
    [['--shards', '4', '--shard', '4'], /shard: "4" is not a whole number from 0 to 3/],
    [['--shard', '1'], /shard: "1" is not a whole number from 0 to 0/],
    [['--shards', '4', '--shard', '1,x'], /shard: "x" is not/],
    [['--shards', '5000'], /shards: "5000" is not a whole number from 1 to 4096/]
  ]) {
    const { status, stderr } = spawnSync(process.env.CONVERGE_TEST_BIN, [...args, '--jwt-key', 'none'], { encoding: 'utf8' })
    assert.equal(status, 2)
    assert.match(stderr, says)
  }
})
