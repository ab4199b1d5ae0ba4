// Every method of the REST wrapper over a real relay and PostgreSQL: what the wrapper makes of
// a call is what the relay takes, and what comes back is what the description promises.

import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import WebSocket from 'ws'
import { Client } from '../../src/index.js'
import { rest } from '../../src/rest.js'
import { ROUTES } from '../../src/rest_routes.js'
import { Cluster } from '../../../test/relay/lib/cluster.mjs'
import { sql } from '../../../test/relay/lib/pg.mjs'
import { startRelay } from '../../../test/relay/lib/relay.mjs'
import { token } from '../../../test/relay/lib/token.mjs'

let cluster
let relay
let url
before(async () => {
  cluster = await Cluster.make()
  await sql('CREATE EXTENSION pgcrypto', cluster.env)
  relay = await startRelay({ dsn: `host=${cluster.sockets} port=5432 dbname=postgres user=${process.env.CONVERGE_TEST_ROLE}`, operator: 'olga' }, cluster.env)
  url = `http://127.0.0.1:${relay.port}`
})
after(async () => {
  await relay?.crash()
  await cluster?.remove()
})

const called = new Set()
/** The methods with a user's tokens, noted as they are called. */
const as = (user, options = { token: () => token(user) }) => new Proxy(rest({ url, ...options }), { get: (api, name) => (called.add(name), api[name]) })
const refused = (promise, code, status) => assert.rejects(promise, error => {
  assert.deepEqual([error.name, error.code, error.status], ['ConvergeError', code, status])
  assert.ok(error.message.length > 5)
  return true
})

test('documents: made, listed in pages, renamed, deleted', async () => {
  const ann = as('ann')
  const made = []
  for (const title of ['one', 'two 😀', 'three']) made.push(await ann.createDocument({ title, content: `text of ${title}` }))
  assert.deepEqual([made[0].title, made[0].role, made[0].version], ['one', 'owner', 0])
  const titles = []
  let pages = 0
  for (let page = await ann.myDocuments({ limit: 2 }); page; page = await page.next?.()) {
    titles.push(...page.documents.map(({ title }) => title))
    pages++
  }
  assert.deepEqual([titles.sort(), pages], [['one', 'three', 'two 😀'], 2])
  const [{ documentId: id }] = made
  assert.equal((await ann.renameDocument(id, { title: 'ré "named" & more' })).title, 'ré "named" & more')
  const document = await ann.document(id)
  assert.deepEqual([document.documentId, document.title, document.owner, document.version, document.length], [id, 'ré "named" & more', 'ann', 0, 11])
  await refused(as('ben').document(id), 'OT002', 403)
  assert.equal(await ann.deleteDocument(id), null)
  await refused(ann.document(id), 'OT003', 404)
  await refused(rest({ url }).myDocuments(), 'unauthenticated', 401)
})

test('text and history: operations, undo, versions, blame, snapshots', async () => {
  const ann = as('ann')
  const { documentId: id } = await ann.createDocument({ content: 'a😀' })
  const operationId = crypto.randomUUID()
  const fields = { operationId, baseVersion: 0, op: [2, 'é'] }
  const applied = await ann.applyOp(id, fields)
  assert.deepEqual([applied.version, applied.operationId, applied.op, applied.duplicate], [1, operationId, [2, 'é'], false])
  assert.equal((await ann.applyOp(id, fields)).duplicate, true)
  await refused(ann.applyOp(id, { ...fields, op: ['z'] }), 'OT004', 409)
  await ann.applyOp(id, { operationId: crypto.randomUUID(), baseVersion: 1, operationType: 'replace', position: 0, payload: 'B', length: 1 })
  const now = await ann.content(id)
  assert.deepEqual([now.version, now.content, typeof now.etag], [2, 'B😀é', 'string'])
  assert.equal(await ann.content(id, { ifNoneMatch: now.etag }), null)
  assert.equal((await ann.content(id, { version: 0 })).content, 'a😀')
  assert.equal((await ann.content(id, { at: new Date().toISOString() })).content, 'B😀é')

  const history = await ann.history(id, { limit: 1 })
  assert.deepEqual([history.ops.length, history.ops[0].op, (await history.next()).ops[0].version], [1, [2, 'é'], 2])
  assert.deepEqual((await ann.history(id, { from: 2, to: 2 })).ops.map(({ version }) => version), [2])
  const changes = await ann.changes(id)
  assert.deepEqual(changes.changes.map(({ kind, content }) => [kind, content]).sort(), [['delete', 'a'], ['insert', 'B'], ['insert', 'é']])
  const { buckets } = await ann.timeline(id, { buckets: 1 })
  assert.deepEqual([buckets.length, buckets[0].edits, buckets[0].users], [1, 2, ['ann']])
  const blame = await ann.blame(id)
  assert.equal(blame.runs.map(({ content }) => content).join(''), 'B😀é')
  assert.equal(await ann.blame(id, { ifNoneMatch: blame.etag }), null)
  assert.deepEqual((await ann.diff(id, { from: 0, to: 1 })).op, [2, 'é'])

  assert.equal((await ann.undo(id, { operationId })).version, 3)
  assert.equal((await ann.content(id)).content, 'B😀')
  assert.equal((await ann.undoLast(id)).version, 4)
  assert.equal((await ann.content(id)).content, 'a😀')
  assert.equal((await ann.revert(id, { version: 2 })).version, 5)
  assert.equal((await ann.content(id)).content, 'B😀é')

  assert.deepEqual(await ann.snapshot(id, { label: 'a "draft" & é' }), { version: 5, label: 'a "draft" & é' })
  assert.ok((await ann.listSnapshots(id)).snapshots.some(({ version, label }) => version === 5 && label === 'a "draft" & é'))
  assert.equal(await ann.removeLabel(id, { version: 5, label: 'a "draft" & é' }), null)
  assert.ok(!(await ann.listSnapshots(id)).snapshots.some(({ label }) => label === 'a "draft" & é'))
})

