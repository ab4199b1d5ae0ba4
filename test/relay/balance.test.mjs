// Several relays behind HAProxy, with the very configuration that deploy/ has.

import test, { afterEach, before, beforeEach } from 'node:test'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import { Cluster } from './lib/cluster.mjs'
import { Crowd } from './lib/crowd.mjs'
import { createDocument } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { until, within } from './lib/wait.mjs'

const PROGRAM = ['/usr/sbin/haproxy', '/usr/local/sbin/haproxy'].find(place => fs.existsSync(place)) ?? 'haproxy'
const CONFIGURATION = new URL('../../deploy/haproxy.cfg', import.meta.url).pathname

async function freePort () {
  const server = net.createServer()
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise(resolve => server.close(resolve))
  return port
}

class Balancer {
  // Start it before these relays, and wait until it finds them all ready.
  static async start (relays) {
    const balancer = new Balancer()
    balancer.port = await freePort()
    const env = { ...process.env, LISTEN: `127.0.0.1:${balancer.port}` }
    relays.forEach((relay, n) => { env[`RELAY_${n + 1}`] = `127.0.0.1:${relay.port}` })
    balancer.process = spawn(PROGRAM, ['-db', '-f', CONFIGURATION], { env, stdio: ['ignore', 'ignore', 'inherit'] })
    balancer.ended = new Promise(resolve => balancer.process.once('exit', resolve))
    process.on('exit', () => balancer.process.kill('SIGKILL'))
    await until('the balancer to pass something on', () => {
      if (balancer.process.exitCode !== null) throw new Error('the balancer did not start')
      return fetch(`http://127.0.0.1:${balancer.port}/healthz`).then(answer => answer.status === 200, () => false)
    })
    return balancer
  }

  async stop () {
    this.process.kill('SIGTERM')
    await within('the balancer to end', this.ended)
  }
}

let relays, balancer, cluster
before(async () => { cluster = await Cluster.make() })
beforeEach(async () => {
  relays = [await startRelay({}, cluster.env), await startRelay({}, cluster.env)]
  balancer = await Balancer.start(relays)
})
afterEach(async () => {
  await balancer.stop()
  for (const relay of relays) if (!relay.exit) await relay.stop()
})
test.after(() => cluster.remove())

test('clients of a document meet at one relay, and documents are spread', async () => {
  const docs = await Promise.all(Array.from({ length: 24 }, () => createDocument('', { env: cluster.env })))
  const clients = await Promise.all(docs.flatMap(doc => ['ann', 'ben', 'cleo'].map(user => new Raw(balancer, doc).join(user))))
  const rooms = await Promise.all(relays.map(async relay => (await relay.metrics()).rooms))
  assert.equal(rooms[0] + rooms[1], docs.length, 'a document is at two relays')
  assert.ok(rooms[0] > 0 && rooms[1] > 0, `all are at one: ${rooms}`)
  clients.forEach(client => client.end())
})

test('edits cross where clients do not meet', async () => {
  const doc = await createDocument('', { env: cluster.env })
  const [ann, ben] = await Promise.all(relays.map((relay, n) => new Raw(relay, doc).join(['ann', 'ben'][n])))
  for (let n = 0; n < 10; n++) {
    const id = [ann, ben][n % 2].op(n, ['x'])
    for (const client of [ann, ben]) assert.equal((await client.operation()).operationId, id)
  }
  ann.end()
  ben.end()
})

test('what operators read is not passed on', async () => {
  assert.equal((await fetch(`http://127.0.0.1:${balancer.port}/metrics`)).status, 403)
})

// Documents that people type into through the balancer, at least one at each relay.
async function crowds () {
  const docs = await Promise.all(Array.from({ length: 12 }, () => createDocument('once upon a time ', { env: cluster.env })))
  return Promise.all(docs.map((doc, n) => new Crowd(doc, 2, () => balancer, 100 + n).start()))
}

for (const [how, end] of [['killed', relay => relay.crash()], ['ended', relay => relay.stop()]]) {
  test(`a relay is ${how}: its clients go to the other, and everything acknowledged is there once`, async () => {
    const all = await crowds()
    const before = (await relays[1].metrics()).rooms
    assert.ok(before < all.length)
    await Promise.all(all.map(crowd => crowd.progress(5)))
    await end(relays[0])
    await until('everybody to be at the other', async () => (await relays[1].metrics()).rooms === all.length)
    await Promise.all(all.map(crowd => crowd.progress(5)))
    for (const crowd of all) await crowd.finish(cluster.env)
  })
}

test('clients come back when both relays were gone', async () => {
  const doc = await createDocument('once upon a time ', { env: cluster.env })
  const crowd = await new Crowd(doc, 3, () => balancer, 7).start()
  await crowd.progress()
  const listen = relays.map(relay => `127.0.0.1:${relay.port}`)
  for (const relay of relays) await relay.crash()
  relays = await Promise.all(listen.map(place => startRelay({ listen: place }, cluster.env)))
  await crowd.progress()
  await crowd.finish(cluster.env)
})
