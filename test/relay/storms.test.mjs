// Connections to PostgreSQL that can be made and are then refused what they are for: the
// relay comes back more and more slowly, says once why, and works again when it may.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { Cluster } from './lib/cluster.mjs'
import { createDocument, edit, sql } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { Relay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

const ROLE = process.env.CONVERGE_TEST_ROLE
const ATTEMPTS = 8
// half of each pause before the last attempt: 50, 100, 200, 400, 800, 1600, 3000 ms
const LEAST_MS = 25 + 50 + 100 + 200 + 400 + 800 + 1500

let cluster
before(async () => { cluster = await Cluster.make() })
after(() => cluster.remove())

const run = statement => sql(statement, cluster.env)
const has = async name => await run(`SELECT count(*) FROM pg_settings WHERE name = '${name}'`) === '1'

const grant = (verb, what) => run(`${verb} EXECUTE ON FUNCTION converge.${what} ${verb === 'GRANT' ? 'TO' : 'FROM'} ${ROLE}`)

const TROUBLES = [
  {
    what: 'output plugins are restricted to others',
    needs: () => has('output_plugin_libraries'),
    links: 1,
    subject: 'stream',
    says: /converge/,
    make: () => run(`ALTER ROLE ${ROLE} SET output_plugin_libraries = 'pgoutput'`),
    mend: () => run(`SELECT converge.allow_relay('${ROLE}')`)
  },
  {
    what: 'transactions are read-only',
    links: 1,
    subject: 'presence',
    says: /read-only/,
    make: () => run(`ALTER ROLE ${ROLE} SET default_transaction_read_only = on`),
    mend: () => run(`ALTER ROLE ${ROLE} RESET default_transaction_read_only`),
    disconnects: true
  },
  {
    what: 'the table of presence is not there',
    links: 1,
    subject: 'presence',
    says: /presence/,
    make: () => run('ALTER TABLE converge.presence RENAME TO other'),
    mend: () => run('ALTER TABLE converge.other RENAME TO presence')
  },
  {
    what: 'a function may not be called by presence',
    links: 1,
    subject: 'presence',
    says: /begin_presence.*allow_relay/,
    make: () => grant('REVOKE', 'begin_presence(uuid, integer)'),
    mend: () => grant('GRANT', 'begin_presence(uuid, integer)')
  },
  {
    what: 'a function may not be called by readers',
    links: 3,
    subject: 'reader 1',
    says: /join_document.*allow_relay/,
    make: () => grant('REVOKE', 'join_document(text, uuid, bigint, uuid, uuid, uuid, bigint)'),
    mend: () => grant('GRANT', 'join_document(text, uuid, bigint, uuid, uuid, uuid, bigint)')
  },
  {
    what: 'a function may not be called by writers',
    links: 4,
    subject: 'writer 1',
    says: /submit.*allow_relay/,
    make: () => grant('REVOKE', 'submit(uuid[], text[], uuid[], bigint[], text[], boolean, uuid[])'),
    mend: () => grant('GRANT', 'submit(uuid[], text[], uuid[], bigint[], text[], boolean, uuid[])')
  },
  {
    what: 'a function may not be called by callers',
    links: 4,
    subject: 'caller 1',
    says: /become.*allow_relay/,
    make: () => grant('REVOKE', 'become(text)'),
    mend: () => grant('GRANT', 'become(text)')
  },
  {
    what: 'the role may not replicate',
    links: 1,
    subject: 'stream',
    says: /replication|REPLICATION/,
    make: () => run(`ALTER ROLE ${ROLE} NOREPLICATION`),
    mend: () => run(`ALTER ROLE ${ROLE} REPLICATION`)
  },
  {
    what: 'there are no more connections',
    links: 13,
    subject: 'writer 1',
    says: /too many connections/,
    make: () => run(`ALTER ROLE ${ROLE} CONNECTION LIMIT 0`),
    mend: () => run(`ALTER ROLE ${ROLE} CONNECTION LIMIT -1`)
  }
]

for (const { what, needs, links, subject, says, make, mend, disconnects } of TROUBLES) {
  test(what, async t => {
    if (needs && !await needs()) return t.skip('this server has no such setting')
    const doc = await createDocument('', { env: cluster.env })
    const relay = new Relay({ 'log-level': 'info' }, cluster.env)
    let began
    try {
      await make()
      began = performance.now()
      await relay.listening()
      const lost = async () => (await relay.metrics()).pg_reconnects_total
      await until(`attempt ${ATTEMPTS}`, async () => await lost() >= links * ATTEMPTS, 300_000)
      assert.ok(performance.now() - began >= LEAST_MS, `${ATTEMPTS} attempts in ${performance.now() - began} ms`)
      const lines = relay.log().split('\n').filter(line => line.includes(` ${subject}: `))
      assert.equal(lines.filter(line => /no connection/.test(line)).length, 1, lines.join('\n'))
      assert.ok(lines.filter(line => /connected to PostgreSQL|following/.test(line)).length <= 1, lines.join('\n'))
      assert.match(lines.join('\n'), says)
    } finally {
      await mend()
    }
    if (disconnects) await run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${ROLE}' AND backend_type = 'client backend'`)
    await relay.ready()
    const ann = await new Raw(relay, doc).join('ann')
    const ben = await new Raw(relay, doc).join('ben')
    await edit(doc, ['one '], cluster.env)
    for (const client of [ann, ben]) assert.equal((await client.operation()).version, 1)
    await until('presence to be shown in SQL', async () => await run('SELECT count(*) FROM converge.presence') === '2')
    ann.end()
    ben.end()
    await relay.stop()
  })
}

test('a stream that fails on an event reconnects with growing pauses', async () => {
  // each connection is made, the slot too, and the first change ends it
  const relay = await new Relay({ 'log-level': 'info' }, cluster.env).ready()
  const doc = await createDocument('', { env: cluster.env })
  const lost = async () => (await relay.metrics()).pg_reconnects_total
  const began = performance.now()
  const cutting = new Promise((resolve, reject) => {
    const cut = async () => {
      await run('SELECT pg_terminate_backend(pid) FROM pg_stat_replication')
      if (await lost() < ATTEMPTS) setTimeout(() => cut().catch(reject), 0)
      else resolve()
    }
    cut().catch(reject)
  })
  await cutting
  assert.ok(performance.now() - began >= LEAST_MS / 2)
  const lines = relay.log().split('\n').filter(line => / stream: no connection/.test(line))
  assert.ok(lines.length <= 3, lines.join('\n'))
  await relay.ready()
  const ann = await new Raw(relay, doc).join('ann')
  await edit(doc, ['x'], cluster.env)
  assert.equal((await ann.operation()).version, 1)
  ann.end()
  await relay.stop()
})

test('a connection that has done work reconnects at once', async () => {
  const relay = await new Relay({ 'log-level': 'info' }, cluster.env).ready()
  const doc = await createDocument('', { env: cluster.env })
  const ann = await new Raw(relay, doc).join('ann')
  for (let n = 0; n < 3; n++) {
    ann.op(n, ['x'])
    await ann.operation()
    await until('the stream to have been there for a while', async () => await run("SELECT bool_and(backend_start < now() - interval '1.1 s') FROM pg_stat_activity WHERE backend_type = 'walsender'") === 't')
    const before = (await relay.metrics()).pg_reconnects_total
    await run('SELECT pg_terminate_backend(pid) FROM pg_stat_replication')
    await until('the loss', async () => (await relay.metrics()).pg_reconnects_total > before)
    await relay.ready()
  }
  const lines = relay.log().split('\n').filter(line => / stream: /.test(line))
  assert.equal(lines.filter(line => /connected to PostgreSQL/.test(line)).length, 4)
  ann.end()
  await relay.stop()
})
