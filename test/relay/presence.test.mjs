// Who is there, with which name, colour and cursor: in one relay, and across two.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { createDocument, edit, quote, Session, sql } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { token } from './lib/token.mjs'
import { until } from './lib/wait.mjs'

let relay, other
before(async () => { [relay, other] = await Promise.all([startRelay(), startRelay()]) })
after(() => Promise.all([relay.stop(), other.stop()]))

const sees = (client, ...users) => until(`${users} to be seen, and nobody else`, () => client.users.join() === users.join())
const seesCursor = (client, user, head) => until(`${user}'s cursor to be seen at ${head}`, () => client.seen(user)?.cursor?.head === head)
const rows = doc => sql(`SELECT user_id FROM converge.presence WHERE doc_id = '${doc}' ORDER BY user_id`)
const hasRows = (doc, ...users) => until(`rows of ${users}`, async () => await rows(doc) === users.join('\n'))
const metric = async (relay, name) => (await relay.metrics())[name]

// A document that these may read.
async function documentOf (...users) {
  return sql(`SELECT doc FROM converge.create_document('', '') AS doc, LATERAL (SELECT count(converge.share(doc, u, 'viewer')) FROM unnest(ARRAY[${users.map(quote)}]) AS u) AS s`)
}

const end = (...clients) => clients.forEach(client => client.end())

for (const [where, second] of [['of one relay', () => relay], ['of two relays', () => other]]) {
  test(`clients ${where} see each other come, move and go`, async () => {
    const doc = await createDocument('héllo 😀')
    const ann = await new Raw(relay, doc).join('ann')
    const ben = await new Raw(second(), doc).join('ben')
    await sees(ann, 'ann', 'ben')
    await sees(ben, 'ann', 'ben')
    ann.send({ type: 'presence', version: 0, cursor: { anchor: 2, head: 7 }, name: 'Änn 日本', color: '#12aBf0', mood: 'good' })
    await seesCursor(ben, 'ann', 7)
    assert.deepEqual(ben.seen('ann'), { clientId: ann.joined.clientId, userId: 'ann', name: 'Änn 日本', color: '#12aBf0', version: 0, cursor: { anchor: 2, head: 7 } })
    // what is not named stays, what is null goes
    ann.send({ type: 'presence', version: 0, cursor: { anchor: 0, head: 0 }, color: null })
    await seesCursor(ben, 'ann', 0)
    assert.deepEqual(ben.seen('ann'), { clientId: ann.joined.clientId, userId: 'ann', name: 'Änn 日本', version: 0, cursor: { anchor: 0, head: 0 } })
    ann.send({ type: 'presence', cursor: null })
    await until('the cursor to be gone', () => ben.seen('ann') && !ben.seen('ann').cursor)
    assert.equal(ben.seen('ann').name, 'Änn 日本')
    ben.end()
    await sees(ann, 'ann')
    ann.end()
    await hasRows(doc)
  })
}

test('a joining client gets the list of all clients, on all relays', async () => {
  const doc = await createDocument('')
  const ann = await new Raw(relay, doc).join('ann')
  const ben = await new Raw(other, doc).join('ben')
  ann.send({ type: 'presence', version: 0, cursor: { anchor: 0, head: 0 }, name: 'Ann' })
  await seesCursor(ben, 'ann', 0)
  await until('the change of members to be settled', async () => {
    const cleo = await new Raw(other, doc).join('cleo')
    cleo.end()
    return cleo.joined.users.length >= 3
  })
  const cleo = await new Raw(other, doc).join('cleo')
  const seen = cleo.joined.users.find(({ userId }) => userId === 'ann')
  assert.deepEqual(seen, { clientId: ann.joined.clientId, userId: 'ann', name: 'Ann', version: 0, cursor: { anchor: 0, head: 0 } })
  assert.ok(cleo.joined.users.some(({ clientId }) => clientId === cleo.joined.clientId))
  end(ann, ben, cleo)
})

test('a joining client gets cursors that moved before it came', async () => {
  const doc = await createDocument('some text')
  const ann = await new Raw(relay, doc).join('ann')
  for (let n = 0; n < 5; n++) {
    ann.send({ type: 'presence', version: 0, cursor: { anchor: n, head: n } })
    await seesCursor(ann, 'ann', n)
  }
  const ben = await new Raw(other, doc).join('ben')
  await seesCursor(ben, 'ann', 4)
  end(ann, ben)
})

