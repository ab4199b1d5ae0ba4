// Comments, suggestions and chat over a model of the server.

import assert from 'node:assert/strict'
import test from 'node:test'
import { parse } from '../src/ot/index.js'
import { events } from './lib/setup.mjs'
import { TalkSetup } from './lib/talk.mjs'

const TEXT = 'Boil the 😀 rice.'
const thread = ({ from, to, orphan, quote }) => ({ from, to, orphan, quote })
const RICE = { from: 12, to: 16, orphan: false, quote: 'rice' }

/** A document with a thread on "rice", and those who have it open. */
async function began (options) {
  const setup = new TalkSetup({ content: TEXT, ...options })
  const ann = await setup.talker('ann')
  const cleo = await setup.talker('cleo', 'commenter')
  const made = cleo.comments.add({ from: 12, to: 16, body: 'which?' })
  await setup.eventually(() => ann.comments.list.length === 1)
  return { setup, ann, cleo, made: await made }
}

test('nothing of talk is there before it is asked for, and its lists are empty until it is', async () => {
  const setup = new TalkSetup({ content: TEXT })
  const document = await setup.open('ann')
  assert.equal(document.talk, undefined)
  const { comments, suggestions, chat } = document
  assert.deepEqual([comments.list, suggestions.list, chat.list, chat.unread, comments.then], [[], [], [], 0, undefined])
  const said = chat.say('hello')
  await setup.eventually(() => chat.list.length === 1 && !chat.list[0].pending)
  assert.equal((await said).body, 'hello')
  assert.equal(await document.chat.loaded, document.chat)
  // who holds what was there first sees the same
  assert.equal(chat.list, document.chat.list)
})

test('who listens hears of talk without asking for it', async () => {
  const setup = new TalkSetup({ content: TEXT })
  const document = await setup.open('ann')
  const heard = events(document, 'chat')
  await setup.eventually(() => document.talk?.feed.complete === 0 && setup.world.wires.size > 0)
  setup.model.by('ben', { type: 'chat', id: 'm1', body: 'hello' })
  await setup.eventually(() => heard.length === 1)
  assert.equal(heard[0][1].body, 'hello')
})

test('a comment is seen at once by who makes it, and by others when it is committed', async () => {
  const setup = new TalkSetup({ content: TEXT })
  const [ann, cleo] = [await setup.talker('ann'), await setup.talker('cleo', 'commenter')]
  const heard = events(ann, 'thread', 'comment')
  const own = events(cleo, 'thread', 'comment')
  const made = cleo.comments.add({ from: 12, to: 16, body: 'which?' })
  assert.deepEqual(thread(cleo.comments.list[0]), RICE)
  assert.equal(cleo.comments.list[0].pending, true)
  await setup.eventually(() => ann.comments.list.length === 1)
  const committed = await made
  assert.deepEqual([committed.id, committed.pending, committed.version, committed.userId], [ann.comments.list[0].id, false, 0, 'cleo'])
  assert.deepEqual(thread(ann.comments.list[0]), RICE)
  assert.deepEqual(ann.comments.list[0].comments.map(({ body, userId, pending }) => [body, userId, pending]), [['which?', 'cleo', false]])
  assert.deepEqual(heard.map(([name]) => name), ['thread', 'comment'])
  assert.deepEqual(own.map(([name, { pending }]) => [name, pending]), [['thread', true], ['thread', false], ['comment', false]])
  // in code points, of the version it was made of
  assert.deepEqual([setup.model.asked[0].from, setup.model.asked[0].to, setup.model.asked[0].version], [11, 15, 0])
})

test('replies, other words, deletion, resolution', async () => {
  const { setup, ann, cleo, made } = await began()
  const reply = ann.comments.reply(made.id, 'brown')
  await setup.eventually(() => cleo.comments.list[0].comments.length === 2)
  assert.deepEqual(cleo.comments.list[0].comments.map(({ body }) => body), ['which?', 'brown'])
  const edited = ann.comments.edit((await reply).id, 'white')
  await setup.eventually(() => cleo.comments.list[0].comments[1].body === 'white')
  assert.equal((await edited).editedAt, 'now')
  const resolved = ann.comments.resolve(made.id)
  await setup.eventually(() => cleo.comments.get(made.id).resolved)
  assert.equal((await resolved).resolvedBy, 'ann')
  await Promise.all([ann.comments.resolve(made.id, false), setup.eventually(() => !cleo.comments.get(made.id).resolved)])
  await Promise.all([ann.comments.delete((await reply).id), setup.eventually(() => cleo.comments.list[0].comments.length === 1)])
  const heard = events(ann, 'thread')
  await Promise.all([cleo.comments.delete(made.comments[0].id), setup.eventually(() => ann.comments.list.length === 0 && cleo.comments.list.length === 0)])
  assert.equal(heard.at(-1)[1].deleted, true)
  assert.equal(cleo.talk.busy, false)
})