test('members: ids that are hard to write in a path too', async () => {
  const ann = as('ann')
  const { documentId: id } = await ann.createDocument({})
  assert.deepEqual(await ann.share(id, 'ben é?&', { role: 'editor' }), { userId: 'ben é?&', name: null, role: 'editor' })
  assert.equal((await ann.shareAny(id, { userId: '../a/b', role: 'viewer' })).role, 'viewer')
  const roles = async () => Object.fromEntries((await ann.members(id)).members.map(({ userId, role }) => [userId, role]))
  assert.deepEqual(await roles(), { ann: 'owner', 'ben é?&': 'editor', '../a/b': 'viewer' })
  assert.equal(await ann.unshareAny(id, { userId: '../a/b' }), null)
  assert.equal((await ann.transferOwnership(id, { userId: 'ben é?&' })).role, 'owner')
  assert.deepEqual(await roles(), { ann: 'editor', 'ben é?&': 'owner' })
  assert.equal(await as('ben é?&').unshare(id, 'ann'), null)
  await refused(ann.members(id), 'OT002', 403)
})

test('accounts: signed up, logged in, found, renamed, with another password', async () => {
  const nobody = as(null, {})
  const account = { name: 'Cleo É', address: 'cleo@example.org', password: 'a good password' }
  const signed = await nobody.signUp(account)
  assert.equal(typeof signed.userId, 'string')
  await refused(nobody.signUp(account), '23505', 409)
  const { userId } = await nobody.logIn(account)
  assert.equal(userId, signed.userId)
  const cleo = as(userId)
  assert.deepEqual(await cleo.actingUser(), { userId })
  assert.deepEqual(await cleo.renameUser({ name: 'Cleo B' }), { userId, name: 'Cleo B' })
  assert.deepEqual((await as('ann').searchUsers({ search: 'cleo b', limit: 5 })).users, [{ userId, name: 'Cleo B' }])
  assert.equal(await cleo.changePassword({ oldPassword: account.password, newPassword: 'a better password' }), null)
  await assert.rejects(nobody.logIn(account), { status: 401 })
  assert.equal((await nobody.logIn({ ...account, password: 'a better password' })).userId, userId)
})

test('whole texts, and readable differences', async () => {
  const ann = as('ann')
  const { documentId: id } = await ann.createDocument({ content: 'one\ntwo\n' })
  assert.equal((await ann.setContent(id, { content: 'one\n2 😀\n' })).version, 1)
  assert.equal((await ann.replaceAll(id, { from: 'one', to: 'eins' })).version, 2)
  assert.equal((await ann.content(id)).content, 'eins\n2 😀\n')
  const lines = await ann.diffRows(id, { from: 0, to: 2, unit: 'lines' })
  assert.deepEqual(lines.rows.filter(({ kind }) => kind === 'inserted').map(({ content }) => content).join(''), 'eins\n2 😀\n')
  assert.match((await ann.unifiedDiff(id, { from: 0, to: 2 })).diff, /^-one\n-two\n\+eins\n\+2 😀$/m)
  assert.deepEqual((await ann.occurrences(id, { content: 'two' })).occurrences.map(({ fromVersion, toVersion }) => [fromVersion, toVersion]), [[0, 1]])
  assert.deepEqual((await ann.activity(id)).sessions.map(({ userId, edits }) => [userId, edits]), [['ann', 2]])
  assert.ok((await ann.myActivity({ limit: 1 })).sessions.length > 0)
})

