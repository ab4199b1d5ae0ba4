// What is said without a connection outlives the tab: over fake-indexeddb and a model of the server.

import assert from 'node:assert/strict'
import test from 'node:test'
import { parse } from '../src/ot/index.js'
import { dump, OfflineTalk, said } from './lib/offline.mjs'

const TEXT = 'Boil the 😀 rice.'

/** A document with a thread on "rice", a suggestion, and who has it open. */
async function began (t, options) {
  const setup = new OfflineTalk(t, { content: TEXT, ...options })
  const ann = await setup.joined()
  const made = ann.comments.add({ from: 12, to: 16, body: 'which?' })
  const suggested = ann.suggestions.add({ from: 0, to: 4, insert: 'Cook' })
  await setup.eventually(() => !ann.talk.busy)
  setup.model.asked.length = 0
  return { setup, ann, thread: await made, suggestion: await suggested }
}

const bodies = ({ comments }) => comments.list.map(each => each.comments.map(({ body }) => body))

test('everything that is said offline is stored before it is shown, and said once by the next tab', async t => {
  const { setup, ann, thread, suggestion } = await began(t)
  // the text is stored by and by, so that it is there without a network
  for (const until = setup.world.now + 6000; setup.world.now < until;) await setup.world.tick(1000)
  await setup.still()
  await setup.down()
  ann.comments.add({ from: 0, to: 4, body: 'how long?' })
  ann.comments.reply(thread.id, 'brown')
  ann.comments.edit(thread.comments[0].id, 'which rice?')
  ann.comments.resolve(thread.id)
  ann.suggestions.add({ from: 16, to: 17, insert: '!' }, { note: 'louder' })
  ann.suggestions.accept(suggestion.id)
  ann.chat.say('hello')
  // not before it is stored
  assert.deepEqual([ann.chat.list, ann.suggestions.list.length, ann.comments.list.length], [[], 1, 1])
  assert.deepEqual([ann.atRisk, ann.talk.busy], [true, true])
  await setup.eventually(() => ann.chat.list.length === 1)
  assert.equal(ann.atRisk, false)
  assert.deepEqual((await said(setup.factory)).map(({ of, n }) => of), ['comment', 'comment', 'comment', 'thread', 'suggest', 'decide', 'chat'])
  assert.deepEqual(ann.comments.list.map(({ pending }) => pending), [true, true])
  setup.crash(ann)
  const again = setup.tab()
  await setup.eventually(() => again.chat.list.length === 1)
  assert.equal(again.status, 'offline')
  assert.deepEqual([again.chat.list[0].body, again.chat.list[0].pending, again.atRisk], ['hello', true, false])
  await setup.eventually(() => again.comments.list[0]?.from === 0)
  assert.deepEqual(bodies(again), [['how long?']])
  assert.deepEqual(again.suggestions.list.map(({ changes, note, pending }) => [changes, note, pending]), [[[{ from: 16, to: 17, insert: '!' }], 'louder', true]])
  setup.up()
  await setup.eventually(() => again.status === 'connected' && !again.talk.busy && again.talk.feed.complete === setup.model.changed)
  assert.deepEqual(setup.model.asked.map(({ type }) => type), ['comment', 'comment', 'comment', 'thread', 'suggest', 'decide', 'chat'])
  assert.deepEqual(bodies(again), [['how long?'], ['which rice?', 'brown']])
  assert.equal(again.comments.get(thread.id).resolvedBy, 'ann')
  assert.equal(String(setup.server.text), 'Cook the 😀 rice.')
  assert.deepEqual(again.suggestions.list.map(({ changes }) => changes), [[{ from: 16, to: 17, insert: '!' }]])
  assert.deepEqual(again.rejected, [])
  await setup.still()
  assert.deepEqual(await said(setup.factory), [])
})

test('an anchor keeps the version that it was made on', async t => {
  const { setup, ann } = await began(t)
  await setup.down()
  ann.comments.add({ from: 12, to: 16, body: 'again' })
  await setup.eventually(() => ann.comments.list.length === 2)
  assert.deepEqual((await said(setup.factory)).map(({ message: { from, to, version } }) => [from, to, version]), [[11, 15, 0]])
  setup.crash(ann)
  setup.server.edit([{ kind: 1, length: 2, text: '> ' }], 'op 1')
  setup.up()
  const later = await setup.joined()
  await setup.eventually(() => setup.model.threads.size === 2 && !later.talk.busy)
  assert.deepEqual(setup.model.asked.map(({ from, to, version }) => [from, to, version]), [[11, 15, 0]])
  assert.deepEqual(later.comments.list.map(({ from, to }) => [from, to]), [[14, 18], [14, 18]])
})