test('a thread follows edits, here and elsewhere, committed or not', async () => {
  const { setup, ann, cleo } = await began()
  ann.edit({ from: 0, insert: '> ' })
  assert.deepEqual(thread(ann.comments.list[0]), { ...RICE, from: 14, to: 18 })
  assert.deepEqual(thread(cleo.comments.list[0]), RICE)
  await setup.until(() => cleo.version === 1)
  assert.deepEqual(thread(cleo.comments.list[0]), { ...RICE, from: 14, to: 18 })
  ann.edit([{ from: 16, insert: '!' }, { from: 18, insert: '?' }])
  assert.equal(ann.slice(ann.comments.list[0].from, ann.comments.list[0].to), 'ri!ce')
  // many, so that all of them are not kept one by one
  for (let n = 0; n < 2100; n++) setup.server.append('ben', `op ${n}`, parse(['x']))
  for (const each of setup.server.connections) setup.server.flow(each)
  await setup.until(() => cleo.version === setup.server.version && ann.pending === null)
  await setup.eventually(() => cleo.comments.list[0].from === ann.comments.list[0].from && cleo.comments.list[0].from > 2000)
  assert.equal(cleo.slice(cleo.comments.list[0].from, cleo.comments.list[0].to), 'ri!ce')
})

test('who comes later carries a passage as those who were there, also where its first character is gone', async () => {
  for (const modern of [true, false]) {
    const { setup, ann, cleo } = await began()
    setup.model.modern = modern
    ann.edit({ from: 12, to: 13 })
    await setup.until(() => ann.pending === null && cleo.version === 1)
    const dan = await setup.talker('dan')
    ann.edit({ from: 12, insert: 'l' })
    await setup.until(() => [ann, cleo, dan].every(({ version }) => version === 2))
    for (const document of [ann, cleo]) assert.deepEqual(thread(document.comments.list[0]), { ...RICE, from: 12, to: 16 })
    // a relay that does not say it is believed to mean that it lives
    assert.deepEqual(thread(dan.comments.list[0]), { ...RICE, from: modern ? 12 : 13, to: 16 })
  }
})

test('all pages of threads and suggestions are read', async () => {
  const setup = new TalkSetup({ content: TEXT })
  setup.model.pages = 3
  for (let n = 0; n < 8; n++) {
    setup.model.by('ben', { type: 'comment', id: `c${n}`, threadId: `t${n}`, body: `comment ${n}`, from: n, to: n + 1, version: 0 })
    setup.model.by('ben', { type: 'suggest', id: `s${n}`, baseVersion: 0, op: [n + 1, 'x'] })
  }
  const ann = await setup.talker('ann')
  assert.deepEqual(ann.comments.list.map(({ comments: [{ body }] }) => body), Array.from({ length: 8 }, (_, n) => `comment ${n}`))
  assert.deepEqual(ann.suggestions.list.map(({ id }) => id), Array.from({ length: 8 }, (_, n) => `s${n}`))
})

test('a thread whose passage is deleted is an orphan, and returns by undo', async () => {
  const { setup, ann, cleo } = await began()
  ann.edit({ from: 9, to: 16 })
  assert.deepEqual(thread(ann.comments.list[0]), { ...RICE, from: 9, to: 9, orphan: true })
  await setup.until(() => cleo.version === 1)
  assert.deepEqual(thread(cleo.comments.list[0]), { ...RICE, from: 9, to: 9, orphan: true })
  ann.undo()
  assert.deepEqual(thread(ann.comments.list[0]), RICE)
  await setup.until(() => cleo.version === 2)
  assert.deepEqual(thread(cleo.comments.list[0]), RICE)
})

