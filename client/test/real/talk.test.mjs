// Comments, suggestions and chat over real relays and PostgreSQL, while connections break, relays
// are killed and so is PostgreSQL: what was said to be committed is there, once, and all clients
// show what the server says.

import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import WebSocket from 'ws'
import { Client } from '../../src/index.js'
import { indexeddb } from '../../src/indexeddb.js'
import { Cluster } from '../../../test/relay/lib/cluster.mjs'
import { quote, sql } from '../../../test/relay/lib/pg.mjs'
import { startRelay } from '../../../test/relay/lib/relay.mjs'
import { token } from '../../../test/relay/lib/token.mjs'
import { until } from '../../../test/relay/lib/wait.mjs'
import { Locks } from '../lib/locks.mjs'
import { random } from '../lib/random.mjs'

globalThis.IDBKeyRange = IDBKeyRange
const locks = new Locks()
Object.defineProperty(globalThis, 'navigator', { value: { locks }, configurable: true })

let cluster
let relays = []
const clients = new Set()
before(async () => {
  cluster = await Cluster.make()
  relays = await Promise.all([0, 1].map(() => start()))
})
after(async () => {
  // those of a test that failed, too: they would try to connect for ever
  await Promise.all([...clients].map(client => client.close()))
  for (const relay of relays) await relay.crash()
  await cluster.remove()
})

const start = () => startRelay({ dsn: `host=${cluster.sockets} port=5432 dbname=postgres user=${process.env.CONVERGE_TEST_ROLE}` }, cluster.env)
const members = { ben: 'editor', cleo: 'commenter', dan: 'viewer' }
const create = content => sql(`SELECT doc FROM converge.create_document('a title', ${quote(content)}) AS doc,
  LATERAL (SELECT converge.share(doc, 'ann', 'editor'), ${Object.entries(members).map(([user, role]) => `converge.share(doc, '${user}', '${role}')`).join(', ')}) AS shared`, cluster.env)

/** A person's document, over whatever relay there is; with a disk, what is said outlives its tab. */
class Person {
  constructor (user, doc, chance = { below: () => 0 }, disk = undefined) {
    Object.assign(this, { user, doc, chance, disk, sockets: new Set(), dead: false, rejected: [] })
    const person = this
    const at = () => {
      if (person.dead || relays.length === 0) throw new Error('there is no network')
      return `127.0.0.1:${relays[chance.below(relays.length)].port}`
    }
    this.gone = new Promise(resolve => { this.leave = resolve })
    this.client = new Client({
      url: 'ws://relay.invalid',
      token: () => token(user),
      ...(disk && { storage: indexeddb({ indexedDB: disk }) }),
      environment: { setTimeout: (call, ms) => setTimeout(() => person.dead || call(), ms) },
      fetch: async (url, init) => fetch(String(url).replace('relay.invalid', at()), init),
      WebSocket: class {
        constructor (url) {
          const socket = new WebSocket(url.replace('relay.invalid', at()), 'converge.v1')
          person.sockets.add(socket)
          socket.addEventListener('error', () => {})
          socket.addEventListener('close', () => person.sockets.delete(socket))
          return socket
        }
      }
    })
    clients.add(this.client)
    this.document = this.client.open(doc)
    this.document.on('rejected', event => this.rejected.push(event))
  }

  async ready () {
    await this.document.loaded
    await Promise.all([this.document.comments.loaded, this.document.suggestions.loaded, this.document.chat.loaded])
    return this
  }

  cut () { for (const socket of this.sockets) socket.terminate() }

  /** The tab is gone, and its locks with it; the same person opens another. */
  reload () {
    this.dead = true
    clients.delete(this.client)
    this.leave()
    this.cut()
    for (const name of locks.held.keys()) if (name.includes(`${this.user} ${this.doc} `)) locks.held.delete(name)
    return new Person(this.user, this.doc, this.chance, this.disk)
  }
}

const TEXT = 'Boil the 😀 rice.'
const threads = ({ comments }) => comments.list.map(({ from, to, orphan, quote: text, comments: said }) => [from, to, orphan, text, said.map(({ body }) => body)])