test('what was sent and not answered when its tab crashed goes again as it was, and is said once', async t => {
  const { setup, ann } = await began(t)
  const { hear } = setup.model
  let silent = true
  setup.model.hear = function (connection, message) {
    if (silent) return void (this.asked.push(message), this.carryOut(connection.user, message))
    hear.call(this, connection, message)
  }
  setup.model.silent = { has: () => silent }
  ann.chat.say('hello')
  await setup.eventually(() => setup.model.asked.length === 1)
  ann.comments.add({ from: 0, to: 4, body: 'behind' })
  await setup.still()
  assert.equal((await said(setup.factory)).length, 2)
  setup.crash(ann)
  silent = false
  const again = await setup.joined()
  await setup.eventually(() => setup.model.threads.size === 2 && !again.talk.busy)
  assert.deepEqual(setup.model.asked.slice(0, 2).map(({ body }) => body), ['hello', 'hello'])
  assert.deepEqual(setup.model.asked[0], setup.model.asked[1])
  assert.deepEqual(again.chat.list.map(({ body, pending }) => [body, pending]), [['hello', false]])
})

test('a comment on text that was not committed is found again with that text, and waits for it', async t => {
  const { setup, ann } = await began(t)
  await setup.down()
  ann.edit({ from: 0, insert: 'Quickly: ' })
  ann.comments.add({ from: 0, to: 7, body: 'really?' })
  ann.suggestions.add({ from: 9, to: 13, insert: 'Fry' })
  await setup.eventually(() => ann.suggestions.list.length === 2 && ann.offline.safe)
  // it moves with what is typed
  ann.edit({ from: 0, insert: '> ' })
  for (const until = setup.world.now + 1100; setup.world.now < until;) await setup.world.tick(100)
  await setup.still()
  assert.deepEqual((await said(setup.factory)).map(({ message, near }) => [message, near.from, near.quote.slice(0, 7)]), [[undefined, 2, 'Quickly'], [undefined, 11, 'Boil']])
  setup.crash(ann)
  const again = setup.tab()
  await setup.eventually(() => again.comments.list[0]?.from === 2 && again.suggestions.list[0]?.changes)
  assert.deepEqual(again.suggestions.list[0].changes, [{ from: 11, to: 15, insert: 'Fry' }])
  setup.up()
  await setup.eventually(() => again.pending === null && again.talk.busy === false && again.talk.feed.complete === setup.model.changed)
  assert.equal(again.text, '> Quickly: Boil the 😀 rice.')
  assert.deepEqual(again.comments.list.map(({ from, to, quote }) => [from, to, quote]), [[2, 9, 'Quickly'], [23, 27, 'rice']])
  assert.deepEqual(again.suggestions.list.map(({ changes }) => changes).at(-1), [{ from: 11, to: 15, insert: 'Fry' }])
  assert.deepEqual(again.rejected, [])
})

test('a tab that is there takes over what one that is gone had said, with its edits', async t => {
  const { setup, ann } = await began(t)
  const other = await setup.joined()
  await setup.down()
  ann.edit({ from: 0, insert: 'Quickly: ' })
  ann.comments.add({ from: 0, to: 7, body: 'really?' })
  ann.chat.say('of ann')
  other.chat.say('of the other')
  await setup.eventually(() => ann.chat.list.length === 1 && other.chat.list.length === 1 && ann.offline.safe)
  setup.up()
  setup.crash(ann)
  await setup.eventually(() => other.status === 'connected' && !other.talk.busy && other.chat.list.length === 2 && other.comments.list.length === 2)
  assert.deepEqual(other.comments.list[0].quote, 'Quickly')
  assert.deepEqual(setup.model.asked.filter(({ type }) => type === 'chat').map(({ body }) => body).sort(), ['of ann', 'of the other'])
  await setup.still()
  assert.deepEqual(await said(setup.factory), [])
})

test('a document whose page does not ask for talk sends what another tab had said', async t => {
  const { setup, ann } = await began(t)
  await setup.down()
  ann.chat.say('hello')
  await setup.eventually(() => ann.chat.list.length === 1)
  setup.crash(ann)
  setup.up()
  const client = setup.client('ann', { fetch: setup.model.fetch(setup.trouble), storage: ann.client.storage })
  client.open('doc')
  await setup.eventually(() => setup.model.messages.size === 1)
})

test('a tab that wakes up behind another that took over says nothing twice', async t => {
  const { setup, ann } = await began(t)
  await setup.down()
  const one = ann.chat.say('one')
  await setup.eventually(() => ann.chat.list.length === 1)
  // frozen: its locks are free, and it does not know
  for (const name of setup.locks.held.keys()) setup.locks.held.delete(name)
  const other = setup.tab()
  await setup.eventually(() => other.chat.list.length === 1)
  const two = ann.chat.say('two')
  await assert.rejects(Promise.race([one, setup.eventually(() => false, 500)]), { code: 'taken_over' })
  setup.up()
  await setup.eventually(() => !ann.talk.busy && !other.talk.busy && ann.chat.list.length === 2)
  assert.equal((await two).body, 'two')
  assert.deepEqual(setup.model.asked.map(({ body }) => body).sort(), ['one', 'two'])
  assert.deepEqual([ann.rejected, other.rejected], [[], []])
})

