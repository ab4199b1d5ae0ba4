// The reviewer, as the command that it is, at a real text over a real relay and PostgreSQL:
// it shows what it does, what it says stands where it belongs although others write meanwhile,
// and is there once, though it is killed between two remarks. Only the endpoint is a stand-in.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import WebSocket from 'ws'
import { comment, completion, partOf, StandIn, suggestion } from '../../reviewer/test/lib/standin.mjs'
import { Client } from '../../src/index.js'
import { rest } from '../../src/rest.js'
import { ROUTES } from '../../src/rest_routes.js'
import { Cluster } from '../../../test/relay/lib/cluster.mjs'
import { startRelay } from '../../../test/relay/lib/relay.mjs'
import { token } from '../../../test/relay/lib/token.mjs'
import { until } from '../../../test/relay/lib/wait.mjs'

const skip = 'comment' in ROUTES ? false : 'the relay has no routes for comments'
const CLI = fileURLToPath(new URL('../../reviewer/cli.js', import.meta.url))
const TEXT = `${fs.readFileSync(new URL('../../LICENSE', import.meta.url), 'utf8')}
Zoë 😀 asks: cafe\u0301 or caf\u00e9, whichever is writen here, and here whichever is writen too?
`
/** What the endpoint says of each part that has the quote. */
const REMARKS = [
  comment('without fee', 'Say for which uses.'),
  suggestion('hereby granted', 'granted'),
  comment('ANY PARTY', 'Who is meant?'),
  suggestion('writen', 'written', { before: 'whichever is', after: 'here,' }),
  comment('caf\u00e9', 'Two ways of writing it.'),
  comment('not in this text', 'planted'),
  comment('AS IS', 'see https://evil.invalid')
]

let cluster
let relay
before(async () => {
  if (skip) return
  cluster = await Cluster.make()
  relay = await startRelay({ dsn: `host=${cluster.sockets} port=5432 dbname=postgres user=${process.env.CONVERGE_TEST_ROLE}` }, cluster.env)
})
after(async () => {
  await relay?.crash()
  await cluster?.remove()
})

/** The way to the relay; `seen` is called with each request that it has answered, and the answer waits for it. */
class Way {
  asked = 0

  async open (seen = async () => {}) {
    this.server = http.createServer((request, response) => {
      const onward = http.request({ port: relay.port, method: request.method, path: request.url, headers: request.headers }, async answer => {
        const chunks = []
        for await (const chunk of answer) chunks.push(chunk)
        await seen(++this.asked, answer.statusCode)
        response.writeHead(answer.statusCode, answer.headers).end(Buffer.concat(chunks))
      })
      request.pipe(onward)
    })
    this.server.on('upgrade', (request, socket, head) => {
      const onward = net.connect(relay.port)
      const headers = request.rawHeaders.map((value, i) => i % 2 === 0 ? `\r\n${value}: ` : value).join('')
      onward.write(`${request.method} ${request.url} HTTP/1.1${headers}\r\n\r\n`)
      onward.write(head)
      onward.pipe(socket).pipe(onward)
      for (const end of [socket, onward]) end.on('error', () => {}).on('close', () => { socket.destroy(); onward.destroy() })
    })
    await once(this.server.listen(0, '127.0.0.1'), 'listening')
    this.url = `http://127.0.0.1:${this.server.address().port}`
    return this
  }

  async close () {
    this.server.closeAllConnections()
    await new Promise(resolve => this.server.close(resolve))
  }
}

/** A document that ann owns and has open, where rita may comment. */
async function stage (t) {
  const api = rest({ url: `http://127.0.0.1:${relay.port}`, token: () => token('ann') })
  const { documentId: id } = await api.createDocument({ title: 'License', content: TEXT })
  await api.share(id, 'rita', { role: 'commenter' })
  const client = new Client({ url: `http://127.0.0.1:${relay.port}`, token: () => token('ann'), WebSocket })
  const document = client.open(id)
  await document.loaded
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reviewer-'))
  t.after(async () => {
    await client.close()
    fs.rmSync(folder, { recursive: true, force: true })
  })
  const shows = what => until(`rita to be ${what}`, () => document.presence.users.some(({ userId, name, cursor }) => userId === 'rita' && name === `Reviewer (${what})` && cursor))
  return { api, id, document, folder, shows }
}

