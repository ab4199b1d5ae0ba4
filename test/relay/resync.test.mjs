// What changes without a row that tells it: a member deleted where the log has no key of his
// row, tables emptied, the extension dropped. The stream says that something did, and the
// relay asks the tables about everybody.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { Cluster } from './lib/cluster.mjs'
import { createDocument, edit, quote, sql } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { token } from './lib/token.mjs'
import { until } from './lib/wait.mjs'

const ROLE = process.env.CONVERGE_TEST_ROLE
const MEMBERS = { ann: 'editor', ben: 'editor', cleo: 'viewer' }

let cluster
before(async () => { cluster = await Cluster.make() })
after(() => cluster.remove())

const run = statement => sql(statement, cluster.env)
const create = () => run(`SELECT doc FROM converge.create_document('a title', 'é') AS doc,
  LATERAL (SELECT ${Object.entries(MEMBERS).map(([user, role]) => `converge.share(doc, ${quote(user)}, '${role}')`).join(', ')}) AS shared`)

// A document, everybody in it, and the relay they are at.
async function scene (use) {
  const doc = await create()
  const relay = await startRelay({}, cluster.env)
  const clients = {}
  for (const user of Object.keys(MEMBERS)) clients[user] = await new Raw(relay, doc).join(user)
  try {
    await use({ doc, relay, ...clients })
  } finally {
    for (const client of Object.values(clients)) client.end()
    await relay.stop()
  }
}

// A client was closed with this code, and this error before.
async function ended (client, error, code) {
  assert.equal((await client.expect('error')).code, error)
  assert.equal((await client.close()).code, code)
}

// An edit by one client comes to another.
async function passes (from, to, version) {
  from.op(version - 1, ['x'])
  assert.equal((await from.operation()).version, version)
  if (to) assert.equal((await to.operation()).version, version)
}

// Change how rows of members are known in the log, while something is done.
async function withIdentity (identity, use) {
  await run(`ALTER TABLE converge.members REPLICA IDENTITY ${identity}`)
  try {
    await use()
  } finally {
    await run('ALTER TABLE converge.members REPLICA IDENTITY DEFAULT')
  }
}

for (const identity of ['NOTHING', 'FULL', 'USING INDEX by_role']) {
  test(`a member who is deleted under REPLICA IDENTITY ${identity} is closed, and nobody else`, async () => {
    await run('CREATE UNIQUE INDEX IF NOT EXISTS by_role ON converge.members (role, created_at)')
    await withIdentity(identity, () => scene(async ({ doc, relay, ann, ben, cleo }) => {
      await run(`DELETE FROM converge.members WHERE doc_id = '${doc}' AND user_id = 'ben'`)
      await ended(ben, 'forbidden', 4403)
      await passes(ann, cleo, 1)
      await run(`SELECT converge.unshare('${doc}', 'cleo')`)
      await ended(cleo, 'forbidden', 4403)
      assert.equal((await relay.metrics()).stream_resyncs_total > 0, identity !== 'FULL')
    }))
    await run('DROP INDEX converge.by_role')
  })
}

test('a row of members that becomes another user\'s takes the right from the first', async () => {
  await scene(async ({ doc, ann, ben, cleo }) => {
    await run(`UPDATE converge.members SET user_id = 'dan' WHERE doc_id = '${doc}' AND user_id = 'ben'`)
    await ended(ben, 'forbidden', 4403)
    await passes(ann, cleo, 1)
  })
})

test('a member who is deleted as logical replication does it is closed', async () => {
  await scene(async ({ doc, ann, ben, cleo }) => {
    await run(`SELECT pg_replication_origin_create('elsewhere')`)
    await run(`BEGIN; SELECT pg_replication_origin_session_setup('elsewhere'); SET LOCAL session_replication_role = replica;
      DELETE FROM converge.members WHERE doc_id = '${doc}' AND user_id = 'ben'; COMMIT`)
    await ended(ben, 'forbidden', 4403)
    await passes(ann, cleo, 1)
  })
})

test('who joins while it cannot be seen yet that they were deleted is closed when it can', async () => {
  await withIdentity('NOTHING', () => scene(async ({ doc, relay, ann, ben }) => {
    let gone
    const late = await new Raw(relay, doc).opened()
    await cluster.withCommitsWaiting(async () => {
      gone = run(`DELETE FROM converge.members WHERE doc_id = '${doc}' AND user_id = 'ben'`)
      await until('the stream to say so', async () => (await relay.metrics()).stream_resyncs_total > 0)
      assert.equal(await run(`SELECT converge.role_in('ben', '${doc}')`), 'editor')
      late.send({ type: 'hello', token: token('ben') })
      await until('the join to be asked for', async () => (await relay.metrics())['pg_round_trip_seconds_count{statement="join"}'] > 3)
    })
    await gone
    await ended(ben, 'forbidden', 4403)
    for (const type of ['joined', 'snapshot']) await late.expect(type)
    await ended(late, 'forbidden', 4403)
    await passes(ann, null, 1)
  }))
})

test('TRUNCATE of members closes everybody', async () => {
  await scene(async ({ ann, ben, cleo }) => {
    await run('TRUNCATE converge.members')
    for (const client of [ann, ben, cleo]) await ended(client, 'forbidden', 4403)
  })
})

test('TRUNCATE of everything closes everybody, and the relay serves what comes then', async () => {
  await scene(async ({ relay, ann, ben, cleo }) => {
    await run('TRUNCATE converge.documents, converge.heads, converge.members, converge.ops, converge.packs, converge.snapshots, converge.undos')
    for (const client of [ann, ben, cleo]) await ended(client, 'not_found', 4404)
    const doc = await createDocument('', { env: cluster.env })
    const [dan, eve] = [await new Raw(relay, doc).join('dan'), await new Raw(relay, doc).join('eve')]
    await passes(dan, eve, 1)
    dan.end()
    eve.end()
  })
})

test('a log that was emptied is not gone on with', async () => {
  await scene(async ({ doc, ann, cleo, relay }) => {
    await passes(ann, cleo, 1)
    await run('TRUNCATE converge.ops')
    await ended(cleo, 'restarting', 1012)
    assert.equal((await relay.metrics()).rooms_lost_total, 1)
  })
})

test('DROP EXTENSION: nothing is shown, and with the extension made anew the relay goes on', async () => {
  await scene(async ({ relay, ann, ben, cleo }) => {
    await run('DROP EXTENSION converge')
    await until('the stream to say so', async () => (await relay.metrics()).stream_resyncs_total === 1)
    await run(`CREATE EXTENSION converge; SELECT converge.allow_relay('${ROLE}')`)
    for (const client of [ann, ben, cleo]) await ended(client, 'not_found', 4404)
    await relay.ready()
    const doc = await createDocument('', { env: cluster.env })
    const [dan, eve] = [await new Raw(relay, doc).join('dan'), await new Raw(relay, doc).join('eve')]
    await passes(dan, eve, 1)
    await edit(doc, ['y'], cluster.env)
    assert.equal((await eve.operation()).version, 2)
    dan.end()
    eve.end()
  })
})