test('an orphan that comes back in another way is asked for', async () => {
  const { setup, ann } = await began()
  ann.edit({ from: 12, to: 16 })
  await setup.until(() => ann.pending === null)
  const heard = events(ann, 'thread')
  // in two steps, which only the server's search finds
  setup.model.place = (_, version) => ({ from: version === 3 ? 11 : 11, to: version === 3 ? 15 : 11 })
  ann.edit({ from: 12, insert: 'ri' })
  await setup.until(() => ann.pending === null)
  ann.edit({ from: 14, insert: 'ce' })
  await setup.until(() => ann.pending === null)
  assert.equal(ann.comments.list[0].orphan, true)
  await setup.eventually(() => !ann.comments.list[0].orphan)
  assert.deepEqual(thread(ann.comments.list[0]), RICE)
  assert.equal(heard.at(-1)[1].orphan, false)
})

test('a comment on what is typed and not committed waits for that', async () => {
  const setup = new TalkSetup({ content: TEXT })
  const [ann, ben] = [await setup.talker('ann'), await setup.talker('ben')]
  await setup.cut()
  ann.edit({ from: 0, insert: 'Quickly: ' })
  const made = ann.comments.add({ from: 0, to: 7, body: 'really?' })
  await setup.eventually(() => ben.comments.list.length === 1)
  assert.deepEqual(thread(ben.comments.list[0]), { from: 0, to: 7, orphan: false, quote: 'Quickly' })
  assert.equal((await made).version, 1)
  // what is deleted before it could be said is given back
  await setup.cut()
  const heard = events(ann, 'rejected')
  ann.edit({ from: 0, insert: 'Oh. ' })
  const lost = ann.comments.add({ from: 0, to: 2, body: 'why?' })
  ann.edit({ from: 0, to: 4 })
  await Promise.all([assert.rejects(lost, { code: 'gone', body: 'why?' }), setup.eventually(() => heard.length === 1)])
  assert.deepEqual([heard[0][1].text, heard[0][1].of, heard[0][1].changes], ['why?', 'comment', []])
})

test('what is said is said once, whatever breaks, as it was', async () => {
  for (let seed = 0; seed < 40; seed++) {
    const setup = new TalkSetup({ content: TEXT, seed })
    const [ann, cleo] = [await setup.talker('ann'), await setup.talker('cleo', 'commenter')]
    const promises = []
    for (let n = 0; n < 5; n++) {
      promises.push(cleo.comments.add({ from: 0, to: 4, body: `comment ${n}` }), cleo.chat.say(`message ${n}`), cleo.suggestions.add({ from: 0, insert: `${n}` }))
      ann.edit({ from: 4, insert: 'x' })
      if (setup.random.below(3) === 0) await setup.cut()
      if (setup.random.below(3) === 0) setup.model.busy = 1
      for (let step = setup.random.below(6); step > 0; step--) await setup.world.arrive()
      if (setup.random.below(4) === 0) setup.trouble.failing = 2
    }
    let done = false
    Promise.all(promises).then(() => { done = true })
    await setup.eventually(() => done && ann.chat.list.length === 5 && ann.comments.list.length === 5 && ann.suggestions.list.length === 5 && ann.version === setup.server.version && cleo.version === ann.version)
    for (const document of [ann, cleo]) {
      assert.deepEqual(document.comments.list.map(({ comments }) => comments[0].body).sort(), [0, 1, 2, 3, 4].map(n => `comment ${n}`), `seed ${seed}`)
      assert.deepEqual(document.chat.list.map(({ body }) => body), [0, 1, 2, 3, 4].map(n => `message ${n}`))
      for (const { from, to } of document.comments.list) assert.equal(document.slice(from, to), 'Boil')
    }
    // frozen: the same id is always the same message
    const sent = new Map()
    for (const message of setup.model.asked) {
      const text = JSON.stringify(message)
      assert.equal(sent.get(message.id) ?? text, text)
      sent.set(message.id, text)
    }
    assert.deepEqual(ann.suggestions.list.map(({ changes }) => changes), cleo.suggestions.list.map(({ changes }) => changes))
  }
})

test('what is refused is given back, and what waits behind it goes on', async () => {
  const setup = new TalkSetup({ content: TEXT })
  const dan = await setup.talker('dan', 'viewer')
  const heard = events(dan, 'rejected', 'chat')
  const said = dan.chat.say('hello')
  await Promise.all([assert.rejects(said, { code: 'forbidden', of: 'chat', body: 'hello' }), setup.eventually(() => heard.length === 2)])
  assert.deepEqual(dan.chat.list, [])
  setup.server.share('dan', 'commenter')
  await setup.arrive()
  await Promise.all([dan.chat.say('again'), setup.eventually(() => dan.chat.list.length === 1)])
  assert.equal(dan.talk.busy, false)
})