const args = (url, endpoint, { id, folder }) => [CLI, '--url', url, '--endpoint', endpoint, '--model', 'stand-in', '--part', '400', '--state', folder, id]
const env = { ...process.env, CONVERGE_TOKEN: token('rita') }
const run = (...given) => promisify(execFile)(process.execPath, args(...given), { env }).then(({ stdout, stderr }) => ({ status: 0, stdout, stderr }), ({ code, stdout, stderr }) => ({ status: code, stdout, stderr }))
const says = question => completion({ remarks: REMARKS.filter(({ quote }, i) => i > 4 || partOf(question).includes(quote)) })

/** What is beside the text, by its passage as it is now. */
async function beside ({ api, id }) {
  const { content } = await api.content(id)
  const points = [...content]
  const { threads } = await api.threadsAt(id)
  const { suggestions } = await api.suggestionsAt(id)
  return {
    threads: threads.map(({ from, to, userId, orphan, comments }) => [points.slice(from, to).join(''), userId, orphan, ...comments.map(({ body }) => body)]),
    suggestions: suggestions.map(({ userId, note, stale }) => [userId, note, stale]).sort(),
    ids: suggestions.map(({ id: suggestionId }) => suggestionId)
  }
}

const EXPECTED = {
  threads: [['without fee', 'rita', false, 'Say for which uses.'], ['ANY PARTY', 'rita', false, 'Who is meant?'], ['caf\u00e9', 'rita', false, 'Two ways of writing it.']],
  suggestions: [['rita', 'about hereby granted', false], ['rita', 'about writen', false]]
}

test('a review of a real text, while its owner writes', { skip }, async t => {
  const all = await stage(t)
  const { api, id, document, shows } = all
  // the endpoint takes until ann has seen rita think, and has written above everything
  const standin = await new StandIn(async question => {
    if (standin.asked.length === 1) {
      await shows('thinking')
      await document.edit({ from: 0, insert: '😀 Written meanwhile.\n\n' }).committed
    }
    return says(question)
  }).start()
  const way = await new Way().open(async count => { if (count === 1) await shows('writing') })
  t.after(() => Promise.all([standin.stop(), way.close()]))

  const first = await run(way.url, standin.url, all)
  assert.deepEqual([first.status, first.stdout.split('\n').filter(line => /^\d/.test(line)).length], [0, 5], first.stderr)
  assert.match(first.stderr, /5 remarks posted/)
  const { ids, ...found } = await beside(all)
  assert.deepEqual(found, EXPECTED)
  assert.equal(document.text, `😀 Written meanwhile.\n\n${TEXT}`, 'a reviewer changes no text')

  for (const each of ids) await api.decideSuggestion(id, each, { accept: true })
  await until('what was accepted to arrive', () => document.text.includes('is granted, provided') && document.text.includes('whichever is written here, and here whichever is writen too'))

  // the text that was read is reviewed; what ann and rita have made of it is another one
  const asked = standin.asked.length
  assert.equal((await run(way.url, standin.url, all)).status, 0)
  assert.ok(standin.asked.length > asked)
  const last = standin.asked.length
  const idle = await run(way.url, standin.url, all)
  assert.deepEqual([idle.status, standin.asked.length], [0, last], 'nothing has changed since')
  assert.deepEqual((await beside(all)).threads, EXPECTED.threads, 'nothing is said twice')
})

test('a reviewer that is killed again and again when it has posted, before it hears of it, posts each remark once', { skip }, async t => {
  const all = await stage(t)
  const standin = await new StandIn(says).start()
  // after these posts, the first of each run but the first being the last one again
  const fatal = [1, 3, 6]
  let child
  const statuses = []
  const way = await new Way().open(async (count, answered) => {
    statuses.push(answered)
    if (!fatal.includes(count)) return
    const dead = once(child, 'exit')
    child.kill('SIGKILL')
    await dead
  })
  t.after(() => Promise.all([standin.stop(), way.close()]))
  for (const posts of [1, 2, 4]) {
    child = spawn(process.execPath, args(way.url, standin.url, all), { env, stdio: 'ignore' })
    const [, signal] = await once(child, 'exit')
    assert.equal(signal, 'SIGKILL')
    const { threads, suggestions } = await beside(all)
    assert.equal(threads.length + suggestions.length, posts)
  }
  const { status, stderr } = await run(way.url, standin.url, all)
  assert.equal(status, 0, stderr)
  assert.deepEqual([way.asked, new Set(statuses)], [8, new Set([201])])
  assert.equal(standin.asked.length, 4, 'no part is asked about twice')
  const { ids, ...found } = await beside(all)
  assert.deepEqual(found, EXPECTED)
})