test('another user never says what the first had said, and it stays for the first', async t => {
  const { setup, ann } = await began(t)
  await setup.down()
  ann.chat.say('of ann')
  await setup.eventually(() => ann.chat.list.length === 1)
  setup.crash(ann)
  setup.up()
  const ben = await setup.joined('ben')
  await setup.still()
  assert.deepEqual([ben.chat.list, setup.model.asked], [[], []])
  // without a network a tab is that of the last user, until the server says whose it is
  await ben.client.close()
  setup.crash(ben)
  const again = await setup.joined()
  await setup.eventually(() => setup.model.messages.size === 1 && !again.talk.busy)
  assert.equal([...setup.model.messages.values()][0].userId, 'ann')
})

test('a token of another user does not say what was said under the last', async t => {
  for (const storage of [true, false]) {
    const setup = new OfflineTalk(t, { content: TEXT })
    let user = 'ann'
    const tokenOf = (await import('./model/server.mjs')).tokenOf
    const ann = await setup.joined('ann', { token: () => tokenOf(user), ...(!storage && { storage: undefined }) })
    await setup.down()
    const lost = ann.chat.say('of ann')
    await setup.eventually(() => ann.chat.list.length === 1)
    user = 'ben'
    setup.up()
    await Promise.all([assert.rejects(lost, { code: 'other_user', body: 'of ann' }), setup.eventually(() => ann.rejected.length === 1)])
    assert.deepEqual([ann.rejected[0].text, ann.rejected[0].of, ann.rejected[0].code], ['of ann', 'chat', 'other_user'])
    const own = ann.chat.say('of ben')
    await setup.eventually(() => !ann.talk.busy)
    await own
    assert.deepEqual([...setup.model.messages.values()].map(({ body, userId }) => [body, userId]), [['of ben', 'ben']])
    if (storage) assert.deepEqual((await said(setup.factory)).map(({ body }) => body), ['of ann'])
    ann.client.close()
    await setup.still()
  }
})

test('what the server refuses of it is given back by the next tab, with its text', async t => {
  const { setup, ann } = await began(t)
  await setup.down()
  ann.chat.say('hello')
  ann.comments.add({ from: 0, to: 4, body: 'why?' })
  await setup.eventually(() => ann.comments.list.length === 2)
  setup.crash(ann)
  setup.server.roles.set('ann', 'viewer')
  setup.up()
  const again = setup.tab()
  await setup.eventually(() => again.rejected.length === 2)
  assert.deepEqual(again.rejected.map(({ code, of, text }) => [code, of, text]), [['forbidden', 'chat', 'hello'], ['forbidden', 'comment', 'why?']])
  await setup.still()
  assert.deepEqual(await said(setup.factory), [])
})

test('a comment whose text is gone is given back after a while', async t => {
  const { setup, ann } = await began(t)
  await setup.down()
  ann.edit({ from: 0, insert: 'Quickly: ' })
  ann.comments.add({ from: 0, to: 7, body: 'really?' })
  await setup.eventually(() => ann.comments.list.length === 2)
  // the edit was never stored, since its tab went too soon
  const { ops, sessions } = await dump(setup.factory)
  assert.ok(ops.length > 0 && sessions)
  setup.crash(ann)
  await new Promise(resolve => {
    setup.factory.open('converge').onsuccess = ({ target: { result } }) => {
      const transaction = result.transaction(['sessions', 'ops'], 'readwrite')
      transaction.objectStore('sessions').clear()
      transaction.objectStore('ops').openCursor().onsuccess = ({ target: { result: cursor } }) => {
        if (!cursor) return
        if (cursor.value.of === undefined) cursor.delete()
        cursor.continue()
      }
      transaction.oncomplete = () => { result.close(); resolve() }
    }
  })
  setup.up()
  const again = await setup.joined()
  again.chat.say('behind')
  await setup.eventually(() => again.rejected.length === 1 && !again.talk.busy, 20_000)
  assert.deepEqual(again.rejected.map(({ code, text }) => [code, text]), [['gone', 'really?']])
  assert.equal(setup.model.messages.size, 1)
})

