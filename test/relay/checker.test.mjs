// The checker: PostgreSQL, relays and clients are killed while people type, and after
// every kill everything acknowledged is there once, and all texts are equal; so is what
// was said beside them.
//
//   CHECKER_S=3600 CHECKER_SEED=7 ./run checker.test.mjs     longer, or once more

import test from 'node:test'
import assert from 'node:assert/strict'
import { Cluster } from './lib/cluster.mjs'
import { Crowd } from './lib/crowd.mjs'
import { createDocument, sql } from './lib/pg.mjs'
import { random } from './lib/random.mjs'
import { Relay, startRelay } from './lib/relay.mjs'
import { Talker } from './lib/talker.mjs'
import { until } from './lib/wait.mjs'

const SECONDS = Number(process.env.CHECKER_S ?? 40)
const SEED = Number(process.env.CHECKER_SEED ?? Date.now() % 1000000)
const RELAYS = 3
const DOCUMENTS = 4
// few operations are kept ready, so that clients are served from the tables, too
const OPTIONS = { 'ring-entries': 4 }

test(`kills at random for ${SECONDS} s, seed ${SEED}`, { timeout: (SECONDS + 120) * 1000 }, async t => {
  const next = random(SEED)
  const pick = list => list[Math.floor(next() * list.length)]
  const cluster = await Cluster.make()
  t.after(() => cluster.remove())
  const { env } = cluster
  const relays = await Promise.all(Array.from({ length: RELAYS }, () => startRelay(OPTIONS, env)))
  const listen = relays.map(relay => `127.0.0.1:${relay.port}`)
  const any = () => relays[Math.floor(Math.random() * RELAYS)]
  const docs = await Promise.all(Array.from({ length: DOCUMENTS }, () => createDocument('once upon a time ', { env })))
  const crowds = await Promise.all(docs.map((doc, n) => new Crowd(doc, 4, any, SEED + n, Talker).start()))

  async function start (n) {
    relays[n] = new Relay({ ...OPTIONS, listen: listen[n] }, env)
    await relays[n].listening()
  }
  const kills = {
    async relay () {
      const n = Math.floor(next() * RELAYS)
      await relays[n].crash()
      await start(n)
    },
    async 'relay, in order' () {
      const n = Math.floor(next() * RELAYS)
      await relays[n].stop()
      await start(n)
    },
    async postgres () {
      await cluster.crash()
      await cluster.start()
    },
    async 'postgres, at once' () {
      await cluster.stop('immediate')
      await cluster.start()
    },
    async backend () {
      // PostgreSQL ends all others, too, and recovers
      const pid = await sql(`SELECT pid FROM pg_stat_activity WHERE usename = '${process.env.CONVERGE_TEST_ROLE}' ORDER BY random() LIMIT 1`, env)
      if (!pid) return
      process.kill(Number(pid), 'SIGKILL')
      const there = () => sql(`SELECT count(*) FROM pg_stat_activity WHERE pid = ${pid}`, env).catch(() => 'nobody answers')
      await until('PostgreSQL to have recovered', async () => await there() === '0')
    },
    async connections () {
      await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${process.env.CONVERGE_TEST_ROLE}' AND random() < 0.5`, env)
    },
    async clients () {
      for (const client of crowds.flatMap(crowd => crowd.clients)) if (next() < 0.5) client.socket.terminate()
    },
    async 'everything' () {
      await Promise.all([cluster.crash(), ...relays.map(relay => relay.crash())])
      await Promise.all(relays.map((relay, n) => start(n)))
      await cluster.start()
    }
  }

  // Accepted suggestions are operations that no client submitted.
  async function check () {
    let said = 0
    for (const crowd of crowds) {
      crowd.pause()
      await until('everything said to be answered', () => crowd.clients.every(client => client.settled))
      const accepted = await sql(`SELECT count(*) FROM converge.suggestions WHERE doc_id = '${crowd.doc}' AND status = 'accepted'`, env)
      await crowd.check(env, Number(accepted))
      said += await crowd.checkTalk(env)
      assert.equal(await sql(`SELECT string_agg(problem, '; ') FROM converge.verify('${crowd.doc}')`, env), '')
    }
    return said
  }

  const end = Date.now() + SECONDS * 1000
  const killed = {}
  // each kind once, then at random
  for (let kinds = Object.keys(kills); kinds.length > 0 || Date.now() < end;) {
    const kind = kinds.length > 0 ? kinds.splice(Math.floor(next() * kinds.length), 1)[0] : pick(Object.keys(kills))
    await Promise.all(crowds.map(crowd => crowd.progress(5)))
    await kills[kind]()
    killed[kind] = (killed[kind] ?? 0) + 1
    await Promise.all(crowds.map(crowd => crowd.progress(5)))
    await check()
    crowds.forEach(crowd => crowd.resume())
  }
  const said = await check()
  crowds.forEach(crowd => crowd.clients.forEach(client => client.leave()))
  const clients = crowds.flatMap(crowd => crowd.clients)
  t.diagnostic(`killed: ${JSON.stringify(killed)}; ${clients.reduce((sum, client) => sum + client.acknowledged.length, 0)} operations acknowledged, ${said} comments, suggestions, decisions and messages`)
  assert.ok(clients.every(client => client.heard.snapshot === 1), 'a client had to begin anew, and nothing was lost')
  for (const relay of relays) await relay.stop()
})
