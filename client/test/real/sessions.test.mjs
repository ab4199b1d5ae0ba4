// Seeded random sessions over a real relay and PostgreSQL: people type, connections break,
// relays are killed and so is PostgreSQL, tabs crash and come back from storage. At the end
// all texts are the server's, which its history and `verify` agree with, and everything
// that was said to be committed is in, once.
//
//   ./run [file.test.mjs ...]        CLIENT_SESSIONS=300 ./run sessions.test.mjs for more

import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import WebSocket from 'ws'
import { Client } from '../../src/index.js'
import { indexeddb } from '../../src/indexeddb.js'
import { Cluster } from '../../../test/relay/lib/cluster.mjs'
import { createDocument, sql, version } from '../../../test/relay/lib/pg.mjs'
import { startRelay } from '../../../test/relay/lib/relay.mjs'
import { token } from '../../../test/relay/lib/token.mjs'
import { until } from '../../../test/relay/lib/wait.mjs'
import { random } from '../lib/random.mjs'

globalThis.IDBKeyRange = IDBKeyRange
const COUNT = Number(process.env.CLIENT_SESSIONS ?? 12)
const FROM = Number(process.env.CLIENT_SEED ?? 1)

let cluster
let relays = []
before(async () => {
  cluster = await Cluster.make()
  relays = await Promise.all([0, 1].map(() => start()))
})
after(async () => {
  for (const relay of relays) await relay.crash()
  await cluster.remove()
})

const start = () => startRelay({ dsn: `host=${cluster.sockets} port=5432 dbname=postgres user=${process.env.CONVERGE_TEST_ROLE}` }, cluster.env)

/** A person's tab: a client that finds whatever relay there is, and can be crashed. */
class Tab {
  constructor (session, user) {
    Object.assign(this, { session, user, dead: false, sockets: new Set() })
    const tab = this
    this.client = new Client({
      url: 'ws://relay.invalid',
      token: () => token(user),
      storage: indexeddb({ indexedDB: session.disk }),
      // the relay of the moment; a crashed tab hears nothing
      WebSocket: class {
        constructor (url) {
          const at = relays[session.random.below(relays.length)]
          const socket = new WebSocket(url.replace('relay.invalid', `127.0.0.1:${at.port}`), 'converge.v1')
          tab.sockets.add(socket)
          socket.addEventListener('error', () => {})
          socket.addEventListener('close', () => tab.sockets.delete(socket))
          return socket
        }
      }
    })
    this.document = this.client.open(session.doc)
    this.document.on('rejected', event => session.rejected.push(event))
  }

  /** All connections of it break. */
  cut () { for (const socket of this.sockets) socket.terminate() }
}

/** One session: a document and those who have it open. */
class Session {
  constructor (seed) {
    this.random = random(seed)
    this.disk = new IDBFactory()
    this.rejected = []
    this.committed = []
    this.count = 0
  }

  async run () {
    this.doc = await createDocument('a beginning 😀\n', { env: cluster.env })
    this.tabs = ['ann', 'ben', 'cleo'].map(user => new Tab(this, user))
    await Promise.all(this.tabs.map(({ document }) => document.loaded))
    for (let n = 0; n < 120; n++) {
      await this.step()
      if (this.random.below(3) === 0) await new Promise(resolve => setTimeout(resolve, this.random.below(12)))
    }
    await this.end()
  }

  async step () {
    const tab = this.random.pick(this.tabs)
    const draw = this.random.below(100)
    if (draw < 75) this.type(tab)
    else if (draw < 80) tab.document.undo()
    else if (draw < 83) tab.document.redo()
    else if (draw < 90) tab.cut()
    else if (draw === 90 && relays.length > 1) await this.killRelay()
    else if (draw === 91 && this.random.below(4) === 0) await this.killPostgres()
  }

  type ({ document }) {
    if (document.sync.state === null) return
    const from = this.random.below(document.length + 1)
    const to = this.random.below(4) ? from : Math.min(document.length, from + this.random.below(5))
    const edit = document.edit({ from, to, insert: this.random.text(4) })
    edit.committed.then(committed => this.committed.push(committed), error => { this.failure ??= error })
  }

  async killRelay () {
    const [dead] = relays.splice(this.random.below(relays.length), 1)
    await dead.crash()
    relays.push(await start())
  }

  async killPostgres () {
    await cluster.crash()
    await cluster.start()
  }

  async end () {
    await until('every edit to be committed', () => this.tabs.every(({ document }) => document.pending === null), 120_000)
    const last = await version(this.doc, cluster.env)
    await until('every client to be at the last version', () => this.tabs.every(({ document }) => document.version >= last))
    // in hex, since psql leaves out what it takes for unprintable
    const text = Buffer.from(await sql(`SELECT encode(convert_to(converge.content('${this.doc}'), 'UTF8'), 'hex')`, cluster.env), 'hex').toString()
    for (const { user, document } of this.tabs) assert.equal(document.text, text, `${user}'s text`)
    assert.deepEqual(this.rejected, [])
    assert.equal(this.failure, undefined)
    const ids = (await sql(`SELECT string_agg(op_id::text, ' ') FROM converge.ops WHERE doc_id = '${this.doc}'`, cluster.env)).split(' ')
    for (const { operationId } of this.committed) if (operationId !== null) assert.ok(ids.includes(operationId), `${operationId} is in the history`)
    assert.equal(new Set(ids).size, ids.length)
    assert.equal(await sql(`SELECT count(*) FROM converge.verify('${this.doc}')`, cluster.env), '0')
    await Promise.all(this.tabs.map(({ client }) => client.close()))
  }
}

for (let seed = FROM; seed < FROM + COUNT; seed++) {
  test(`session ${seed} ends with one text, and all that was committed is in`, async () => {
    await new Session(seed).run()
  })
}