test('a comment, its orphan, its return, replies and resolution, for those who were there and who come later', async () => {
  const doc = await create(TEXT)
  const [ann, cleo] = await Promise.all(['ann', 'cleo'].map(user => new Person(user, doc).ready()))
  const made = await cleo.document.comments.add({ from: 12, to: 16, body: 'which?' })
  await until('the comment', () => ann.document.comments.list.length === 1)
  await ann.document.comments.reply(made.id, 'brown')
  await ann.document.edit({ from: 9, to: 16 }).committed
  await until('the orphan', () => cleo.document.comments.list[0].orphan && cleo.document.comments.list[0].comments.length === 2)
  const late = await new Person('dan', doc).ready()
  assert.deepEqual(threads(late.document), [[9, 9, true, 'rice', ['which?', 'brown']]])
  await ann.document.undo().committed
  await until('its return', () => [ann, cleo, late].every(({ document }) => document.version === 2))
  for (const { document } of [ann, cleo, late]) assert.deepEqual(threads(document), [[12, 16, false, 'rice', ['which?', 'brown']]])
  // in two steps, which the server finds by what stands around
  await ann.document.edit({ from: 12, to: 16 }).committed
  await ann.document.edit({ from: 12, insert: 'ri' }).committed
  await ann.document.edit({ from: 14, insert: 'ce' }).committed
  await until('another return', () => [ann, cleo, late].every(({ document }) => document.comments.list[0].orphan === false))
  await cleo.document.comments.resolve(made.id)
  await until('the resolution', () => ann.document.comments.get(made.id).resolvedBy === 'cleo')
  await assert.rejects(late.document.comments.reply(made.id, 'me too'), { code: 'forbidden' })
  for (const { client } of [ann, cleo, late]) await client.close()
})

test('a suggestion is accepted while another types inside its range; one that is stale is not', async () => {
  const doc = await create(TEXT)
  const [ann, ben, cleo] = await Promise.all(['ann', 'ben', 'cleo'].map(user => new Person(user, doc).ready()))
  const made = await cleo.document.suggestions.add({ from: 12, to: 16, insert: 'pasta' }, { note: 'Italian' })
  const stale = await cleo.document.suggestions.add({ from: 0, to: 4 })
  await until('both', () => ann.document.suggestions.list.length === 2 && ben.document.suggestions.list.length === 2)
  ann.document.edit([{ from: 0, to: 4, insert: 'Cook' }, { from: 14, insert: '!' }])
  await ben.document.suggestions.accept(made.id)
  await until('its edit', () => [ann, ben, cleo].every(({ document }) => document.version === 2 && document.suggestions.list.length === 1))
  for (const { document } of [ann, ben, cleo]) {
    assert.equal(document.text, 'Cook the 😀 pasta!.')
    assert.deepEqual(document.suggestions.list.map(each => [each.id, each.stale]), [[stale.id, true]])
  }
  await assert.rejects(ann.document.suggestions.accept(stale.id), { code: 'forbidden' })
  await cleo.document.suggestions.withdraw(stale.id)
  assert.equal(await sql(`SELECT string_agg(status, ' ' ORDER BY created_at) FROM converge.suggestions WHERE doc_id = '${doc}'`, cluster.env), 'accepted withdrawn')
  for (const { client } of [ann, ben, cleo]) await client.close()
})

test('chat: unread, mentions and pages', async () => {
  const doc = await create('')
  await sql(`SELECT count(converge.say('${doc}', 'message ' || n)) FROM generate_series(1, 150) n`, cluster.env)
  const [ann, dan] = await Promise.all(['ann', 'dan'].map(user => new Person(user, doc).ready()))
  assert.deepEqual([dan.document.chat.list.length, dan.document.chat.list.at(-1).body, dan.document.chat.unread, dan.document.chat.hasOlder], [100, 'message 150', 150, true])
  assert.equal(await dan.document.chat.older(), false)
  assert.deepEqual(dan.document.chat.list.map(({ body }) => body), Array.from({ length: 150 }, (_, n) => `message ${n + 1}`))
  await dan.document.chat.read()
  await ann.document.chat.say('hello @dan')
  await until('the message', () => dan.document.chat.unread === 1)
  assert.equal(dan.document.chat.mentions, 1)
  for (const { client } of [ann, dan]) await client.close()
})