test('going back in part, copies, and forgetting', async () => {
  const ann = as('ann')
  const { documentId: id } = await ann.createDocument({ content: 'keep secret' })
  for (const content of ['keep secret, more', 'secret, more', 'secret']) await ann.setContent(id, { content })
  assert.equal((await ann.undoRange(id, { fromVersion: 2, toVersion: 3 })).version, 4)
  assert.equal((await ann.content(id)).content, 'keep secret, more')
  await ann.setContent(id, { content: 'secret' })
  assert.equal((await ann.restoreText(id, { version: 4, from: 0, to: 5 })).version, 6)
  assert.equal((await ann.content(id)).content, 'keep secret')
  const { documentId: copy } = await ann.fork(id, { version: 1, withHistory: true })
  assert.equal((await ann.content(copy)).content, 'keep secret, more')
  const { data } = await ann.exportDocument(id)
  const { documentId: again } = await ann.importCopy({ data, title: 'again' })
  assert.equal((await ann.content(again, { version: 1 })).content, 'keep secret, more')
  await ann.redact(id, { content: 'secret', replacement: '*' })
  assert.equal((await ann.content(id, { version: 0 })).content, 'keep ******')
})

test('talk: threads, suggestions, chat', async () => {
  const ann = as('ann')
  const { documentId: id } = await ann.createDocument({ content: 'a 😀 text' })
  const { threadId, id: first } = await ann.comment(id, { body: 'which?', from: 2, to: 3 })
  const second = (await ann.reply(id, threadId, { body: 'this' })).id
  assert.equal((await ann.editComment(id, second, { body: 'that' })).body, 'that')
  assert.equal((await ann.resolveThread(id, threadId, { resolved: true })).resolvedBy, 'ann')
  assert.deepEqual((await ann.threadsAt(id)).threads.map(({ from, to, quote, comments }) => [from, to, quote, comments.map(({ body }) => body)]), [[2, 3, '😀', ['which?', 'that']]])
  for (const comment of [first, second]) assert.equal(await ann.deleteComment(id, comment), null)
  const suggested = []
  for (const op of [['1 '], ['2 '], ['3 ']]) suggested.push((await ann.suggest(id, { baseVersion: 0, op, note: 'why' })).id)
  assert.equal(await ann.withdrawSuggestion(id, suggested[0]), null)
  assert.equal((await ann.decideSuggestion(id, suggested[1], { accept: true })).version, 1)
  assert.deepEqual((await ann.suggestionsAt(id)).suggestions.map(suggestion => suggestion.id), [suggested[2]])
  assert.deepEqual((await ann.decideSuggestions(id, { ids: [suggested[2]], accept: false })).suggestions, [{ id: suggested[2], version: null }])
  const { changed } = await ann.say(id, { body: 'hello @ann' })
  assert.deepEqual((await ann.messagesBefore(id)).messages.map(({ body }) => body), ['hello @ann'])
  assert.deepEqual(await ann.markRead(id, { changed }), { lastRead: changed })
  assert.equal((await ann.unread(id)).lastRead, changed)
  assert.equal((await ann.talkEvents(id, { since: changed - 1 })).events.at(-1).type, 'chat')
})

test('operators see the largest documents; an account ends', async () => {
  assert.ok((await as('olga').largestDocuments({ limit: 1 })).documents[0].bytes >= 0)
  await refused(as('ann').largestDocuments(), 'forbidden', 403)
  assert.equal(await as('zed').eraseMe(), null)
})

test('a client has the same methods, for a document that it has open', async () => {
  const client = new Client({ url, token: () => token('ann'), WebSocket })
  const { documentId: id } = await client.rest.createDocument({ title: 'mine' })
  const document = client.open(id)
  await document.loaded
  await document.edit({ from: 0, insert: 'typed 😀' }).committed
  assert.equal((await client.rest.content(id)).content, 'typed 😀')
  await client.rest.renameDocument(id, { title: 'renamed' })
  while (document.title !== 'renamed') await new Promise(resolve => document.on('title', resolve))
  await client.close()
})

test('no method was left out', () => {
  assert.deepEqual([...called].sort(), Object.keys(ROUTES).sort())
})