test('of many moves only the last is sent, together with others', async () => {
  const doc = await createDocument('')
  const [ann, ben, cleo] = await Promise.all(['ann', 'ben', 'cleo'].map(user => new Raw(relay, doc).join(user)))
  await sees(cleo, 'ann', 'ben', 'cleo')
  const before = cleo.presence.length
  for (let n = 0; n <= 1000; n++) {
    for (const client of [ann, ben]) client.send({ type: 'presence', version: 0, cursor: { anchor: 0, head: n } })
  }
  await seesCursor(cleo, 'ann', 1000)
  await seesCursor(cleo, 'ben', 1000)
  const moves = cleo.presence.slice(before)
  assert.ok(moves.length < 500, `${moves.length} messages came of 2002`)
  const heads = moves.flatMap(({ users }) => users).filter(({ userId }) => userId === 'ann').map(({ cursor }) => cursor.head)
  assert.deepEqual(heads, [...heads].sort((a, b) => a - b))
  // saying the same again is no news
  const quiet = cleo.presence.length
  ann.send({ type: 'presence', version: 0, cursor: { anchor: 0, head: 1000 } })
  ben.send({ type: 'presence', version: 0, cursor: { anchor: 0, head: 1001 } })
  await seesCursor(cleo, 'ben', 1001)
  assert.ok(cleo.presence.slice(quiet).every(({ users }) => users.every(({ userId }) => userId === 'ben')))
  end(ann, ben, cleo)
})

test('a client that reads nothing gets the complete list when it reads again', async () => {
  const doc = await createDocument('')
  const [ann, slow] = await Promise.all(['ann', 'slow'].map(user => new Raw(relay, doc).join(user)))
  await sees(ann, 'ann', 'slow')
  await sees(slow, 'ann', 'slow')
  const owed = await metric(relay, 'presence_owed_total')
  slow.socket.pause()
  const chunk = 'é日😀x'.repeat(20000)
  let version = 0
  // fill its socket with operations
  const shown = slow.presence.length
  for (; version < 100; version++) {
    ann.op(version, [chunk, ...(version > 0 ? [{ d: [...chunk].length }] : [])])
    await ann.operation()
  }
  for (let n = 0; n <= 50; n++) {
    ann.send({ type: 'presence', version, cursor: { anchor: n, head: n } })
    await seesCursor(ann, 'ann', n)
  }
  const ben = await new Raw(relay, doc).join('ben')
  ben.end()
  await sees(ann, 'ann', 'slow')
  slow.socket.resume()
  await seesCursor(slow, 'ann', 50)
  const late = slow.presence.slice(shown)
  assert.ok(late.some(({ complete }) => complete))
  assert.ok(late.length < 20, `${late.length} messages waited for it`)
  assert.ok(await metric(relay, 'presence_owed_total') > owed)
  assert.deepEqual(slow.users, ['ann', 'slow'])
  end(ann, slow)
})