test('nothing is missed: gaps, hints and connections that were away are listed', async () => {
  const setup = new TalkSetup({ content: TEXT })
  const ann = await setup.talker('ann')
  const say = body => setup.model.by('ben', { type: 'chat', id: `m${body}`, body })
  const bodies = () => ann.chat.list.map(({ body }) => body).join('')
  say('a')
  await setup.eventually(() => bodies() === 'a')
  // an event is lost without a word
  const [connection] = setup.server.connections
  setup.model.silent.add(connection)
  say('b')
  setup.model.silent.delete(connection)
  say('c')
  await setup.arrive()
  assert.equal(bodies(), 'ac')
  await setup.eventually(() => bodies() === 'abc')
  // the relay says so
  setup.model.silent.add(connection)
  say('d')
  setup.model.silent.delete(connection)
  connection.say({ type: 'talk' })
  await setup.eventually(() => bodies() === 'abcd')
  // the connection was away, and the list fails at first
  setup.trouble.failing = 2
  await setup.cut()
  say('e')
  await setup.eventually(() => bodies() === 'abcde')
  assert.equal(ann.talk.feed.complete, 5)
  // another document under the same id
  setup.server.lose(0, true)
  setup.model.messages.clear()
  setup.model.changed = 0
  say('z')
  await setup.eventually(() => bodies() === 'z')
})

test('a suggestion is shown as it is now, and is stale when what it touches is gone', async () => {
  const setup = new TalkSetup({ content: TEXT })
  const [ann, cleo] = [await setup.talker('ann'), await setup.talker('cleo', 'commenter')]
  const made = cleo.suggestions.add({ from: 12, to: 16, insert: 'pasta' }, { note: 'Italian' })
  const inserted = cleo.suggestions.add([{ from: 14, insert: '-' }])
  await setup.eventually(() => ann.suggestions.list.length === 2)
  assert.deepEqual([(await made).note, (await made).status, (await made).changes], ['Italian', 'open', [{ from: 12, to: 16, insert: 'pasta' }]])
  ann.edit({ from: 13, insert: '!' })
  assert.deepEqual(ann.suggestions.get((await made).id).changes, [{ from: 12, to: 13, insert: 'pasta' }, { from: 14, to: 17, insert: '' }])
  assert.deepEqual(ann.suggestions.get((await inserted).id).changes, [{ from: 15, to: 15, insert: '-' }])
  ann.edit({ from: 12, to: 17 })
  await setup.until(() => ann.pending === null && cleo.version === ann.version)
  for (const document of [ann, cleo]) assert.deepEqual(document.suggestions.list.map(({ stale }) => stale), [true, true])
  await Promise.all([assert.rejects(ann.suggestions.accept((await made).id), { code: 'forbidden' }), setup.eventually(() => !ann.talk.busy)])
})

test('a suggestion is accepted once, in the text and in its state, while others type', async () => {
  const setup = new TalkSetup({ content: TEXT })
  const [ann, ben, cleo] = [await setup.talker('ann'), await setup.talker('ben'), await setup.talker('cleo', 'commenter')]
  const made = cleo.suggestions.add({ from: 12, to: 16, insert: 'pasta' })
  await setup.eventually(() => ann.suggestions.list.length === 1 && ben.suggestions.list.length === 1)
  const { id } = await made
  ann.edit({ from: 14, insert: '!' })
  const accepted = [ann, ben].map(document => document.suggestions.accept(id))
  await setup.eventually(() => cleo.suggestions.list.length === 0 && [ann, ben, cleo].every(document => document.version === setup.server.version && document.pending === null))
  await Promise.all(accepted)
  assert.deepEqual([ann, ben, cleo].map(({ text }) => text), Array(3).fill('Boil the 😀 pasta!.'))
  const { status, decidedBy, version } = cleo.suggestions.get(id)
  assert.deepEqual([status, setup.server.log[version - 1].operationId, setup.server.log[version - 1].userId], ['accepted', id, decidedBy])
  // several at once, refused, withdrawn
  const more = ['a', 'b', 'c', 'd'].map(insert => cleo.suggestions.add({ from: 0, insert }))
  await setup.eventually(() => ann.suggestions.list.length === 4)
  const ids = (await Promise.all(more)).map(each => each.id)
  await Promise.all([ann.suggestions.accept(ids.slice(0, 2)), ann.suggestions.reject(ids[2]), cleo.suggestions.withdraw(ids[3]), setup.eventually(() => cleo.suggestions.list.length === 0 && ann.suggestions.list.length === 0)])
  assert.deepEqual(ids.map(each => cleo.suggestions.get(each).status), ['accepted', 'accepted', 'rejected', 'withdrawn'])
  assert.match(String(setup.server.text), /^[ab]{2}Boil/)
})