test('what names a version that the server has no more is frozen anew, by what it is about', async t => {
  const op = (...components) => parse(components)
  for (const [what, lose] of [
    ['pruned', ({ server }) => server.prune(server.version)],
    ['lost by a failover', ({ server }) => server.lose(2, false)],
    ['of a backup', ({ server }) => server.lose(2, true)]
  ]) {
    // a tab that has no text yet cannot know that a version is another
    for (const reload of what === 'lost by a failover' ? [false] : [false, true]) {
      const setup = new OfflineTalk(t, { content: TEXT })
      const ann = await setup.joined()
      setup.server.edit(op('> '), 'op 1')
      setup.server.edit(op('> '), 'op 2')
      await setup.eventually(() => ann.version === 2)
      await setup.down()
      const promises = [ann.comments.add({ from: 16, to: 20, body: 'which?' }), ann.suggestions.add({ from: 4, to: 8, insert: 'Cook' })]
      await setup.eventually(() => ann.suggestions.list.length === 1)
      assert.deepEqual((await said(setup.factory)).map(({ message }) => message.version ?? message.baseVersion), [2, 2])
      if (reload) setup.crash(ann)
      setup.server.edit(op('!'), 'op 3')
      lose(setup)
      setup.server.edit(op('?'), 'op 4')
      setup.up()
      const again = reload ? await setup.joined() : ann
      await setup.eventually(() => setup.model.threads.size === 1 && setup.model.suggestions.size === 1 && !again.talk.busy && again.comments.list[0]?.from !== null)
      if (!reload) await Promise.all(promises)
      assert.deepEqual(again.comments.list.map(({ from, to }) => again.slice(from, to)), ['rice'], `${what}, ${reload}`)
      assert.deepEqual(again.suggestions.list.map(({ changes: [{ from, to, insert }] }) => [again.slice(from, to), insert]), [['Boil', 'Cook']])
      assert.deepEqual(again.rejected, [])
    }
  }
})

test('a document that is closed keeps what is stored, and says so', async t => {
  const { setup, ann } = await began(t)
  await setup.down()
  const waits = ann.chat.say('hello')
  await Promise.all([ann.client.close(), assert.rejects(waits, { code: 'closed', message: /it is stored$/ })])
  assert.equal(setup.locks.held.size, 0)
  assert.deepEqual((await said(setup.factory)).map(({ body }) => body), ['hello'])
  setup.up()
  const again = await setup.joined()
  await setup.eventually(() => again.chat.list.length === 1 && !again.chat.list[0].pending)
  assert.equal(again.talk.busy, false)
})

test('where nothing can be stored it is shown and said from memory, and the page asks', async t => {
  const { setup, ann } = await began(t)
  const heard = []
  ann.on('unstored', error => heard.push(error))
  ann.client.storage.backend.said.write = async () => { throw Object.assign(new Error('no room'), { name: 'QuotaExceededError' }) }
  await setup.down()
  const waits = ann.chat.say('hello')
  await setup.eventually(() => ann.chat.list.length === 1)
  assert.deepEqual([ann.atRisk, heard.length], [true, 1])
  setup.up()
  await setup.eventually(() => !ann.talk.busy)
  assert.equal((await waits).body, 'hello')
  // a storage that never answers
  ann.client.storage.backend.said.write = () => new Promise(() => {})
  await setup.down()
  ann.chat.say('more')
  await setup.eventually(() => ann.chat.list.length === 2, 20_000)
  assert.equal(ann.atRisk, true)
})

test('the database is of the version that older pages open, and they leave what is said alone', async t => {
  const { setup, ann } = await began(t)
  await setup.down()
  ann.edit({ from: 0, insert: 'x' })
  ann.chat.say('hello')
  await setup.eventually(() => ann.chat.list.length === 1 && ann.offline.safe)
  const rows = await dump(setup.factory, 1)
  assert.equal(rows.version, 1)
  // such a page removes what is of a session of edits, and its user's
  const { 'sessions keys': keys, 'ops keys': ops } = rows
  assert.ok(keys.length > 0)
  for (const key of ops) if (key.length === 5 && key[2].startsWith('said ')) assert.ok(keys.every(session => session[2] !== key[2]))
  assert.ok(ops.some(key => key[2].startsWith('said ')))
})

test('what a newer page has stored in a form of its own is left to it', async t => {
  const { setup, ann } = await began(t)
  await setup.down()
  ann.chat.say('hello')
  await setup.eventually(() => ann.chat.list.length === 1)
  setup.crash(ann)
  await new Promise(resolve => {
    setup.factory.open('converge').onsuccess = ({ target: { result } }) => {
      const transaction = result.transaction('ops', 'readwrite')
      transaction.objectStore('ops').openCursor().onsuccess = ({ target: { result: cursor } }) => {
        if (cursor?.value.of) cursor.update({ ...cursor.value, schema: 2 })
        cursor?.continue()
      }
      transaction.oncomplete = () => { result.close(); resolve() }
    }
  })
  setup.up()
  await setup.joined()
  await setup.still()
  assert.equal(setup.model.messages.size, 0)
  assert.equal((await said(setup.factory)).length, 1)
})