test('an invalid presence is refused with the reason', async () => {
  const doc = await createDocument('')
  const long = 'é'.repeat(101)
  for (const [wrong, says] of [
    [{ name: long }, /name must be null or a string of at most 100 characters/], [{ name: 'a\0b' }, /without U\+0000/], [{ name: 7 }, /name/],
    [{ color: 'red' }, /color must be null or a string like #12ab9f/], [{ color: '#12345g' }, /color/], [{ color: '#1234567' }, /color/],
    [{ version: 0, cursor: 5 }, /cursor must be null or an object/], [{ version: 0, cursor: { anchor: -1, head: 0 } }, /from 0 to 67108864/],
    [{ version: 0, cursor: { anchor: 0 } }, /anchor and head/], [{ version: 0, cursor: { anchor: 0, head: 67108865 } }, /from 0 to 67108864/],
    [{ version: 0, cursor: { anchor: 0, head: 1.5 } }, /anchor and head/], [{ cursor: { anchor: 0, head: 0 } }, /version/],
    [{ version: -1, cursor: { anchor: 0, head: 0 } }, /version/], [{ version: '0', cursor: { anchor: 0, head: 0 } }, /version/]]) {
    const ann = await new Raw(relay, doc).join('ann')
    ann.send({ type: 'presence', ...wrong })
    const error = await ann.expect('error')
    assert.equal(error.code, 'malformed')
    assert.match(error.message, says)
    assert.equal((await ann.close()).code, 4400)
  }
  const good = await new Raw(relay, doc).join('ann')
  good.send({ type: 'presence', name: '😀'.repeat(100), version: 2 ** 53 - 1, cursor: { anchor: 67108864, head: 0 } })
  await until('the longest name to be seen', () => good.seen('ann')?.name === '😀'.repeat(100))
  good.end()
})

test('a presence comes after the ack, and not before', async () => {
  const doc = await createDocument('')
  const ann = await new Raw(relay, doc).opened()
  ann.send({ type: 'hello', token: token('ann') })
  await ann.expect('joined')
  await ann.expect('snapshot')
  ann.send({ type: 'presence', name: 'early' })
  assert.equal((await ann.expect('error')).code, 'out_of_order')
  assert.equal((await ann.close()).code, 4400)
})

test('any role may send presence; a user without a role neither sends nor receives it', async () => {
  for (const role of ['viewer', 'commenter', 'editor']) {
    const doc = await createDocument('text', { role })
    const ann = await new Raw(relay, doc).join('ann')
    const ben = await new Raw(other, doc).join('ben')
    assert.equal(ann.joined.role, role)
    ann.send({ type: 'presence', version: 0, cursor: { anchor: 4, head: 4 } })
    await seesCursor(ben, 'ann', 4)
    end(ann, ben)
  }
  const doc = await documentOf('ann')
  const ann = await new Raw(relay, doc).join('ann')
  const eve = await new Raw(relay, doc).opened()
  eve.send({ type: 'hello', token: token('eve') })
  assert.equal((await eve.close()).code, 4403)
  ann.send({ type: 'presence', name: 'Ann' })
  await until('the name to be seen', () => ann.seen('ann')?.name === 'Ann')
  assert.deepEqual(ann.users, ['ann'])
  assert.deepEqual([eve.presence, eve.messages.map(({ type }) => type)], [[], ['error']])
  ann.end()
})

// Change members while their table is held: the relay learns of the change, and cannot ask about it yet.
async function holdRoles (change) {
  const changer = new Session()
  const holder = new Session()
  await changer.run(`BEGIN; ${change}`)
  const held = holder.run('BEGIN; LOCK TABLE converge.members IN ACCESS EXCLUSIVE MODE')
  await until('the lock to be waited for', async () => await sql("SELECT count(*) FROM pg_locks WHERE relation = 'converge.members'::regclass AND NOT granted") !== '0')
  await changer.run('COMMIT')
  await changer.close()
  await held
  return holder
}

test('a client whose role is being checked gets nothing until the answer, and then the complete list', async () => {
  const doc = await documentOf('ann', 'ben', 'cleo')
  const [ann, ben] = await Promise.all(['ann', 'ben'].map(user => new Raw(relay, doc).join(user)))
  const cleo = await new Raw(other, doc).join('cleo')
  for (const client of [ann, ben, cleo]) await sees(client, 'ann', 'ben', 'cleo')
  const checks = await metric(relay, 'access_checks_total')
  const holder = await holdRoles(`SELECT converge.share('${doc}', 'ben', 'editor')`)
  await until('ben to be asked about', async () => await metric(relay, 'access_checks_total') > checks)
  const before = ben.presence.length
  for (let n = 0; n < 10; n++) {
    ann.send({ type: 'presence', version: 0, cursor: { anchor: 0, head: 1000 + n } })
    await seesCursor(cleo, 'ann', 1000 + n)
  }
  assert.equal(ben.presence.length, before)
  await holder.run('COMMIT')
  await holder.close()
  assert.deepEqual(await ben.take(), { type: 'role', role: 'editor' })
  await seesCursor(ben, 'ann', 1009)
  assert.ok(ben.presence[before].complete)
  end(ann, ben, cleo)
})

test('a client that loses the right to read gets no more presence, and is no longer shown', async () => {
  const doc = await documentOf('ann', 'ben', 'cleo')
  const [ann, ben] = await Promise.all(['ann', 'ben'].map(user => new Raw(relay, doc).join(user)))
  const cleo = await new Raw(other, doc).join('cleo')
  for (const client of [ann, ben, cleo]) await sees(client, 'ann', 'ben', 'cleo')
  const checks = await metric(relay, 'access_checks_total')
  const holder = await holdRoles(`SELECT converge.unshare('${doc}', 'ben')`)
  await until('ben to be asked about', async () => await metric(relay, 'access_checks_total') > checks)
  const before = ben.presence.length
  for (let n = 0; n < 10; n++) {
    ann.send({ type: 'presence', version: 0, cursor: { anchor: 0, head: 1000 + n } })
    await seesCursor(cleo, 'ann', 1000 + n)
  }
  await holder.run('COMMIT')
  await holder.close()
  assert.equal((await ben.close()).code, 4403)
  assert.equal(ben.presence.length, before)
  await sees(ann, 'ann', 'cleo')
  await sees(cleo, 'ann', 'cleo')
  await hasRows(doc, 'ann', 'cleo')
  end(ann, cleo)
})

test('presence of who sends too much is dropped, and nothing else', async () => {
  const slow = await startRelay({ rate: 20, burst: 5 })
  const doc = await createDocument('')
  const ann = await new Raw(slow, doc).join('ann')
  for (let n = 1; n <= 20; n++) ann.send({ type: 'presence', version: 0, cursor: { anchor: n, head: n } })
  await until('all to be read', async () => await metric(slow, 'presence_in_total') === 20)
  assert.ok(await metric(slow, 'presence_dropped_total') > 0)
  assert.equal(ann.closed, undefined)
  assert.deepEqual(ann.messages.map(({ type }) => type), ['joined', 'snapshot'])
  ann.end()
  await slow.stop()
})

test('of a crowd some are shown, and who has a cursor among them', async () => {
  const doc = await createDocument('text')
  const crowd = await Promise.all(Array.from({ length: 120 }, (_, n) => new Raw(relay, doc).join(`user ${n}`)))
  const far = await new Raw(other, doc).join('far')
  await until('a hundred of the crowd to be seen', () => far.present.size === 101)
  assert.equal(await metric(relay, 'presence_hidden'), 20)
  const count = () => sql(`SELECT count(*) FROM converge.presence WHERE doc_id = '${doc}'`).then(Number)
  await until('everybody to have a row', async () => await count() === 121)
  const hidden = crowd.filter(client => !far.present.has(client.joined.clientId))
  assert.equal(hidden.length, 20)
  const [writer] = hidden
  writer.send({ type: 'presence', version: 0, cursor: { anchor: 1, head: 2 } })
  await until('who has a cursor to be seen', () => far.present.get(writer.joined.clientId)?.cursor)
  assert.equal(far.present.size, 101)
  const gone = crowd.filter(client => far.present.has(client.joined.clientId) && client !== writer).slice(0, 30)
  gone.forEach(client => client.end())
  await until('the others to be seen in their place', () => far.present.size === 91)
  assert.equal(await metric(relay, 'presence_hidden'), 0)
  await until('all others to have a row', async () => await count() === 91)
  end(far, ...crowd)
})

test('SQL shows the clients of a document and their current cursors', async () => {
  const doc = await createDocument('one two')
  const ann = await new Raw(relay, doc).join('ann')
  ann.send({ type: 'presence', version: 0, cursor: { anchor: 4, head: 7 }, name: 'Ann', color: '#00ff00' })
  const row = () => sql(`SELECT concat_ws(' ', user_id, name, color, version, anchor, head, client_id, since <= updated_at) FROM converge.presence WHERE doc_id = '${doc}'`)
  await until('the row', async () => await row() === `ann Ann #00ff00 0 4 7 ${ann.joined.clientId} t`)
  await edit(doc, ['zero '])
  assert.equal(await sql(`SELECT converge.transform_position(p.head, converge.diff(p.doc_id, p.version, h.version), 'right')
    FROM converge.presence p JOIN converge.heads h USING (doc_id) WHERE doc_id = '${doc}'`), '12')
  ann.end()
  await hasRows(doc)
})

test('no role can read or forge messages on the channel', async () => {
  const doc = await createDocument('')
  const listener = new Session()
  await listener.run('LISTEN converge_presence')
  const ann = await new Raw(relay, doc).join('a secret name')
  const ben = await new Raw(other, doc).join('ben')
  await sees(ben, 'a secret name', 'ben')
  const heard = await until('something on the channel', async () => {
    await listener.run('SELECT 1')
    return /Asynchronous notification "converge_presence" with payload "([^"]+)"/.exec(listener.output)
  })
  assert.ok(!listener.output.includes('secret') && !Buffer.from(heard[1], 'base64').includes('secret'))
  const forged = JSON.stringify({ relay: doc, number: 1, timeout: 30, kind: 'state', clients: [{ documentId: doc, clientId: doc, userId: 'forged' }] })
  for (const payload of [forged, '', 'AAAA', Buffer.from(forged).toString('base64'), heard[1]]) await sql(`SELECT pg_notify('converge_presence', ${quote(payload)})`)
  const cleo = await new Raw(other, doc).join('cleo')
  await sees(ann, 'a secret name', 'ben', 'cleo')
  await listener.close()
  end(ann, ben, cleo)
})

test('a single relay sends no notifications', async () => {
  const doc = await createDocument('')
  const told = await metric(relay, 'notifies_out_total')
  const ann = await new Raw(relay, doc).join('ann')
  const out = async () => await metric(relay, 'notifies_out_total') - told
  await until('it to be told that ann came', async () => await out() > 0)
  // nobody is with ann elsewhere, so her cursor is nobody's business there
  const before = await out()
  for (let n = 0; n < 20; n++) {
    ann.send({ type: 'presence', version: 0, cursor: { anchor: 0, head: n } })
    await seesCursor(ann, 'ann', n)
  }
  assert.ok(await out() <= before + 2, 'only beats of life may have come between')
  ann.end()
})