test('all are accepted but those that are stale, or become so by one before them', async () => {
  const setup = new TalkSetup({ content: TEXT })
  const [ann, ben, cleo] = [await setup.talker('ann'), await setup.talker('ben'), await setup.talker('cleo', 'commenter')]
  const made = []
  for (const change of [{ from: 12, to: 16, insert: 'pasta' }, { from: 12, to: 16, insert: 'corn' }, { from: 0, insert: 'First: ' }, { from: 5, to: 8, insert: 'all' }]) {
    const add = cleo.suggestions.add(change)
    await setup.eventually(() => ann.suggestions.list.length === made.length + 1 && !cleo.talk.busy)
    made.push((await add).id)
  }
  const all = ann.suggestions.acceptAll()
  await setup.eventually(() => ann.suggestions.list.length === 1 && !ann.talk.busy && ann.version === setup.server.version)
  assert.deepEqual(await all, { accepted: [made[0], made[2], made[3]], left: [made[1]] })
  assert.equal(ann.text, TEXT.replace('Boil', 'First: Boil').replace('the', 'all').replace('rice', 'pasta'))
  assert.equal(ann.suggestions.list[0].stale, true)
  // there is none that could be
  assert.deepEqual(await ann.suggestions.acceptAll(), { accepted: [], left: [made[1]] })

  // another deletes what one is about, at the same moment: it is refused, and the rest goes again
  const two = [cleo.suggestions.add({ from: 0, to: 5, insert: 'Now' }), cleo.suggestions.add({ from: cleo.length - 1, insert: '!' })]
  await setup.eventually(() => ann.suggestions.list.length === 3)
  const [first, second] = await Promise.all(two)
  const refused = []
  ann.on('rejected', ({ of }) => refused.push(of))
  setup.server.edit([{ kind: 2, length: 7, text: '' }], 'of another')
  const rest = ann.suggestions.acceptAll([first.id, second.id])
  await setup.eventually(() => !ann.suggestions.get(second.id) || ann.suggestions.get(second.id).status === 'accepted')
  assert.deepEqual(await rest, { accepted: [second.id], left: [first.id] })
  assert.deepEqual(refused, ['decide'])

  // who may not is refused once
  const [third] = [cleo.suggestions.add({ from: 0, insert: 'Z' })]
  await setup.eventually(() => cleo.suggestions.list.length === 3 && ben.suggestions.list.length === 3)
  await third
  const forbidden = cleo.suggestions.acceptAll()
  forbidden.catch(() => {})
  await setup.eventually(() => !cleo.talk.busy)
  await assert.rejects(forbidden, { code: 'forbidden' })
})

test('chat counts what was not read, and who is meant', async () => {
  const setup = new TalkSetup({ content: TEXT })
  setup.model.by('ben', { type: 'chat', id: 'm1', body: 'for @ann' })
  const ann = await setup.talker('ann')
  assert.deepEqual([ann.chat.unread, ann.chat.mentions], [1, 1])
  setup.model.by('ben', { type: 'chat', id: 'm2', body: 'more' })
  const own = ann.chat.say('mine')
  await setup.eventually(() => ann.chat.list.length === 3 && !ann.talk.busy)
  await own
  assert.deepEqual([ann.chat.unread, ann.chat.mentions], [2, 1])
  await ann.chat.read()
  assert.deepEqual([ann.chat.unread, ann.chat.mentions, setup.model.read.get('ann')], [0, 0, 3])
})

test('a document that is released says first what there is to say; one that ends gives it back', async () => {
  const setup = new TalkSetup({ content: TEXT })
  const ann = await setup.talker('ann')
  await setup.cut()
  const said = ann.chat.say('before I go')
  assert.equal(ann.atRisk, true)
  ann.release()
  await setup.eventually(() => ann.status === 'closed')
  assert.equal((await said).body, 'before I go')
  const ben = await setup.talker('ben')
  await setup.cut()
  const lost = ben.chat.say('too late')
  ben.client.close()
  await assert.rejects(lost, { code: 'closed' })
  await assert.rejects(ben.chat.say('later'), { code: 'closed' })
})