test('what is said while no relay is there is said once, after a reload, while relays and PostgreSQL are killed', async () => {
  const doc = await create(TEXT)
  const disk = new IDBFactory()
  const watcher = await new Person('ben', doc).ready()
  const ann = await new Person('ann', doc, undefined, disk).ready()
  const made = await ann.document.comments.add({ from: 12, to: 16, body: 'which?' })
  const suggested = await watcher.document.suggestions.add({ from: 5, to: 8, insert: 'some' })
  await until('the suggestion', () => ann.document.suggestions.list.length === 1)
  for (const relay of relays.splice(0)) await relay.crash()
  await until('the loss', () => ann.document.status !== 'connected')
  ann.document.edit({ from: 0, insert: 'Quickly: ' })
  ann.document.comments.add({ from: 0, to: 7, body: 'really?' })
  ann.document.comments.reply(made.id, 'brown')
  ann.document.suggestions.accept(suggested.id)
  ann.document.suggestions.add({ from: 9, to: 13, insert: 'Fry' })
  ann.document.comments.resolve(made.id)
  for (const n of [1, 2, 3]) ann.document.chat.say(`message ${n}`)
  await until('all of it to be stored', () => ann.document.chat.list.length === 3 && !ann.document.atRisk)
  const again = ann.reload()
  await until('what was said', () => again.document.chat.list.length === 3 && again.document.comments.list[0]?.from === 0)
  assert.deepEqual(again.document.chat.list.map(({ pending }) => pending), [true, true, true])
  relays = [await start(), await start()]
  // each time something comes, something is killed
  for (const comments of [2, 3]) {
    await until('more to be said', () => again.document.talk.outbox.all.length < 12 - 2 * comments)
    for (const relay of relays.splice(0)) await relay.crash()
    if (comments === 3) {
      await cluster.crash()
      await cluster.start()
    }
    relays = [await start(), await start()]
  }
  const last = again.reload()
  await last.ready()
  await until('everything to be said', async () => !last.document.talk.busy && last.document.pending === null && last.document.chat.list.length === 3)
  await until('the other to know', () => watcher.document.version === 2 && watcher.document.chat.list.length === 3 && watcher.document.suggestions.list.length === 1)
  await until('where all of it is', () => [last, watcher].every(({ document }) => document.comments.list.length === 2 && document.comments.list.every(({ from }) => from !== null)))
  for (const { document } of [last, watcher]) {
    assert.equal(document.text, 'Quickly: Boil some 😀 rice.')
    assert.deepEqual(document.comments.list.map(({ from, to, quote, comments, resolvedBy }) => [document.slice(from, to), quote, comments.map(({ body }) => body), resolvedBy]),
      [['Quickly', 'Quickly', ['really?'], null], ['rice', 'rice', ['which?', 'brown'], 'ann']])
    assert.deepEqual(document.suggestions.list.map(({ changes }) => changes), [[{ from: 9, to: 13, insert: 'Fry' }]])
    assert.deepEqual(document.chat.list.map(({ body }) => body), ['message 1', 'message 2', 'message 3'])
  }
  assert.deepEqual([...ann.rejected, ...again.rejected, ...last.rejected], [])
  assert.equal(await sql(`SELECT count(*) FROM converge.verify('${doc}')`, cluster.env), '0')
  for (const { client } of [last, watcher]) await client.close()
})

const COUNT = Number(process.env.CLIENT_TALKS ?? 4)
const FROM = Number(process.env.CLIENT_SEED ?? 1)