test('one that waits is asked in the chat, for the whole text and for a passage, until it is ended', { skip }, async t => {
  const all = await stage(t)
  const { document } = all
  const standin = await new StandIn(says).start()
  const way = await new Way().open()
  const child = spawn(process.execPath, [...args(way.url, standin.url, all), '--wait'], { env, stdio: 'ignore' })
  t.after(async () => {
    child.kill('SIGKILL')
    await Promise.all([standin.stop(), way.close()])
  })
  await document.chat.loaded
  const waits = () => until('rita to wait', () => document.presence.users.some(({ userId, name }) => userId === 'rita' && name === 'Reviewer (waiting)'))
  const answers = () => document.chat.list.filter(({ userId }) => userId === 'rita').map(({ body }) => body)
  await waits()
  const from = [...TEXT.slice(0, TEXT.indexOf('Zoë'))].length
  await document.chat.say(`@rita spelling (characters ${from} to ${[...TEXT].length} of version ${document.version})`)
  await until('an answer', () => answers().length === 1)
  assert.deepEqual([answers(), standin.asked.length, partOf(standin.asked[0].body)], [['Reviewed for @ann: 2 remarks, 2 dropped.'], 1, TEXT.slice(TEXT.indexOf('Zoë'))])
  await waits()
  await document.chat.say('@rita')
  await until('another answer', () => answers().length === 2)
  const { ids, ...found } = await beside(all)
  assert.deepEqual(found.suggestions, EXPECTED.suggestions, 'nothing is suggested twice')
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('one that waits everywhere comes where it is let in, one request at a time, and goes where it is put out', { skip }, async t => {
  const [one, two] = [await stage(t), await stage(t)]
  await one.api.share(two.id, 'rita', { role: 'viewer' })
  let open = 0
  let most = 0
  const standin = await new StandIn(async question => {
    most = Math.max(most, ++open)
    await new Promise(resolve => setTimeout(resolve, 50))
    open--
    return says(question)
  }).start()
  const way = await new Way().open()
  const child = spawn(process.execPath, [...args(way.url, standin.url, one).slice(0, -1), '--wait', '--look', '1'], { env, stdio: 'ignore' })
  t.after(async () => {
    child.kill('SIGKILL')
    await Promise.all([standin.stop(), way.close()])
  })
  const here = ({ document }) => document.presence.users.some(({ userId }) => userId === 'rita')
  await until('rita to be at the first', () => here(one))
  assert.equal(here(two), false)
  await one.api.share(two.id, 'rita', { role: 'commenter' })
  await until('rita to be at the second', () => here(two))
  await Promise.all([one, two].map(({ document }) => document.chat.loaded))
  await Promise.all([one, two].map(({ document }) => document.chat.say('@rita')))
  for (const { document } of [one, two]) await until('an answer', () => document.chat.list.some(({ body }) => body.startsWith('Reviewed for @ann: 5 remarks')))
  assert.equal(most, 1)
  await one.api.unshare(two.id, 'rita')
  await until('rita to be gone', () => !here(two))
  assert.ok(here(one))
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('a viewer may not, and is told so before anything is asked', { skip }, async t => {
  const all = await stage(t)
  await all.api.share(all.id, 'rita', { role: 'viewer' })
  const standin = await new StandIn(says).start()
  t.after(() => standin.stop())
  const { status, stderr } = await run(`http://127.0.0.1:${relay.port}`, standin.url, all)
  assert.deepEqual([status, standin.asked.length], [2, 0])
  assert.match(stderr, /a commenter's is needed/)
})
