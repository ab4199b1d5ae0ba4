// A document's past is changed under its clients: none of them keeps what was there, none loses
// what it typed, and no cache answers with it.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import WebSocket from 'ws'
import { Client } from '../../client/src/index.js'
import { content, sql, version } from './lib/pg.mjs'
import { newId, Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { User } from './lib/rest.mjs'
import { token } from './lib/token.mjs'
import { until } from './lib/wait.mjs'

const SECRET = 'päss😀w'
const MASK = '█'.repeat(6)

let relay
before(async () => {
  await sql('CREATE EXTENSION IF NOT EXISTS pgcrypto')
  relay = await startRelay({ 'login-rate': 0 })
})
after(() => relay.stop())

// A document of ann's that ben may edit, with the secret in its past and its text.
async function secretDocument () {
  const ann = new User(relay, 'ann')
  const place = await ann.create(`it is ${SECRET}.`)
  await ann.put(`${place}/members/ben`, { role: 'editor' })
  await ann.put(`${place}/content`, { content: `it is ${SECRET}. And more.` })
  return { ann, place, doc: place.split('/').pop() }
}

test('connected clients are sent away and get the text as it is now; edits go on', async () => {
  const { ann, place, doc } = await secretDocument()
  const clients = await Promise.all(['ann', 'ben'].map(user => new Raw(relay, doc).join(user)))
  assert.match(clients[0].snapshot.content, new RegExp(SECRET))
  assert.deepEqual((await ann.post(`${place}/redact`, { content: SECRET })).body, { replaced: 6 })
  for (const [n, client] of clients.entries()) {
    assert.equal((await client.expect('error')).code, 'restarting')
    assert.equal((await client.close()).code, 1012)
    const { body } = await ann.get(`${place}/history`)
    // what it held is not resumed from
    const again = await new Raw(relay, doc).join(['ann', 'ben'][n], { version: 1, operationId: body.ops[0].operationId, life: client.joined.life })
    assert.equal(again.joined.resumed, false)
    assert.equal(again.snapshot.content, `${'x'.repeat(n)}it is ${MASK}. And more.`)
    again.op(again.joined.version, ['x'])
    assert.equal((await again.operation()).version, again.joined.version + 1)
    again.end()
  }
})

// The package's own client, which carries what it has not sent to another text; its connection can be cut.
function open (doc, user) {
  const tab = { cut: false }
  const client = new Client({
    url: `ws://127.0.0.1:${relay.port}`,
    token: () => token(user),
    WebSocket: class {
      constructor (url) {
        if (tab.cut) throw new Error('there is no network')
        tab.socket = new WebSocket(url, 'converge.v1')
        tab.socket.addEventListener('error', () => {})
        return tab.socket
      }
    }
  })
  tab.document = client.open(doc)
  tab.rejected = []
  tab.document.on('rejected', event => tab.rejected.push(event))
  return tab
}

// Everybody has the text of the server, and nothing was given back.
async function allHave (tabs, doc, text) {
  await until('every edit to be committed', () => tabs.every(({ document }) => document.pending === null))
  const last = await version(doc)
  await until('every client to be at the last version', () => tabs.every(({ document }) => document.version >= last && document.text === text))
  assert.equal(await content(doc), text)
  for (const { document, rejected } of tabs) {
    assert.deepEqual(rejected, [])
    document.release()
  }
}

const redact = doc => sql(`SET converge."user" = 'ann'; SET client_min_messages = warning; SELECT converge.pack('${doc}', 0), converge.redact('${doc}', '${SECRET}')`)

test('people who type meanwhile lose nothing, and end with one text', async () => {
  const { doc } = await secretDocument()
  const tabs = ['ann', 'ben'].map(user => open(doc, user))
  await Promise.all(tabs.map(({ document }) => document.loaded))
  for (let n = 0; n < 40; n++) {
    for (const { document } of tabs) document.edit({ from: 0, insert: 'é' })
    if (n === 20) await redact(doc)
    await new Promise(resolve => setImmediate(resolve))
  }
  await allHave(tabs, doc, `${'é'.repeat(80)}it is ${MASK}. And more.`)
})

test('a client that was away gets the text, and its unsent edit is taken once', async () => {
  const { doc } = await secretDocument()
  const tab = open(doc, 'ben')
  await tab.document.loaded
  tab.cut = true
  tab.socket.terminate()
  tab.document.edit({ from: 0, insert: 'mine ' })
  await redact(doc)
  tab.cut = false
  await allHave([tab], doc, `mine it is ${MASK}. And more.`)
})

test('a relay that reads the tables before the stream sends nobody away for good', async () => {
  const { doc } = await secretDocument()
  const tabs = Array.from({ length: 10 }, () => open(doc, 'ben'))
  await Promise.all(tabs.map(({ document }) => document.loaded))
  const done = redact(doc)
  const late = Array.from({ length: 20 }, () => open(doc, 'ann'))
  await done
  late.push(...Array.from({ length: 20 }, () => open(doc, 'ann')))
  tabs[0].document.edit({ from: 0, insert: 'é' })
  await allHave([...tabs, ...late], doc, `éit is ${MASK}. And more.`)
})

test('an ETag of before does not answer for the text of now', async () => {
  const { ann, place } = await secretDocument()
  const { headers } = await ann.get(`${place}/content?version=0`)
  const blame = await ann.get(`${place}/blame`)
  assert.equal((await ann.get(`${place}/content?version=0`, { 'if-none-match': headers.get('etag') })).status, 304)
  await ann.post(`${place}/redact`, { version: 0, from: 6, to: 12, replacement: '*' })
  const now = await ann.get(`${place}/content?version=0`, { 'if-none-match': headers.get('etag') })
  assert.deepEqual([now.status, now.body.content], [200, 'it is ******.'])
  assert.equal((await ann.get(`${place}/blame`, { 'if-none-match': blame.headers.get('etag') })).status, 200)
  assert.equal((await ann.ask('PUT', `${place}/content`, { content: 'x' }, { 'if-match': blame.headers.get('etag') })).status, 412)
  assert.equal((await ann.post(`${place}/redact`, {})).status, 400)
  assert.equal((await new User(relay, 'ben').post(`${place}/redact`, { content: 'it' })).status, 403)
})

test('a user who deletes their account is gone from the history and from the document', async () => {
  const name = `gone ${newId()}`
  const { body: { userId, token: own } } = await new User(relay).post('/v1/signup', { name, address: `${newId()}@example.org`, password: 'a good password' })
  const { ann, place, doc } = await secretDocument()
  await ann.put(`${place}/members`, { userId, role: 'editor' })
  const leaver = new User(relay, userId)
  leaver.token = own
  const alone = await leaver.create('theirs alone')
  const client = new Raw(relay, doc)
  await client.join(userId)
  client.op(1, ['by them '])
  await client.operation()
  assert.equal((await leaver.delete('/v1/me')).status, 204)
  assert.match(String((await client.close()).code), /^(4403|1012)$/)
  assert.deepEqual((await ann.get(`${place}/history`)).body.ops.map(op => op.userId), ['ann', 'erased'])
  assert.deepEqual((await ann.get(`${place}/members`)).body.members.map(m => m.userId), ['ann', 'ben'])
  assert.equal(await sql(`SELECT count(*) FROM converge.users WHERE id = '${userId}'`), '0')
  assert.equal((await leaver.get(alone)).status, 404)
  assert.equal((await leaver.get(place)).status, 403)
})