for (let seed = FROM; seed < FROM + COUNT; seed++) {
  test(`talk ${seed}: what was said to be committed is in, once, whatever was killed`, async () => {
    const chance = random(seed)
    const doc = await create('a beginning 😀 that is long enough to be talked about\n')
    const people = await Promise.all(['ann', 'ben', 'cleo'].map(user => new Person(user, doc, chance, new IDBFactory()).ready()))
    const tabs = [...people]
    const kept = [] // what was stored when its tab went
    const committed = { threads: [], comments: [], messages: [], suggestions: [] }
    const refused = []
    const waiting = []
    const wait = (person, promise) => waiting.push(Promise.race([person.gone, promise]))
    const note = (person, kind, promise) => wait(person, promise.then(row => committed[kind].push(row.id), error => refused.push(error)))
    for (let n = 0; n < 60; n++) {
      const person = chance.pick(people)
      const { document } = person
      const from = chance.below(document.length - 6)
      const draw = chance.below(100)
      if (draw < 30 && document.canEdit) document.edit({ from, to: from + chance.below(4), insert: chance.text(4) })
      else if (draw < 45) note(person, 'threads', document.comments.add({ from, to: from + 5, body: `comment ${n}` }))
      else if (draw < 55 && document.comments.list.length > 0) note(person, 'comments', document.comments.reply(chance.pick(document.comments.list.filter(({ pending }) => !pending))?.id ?? 'x', `reply ${n}`))
      else if (draw < 65) note(person, 'messages', document.chat.say(`message ${n}`))
      else if (draw < 75) note(person, 'suggestions', document.suggestions.add({ from, to: from + 2, insert: chance.text(3) + '.' }))
      else if (draw < 82 && document.suggestions.list.length > 0 && document.canEdit) wait(person, document.suggestions.accept(chance.pick(document.suggestions.list).id).catch(error => refused.push(error)))
      else if (draw < 90) person.cut()
      else if (draw < 92) {
        const [dead] = relays.splice(chance.below(relays.length), 1)
        await dead.crash()
        relays.push(await start())
      } else if (draw === 92) {
        await cluster.crash()
        await cluster.start()
      } else if (draw < 97) {
        kept.push(...document.talk.outbox.all.filter(item => item.kept && item.body && /^(comment|chat)$/.test(item.of)).map(({ body }) => body))
        const next = person.reload()
        tabs.push(next)
        people[people.indexOf(person)] = await next.ready()
      }
      if (chance.below(3) === 0) await new Promise(resolve => setTimeout(resolve, chance.below(15)))
    }
    await Promise.all(waiting)
    await until('all edits', () => people.every(({ document }) => document.pending === null && !document.talk.busy))
    const last = Number(await sql(`SELECT version FROM converge.heads WHERE doc_id = '${doc}'`, cluster.env))
    const changed = Number(await sql(`SELECT coalesce(converge.talk_changed('${doc}'), 0)`, cluster.env))
    await until('everyone to know everything', () => people.every(({ document }) => document.version === last && document.talk.feed.complete === changed))
    const back = tabs.flatMap(({ rejected }) => rejected)
    for (const { code } of back) refused.push({ code })
    for (const body of kept) {
      const times = await sql(`SELECT (SELECT count(*) FROM converge.comments WHERE doc_id = '${doc}' AND body = '${body}') + (SELECT count(*) FROM converge.messages WHERE doc_id = '${doc}' AND body = '${body}')`, cluster.env)
      assert.ok(times === '1' || (times === '0' && back.some(({ text }) => text === body)), `${body} is there ${times} times`)
    }
    for (const { code } of refused) assert.ok(['forbidden', 'gone', 'invalid', 'conflict'].includes(code), code)
    for (const [table, ids] of Object.entries(committed)) {
      for (const id of ids) assert.equal(await sql(`SELECT count(*) FROM converge.${table} WHERE doc_id = '${doc}' AND id = '${id}'`, cluster.env), '1', `${table} ${id}`)
      assert.equal(new Set(ids).size, ids.length)
    }
    assert.equal(await sql(`SELECT count(*) - count(DISTINCT body) FROM converge.comments WHERE doc_id = '${doc}'`, cluster.env), '0')
    assert.equal(await sql(`SELECT count(*) - count(DISTINCT body) FROM converge.messages WHERE doc_id = '${doc}'`, cluster.env), '0')
    // a client that comes later carries passages as the others do where the relay says whether their first characters live
    const { threads: listed } = await (await people[0].client.rest.threadsAt(doc)).all()
    const places = listed.every(({ alive }) => alive !== undefined)
    const all = ({ document: { comments, suggestions, chat } }) => JSON.stringify([
      comments.list.map(({ id, from, to, orphan, comments: said }) => [id, places && [from, to, orphan], said.map(({ body }) => body)]).sort(),
      suggestions.list.map(({ id }) => id).sort(), chat.list.map(({ body }) => body)
    ])
    const late = await new Person('dan', doc).ready()
    await until('the same everywhere', () => people.every(person => all(person) === all(late)))
    assert.equal(await sql(`SELECT count(*) FROM converge.verify('${doc}')`, cluster.env), '0')
    for (const { client } of [...people, late]) await client.close()
  })
}
