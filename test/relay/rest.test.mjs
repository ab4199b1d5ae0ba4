// The REST API: each route does what its function does in SQL, and answers as the
// description says.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import { promisify } from 'node:util'
import { Cluster } from './lib/cluster.mjs'
import { quote, Session, sql } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { file, startRelay } from './lib/relay.mjs'
import { description, User } from './lib/rest.mjs'
import { SECRET, token } from './lib/token.mjs'
import { until, within } from './lib/wait.mjs'

let relay, ann, ben, nobody
before(async () => {
  await sql('CREATE EXTENSION IF NOT EXISTS pgcrypto')
  // all tests are one user's, who would run out of what a user may ask for
  relay = await startRelay({ 'login-rate': 0, 'call-burst': 1000000, callers: 2 })
  ann = new User(relay, 'ann')
  ben = new User(relay, 'ben')
  nobody = new User(relay)
})
after(() => relay.stop())

const idOf = place => place.split('/').pop()
const as = (user, statement) => sql(`SET converge."user" = ${quote(user)}; ${statement}`)
const text = place => as('ann', `SELECT converge.content('${idOf(place)}')`)
const uuid = () => crypto.randomUUID()

// A place with a past: ann's and ben's edits, of characters of every length.
async function withPast () {
  const place = await ann.create('hello é😀')
  await ann.put(`${place}/members/ben`, { role: 'editor' })
  for (const [user, op] of [[ann, [5, ' wörld']], [ben, ['🎉', { d: 1 }]], [ann, [{ d: 2 }, 'J']], [ben, [11, '\u0301']]]) {
    const { body } = await user.get(place)
    assert.equal((await user.post(`${place}/ops`, { operationId: uuid(), baseVersion: body.version, op })).status, 200)
  }
  return place
}

// ---- documents ----

test('a document is made, told of, renamed, listed and deleted', async () => {
  const id = uuid()
  const dora = new User(relay, `dora ${uuid()}`) // whose list no other test changes
  const made = await dora.post('/v1/docs', { title: 'plän', content: 'één 😀', id })
  assert.deepEqual([made.status, made.body, made.headers.get('location')], [201, { documentId: id, title: 'plän', role: 'owner', version: 0 }, `/v1/docs/${id}`])
  const told = await dora.get(`/v1/docs/${id}`)
  assert.deepEqual([told.body.title, told.body.role, told.body.length, told.body.version], ['plän', 'owner', 5, 0])
  assert.equal((await dora.patch(`/v1/docs/${id}`, { title: 'andere' })).status, 200)
  const listed = await dora.get('/v1/docs?limit=1')
  assert.deepEqual(listed.body.documents.map(d => [d.documentId, d.title]), [[id, 'andere']])
  assert.equal((await dora.post('/v1/docs', { id })).status, 409)
  const gone = await dora.delete(`/v1/docs/${id}`)
  assert.deepEqual([gone.status, gone.body], [204, ''])
  assert.deepEqual([(await dora.get(`/v1/docs/${id}`)).status, (await dora.get(`/v1/docs/${id}/content`)).body.code], [404, 'OT003'])
  assert.equal((await dora.post('/v1/docs')).status, 201)
})

test('a long list comes in pages, each document once, by the links alone', async () => {
  const cleo = new User(relay, `cleo ${uuid()}`)
  const made = []
  for (let i = 0; i < 7; i++) made.push(idOf(await cleo.create('', `nr ${i}`)))
  const seen = []
  for (let place = '/v1/docs?limit=3'; place;) {
    const { body, headers } = await cleo.get(place)
    assert.ok(body.documents.length <= 3)
    seen.push(...body.documents.map(d => d.documentId))
    place = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1]
  }
  assert.deepEqual(seen, made.reverse())
})

test('where a page is the last one, though it is full, no next is told', async () => {
  const dora = new User(relay, `dora ${uuid()}`)
  for (let i = 0; i < 3; i++) await dora.create('', `nr ${i}`)
  const next = async place => (await dora.get(place)).headers.get('link')
  assert.equal(await next('/v1/docs?limit=3'), null)
  assert.equal(await next('/v1/docs?limit=4'), null)
  assert.match(await next('/v1/docs?limit=2'), /rel="next"/)
  const place = await withPast()
  for (const what of ['history', 'changes']) {
    for (const query of ['limit=4', 'limit=4&to=4', 'limit=4&to=9', 'from=3&limit=2&to=9', 'limit=2&to=2', 'from=5&limit=1&to=9', 'from=4&limit=1']) {
      assert.equal((await ann.get(`${place}/${what}?${query}`)).headers.get('link'), null, `${what} ${query}`)
    }
    assert.match((await ann.get(`${place}/${what}?limit=3&to=9`)).headers.get('link'), /from=4/)
  }
})

// ---- the text ----

// The ETag of a version of a document.
const tag = async (place, version) => `"${(await ann.get(place)).body.life}.${version}"`

test('the current text, at a version and at a time, with its version as ETag', async () => {
  const place = await withPast()
  const now = await ann.get(`${place}/content`)
  assert.deepEqual([now.body.content, now.body.version, now.headers.get('etag')], [await text(place), 4, await tag(place, 4)])
  for (let version = 0; version <= 4; version++) {
    const then = await ann.get(`${place}/content?version=${version}`)
    assert.equal(then.body.content, await as('ann', `SELECT converge.content_at('${idOf(place)}', ${version})`))
    assert.equal(then.headers.get('etag'), await tag(place, version))
  }
  const at = (await ann.get(`${place}/history`)).body.ops[1].at
  const then = await ann.get(`${place}/content?at=${encodeURIComponent(at)}`)
  assert.deepEqual([then.body.version, then.headers.get('etag')], [2, await tag(place, 2)])
})

test('another document under the id has other ETags', async () => {
  const place = await ann.create('one')
  const tags = []
  for (const content of ['one', 'two']) {
    const answers = await Promise.all(['content', 'blame'].map(what => ann.get(`${place}/${what}`, { 'if-none-match': tags.join(', ') || '"0"' })))
    assert.deepEqual(answers.map(({ status }) => status), [200, 200])
    assert.equal(answers[0].body.content, content)
    assert.equal(answers[0].headers.get('etag'), answers[1].headers.get('etag'))
    tags.push(answers[0].headers.get('etag'))
    await ann.delete(place)
    await ann.post('/v1/docs', { id: idOf(place), content: 'two' })
  }
  assert.notEqual(tags[0], tags[1])
})

test('a client that has the version gets 304, others do not', async () => {
  const place = await withPast()
  const [four, three, nine, five] = await Promise.all([4, 3, 9, 5].map(version => tag(place, version)))
  for (const known of [four, `W/${four}`, `"1", ${four}`]) {
    const answer = await ann.get(`${place}/content`, { 'if-none-match': known })
    assert.deepEqual([answer.status, answer.body, answer.headers.get('etag')], [304, '', four], known)
  }
  for (const known of [three, '"4"', four.replace('.4', '.44'), four.slice(1, -1), '4', '']) assert.equal((await ann.get(`${place}/content`, { 'if-none-match': known })).status, 200, known)
  assert.equal((await ann.get(`${place}/blame`, { 'if-none-match': four })).status, 304)
  assert.equal((await ann.get(`${place}/blame?version=2`, { 'if-none-match': four })).status, 200)
  await ann.post(`${place}/ops`, { operationId: uuid(), baseVersion: 4, op: ['x'] })
  assert.equal((await ann.get(`${place}/content`, { 'if-none-match': four })).status, 200)
  assert.equal((await ann.get(`${place}/content?version=9`, { 'if-none-match': nine })).body.code, 'OT007')
  const stranger = new User(relay, 'dan')
  for (const known of [five, four]) assert.equal((await stranger.get(`${place}/content?version=5`, { 'if-none-match': known })).status, 403)
})

test('an operation is applied once, transformed, and seen by WebSocket clients', async () => {
  const place = await ann.create('ab')
  const live = await new Raw(relay, idOf(place)).join('ann')
  const op = { operationId: uuid(), baseVersion: 0, op: [2, '😀'] }
  assert.deepEqual((await ann.post(`${place}/ops`, { operationId: uuid(), baseVersion: 0, op: ['>'] })).body.op, ['>'])
  const first = await ann.post(`${place}/ops`, op)
  assert.deepEqual([first.body.version, first.body.op, first.body.duplicate], [2, [3, '😀'], false])
  const second = await ann.post(`${place}/ops`, op)
  assert.deepEqual(second.body, { ...first.body, duplicate: true })
  assert.deepEqual([(await live.operation()).version, (await live.operation()).operationId], [1, op.operationId])
  const deleted = await ann.post(`${place}/ops`, { operationId: uuid(), baseVersion: 2, operationType: 'replace', position: 0, payload: '<', length: 1 })
  assert.deepEqual(deleted.body.op, ['<', { d: 1 }])
  assert.equal(await text(place), '<ab😀')
  live.end()
})

test('operations that cannot be applied say why', async () => {
  const place = await ann.create('ab')
  const post = op => ann.post(`${place}/ops`, { operationId: uuid(), baseVersion: 0, op: ['x'], ...op })
  const id = uuid()
  assert.equal((await post({ operationId: id })).status, 200)
  for (const [op, status, code] of [
    [{ operationId: id, op: ['y'] }, 409, 'OT004'], [{ op: [99, 'x'] }, 422, 'OT005'], [{ baseVersion: 7 }, 409, 'OT007'],
    [{ op: [-1] }, 400, '22P02'], [{ op: 'x' }, 400, '22P02'], [{ op: undefined }, 400, 'malformed'], [{ operationId: 'x' }, 400, 'malformed'],
    [{ baseVersion: -1 }, 400, 'malformed'], [{ baseVersion: 1.5 }, 400, 'malformed'], [{ op: ['\u0000'] }, 400, '22P05']]) {
    const answer = await post(op)
    assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(op))
  }
  assert.equal(await text(place), 'xab')
})

// ---- the past ----

test('history and changes are those of SQL, in pages too', async () => {
  const place = await withPast()
  const { body } = await ann.get(`${place}/history`)
  const rows = JSON.parse(await as('ann', `SELECT json_agg(json_build_array(version, seq, op_id, user_id, base_version, op::text::json)) FROM converge.history('${idOf(place)}')`))
  assert.deepEqual(body.ops.map(o => [o.version, o.sequenceId, o.operationId, o.userId, o.baseVersion, o.op]), rows)
  for (const [what, list] of [['history', 'ops'], ['changes', 'changes']]) {
    const all = (await ann.get(`${place}/${what}`)).body[list]
    const seen = []
    for (let at = `${place}/${what}?limit=2`, pages = 0; at; pages++) {
      const page = await ann.get(at)
      seen.push(...page.body[list])
      at = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1]
      assert.ok(pages < 2, 'two pages')
    }
    assert.deepEqual(seen, all)
    assert.deepEqual((await ann.get(`${place}/${what}?from=2&to=3`)).body[list].map(o => o.version).filter((v, i, l) => v !== l[i - 1]), [2, 3])
    const within = await ann.get(`${place}/${what}?from=1&to=3&limit=2`)
    assert.match(within.headers.get('link'), /from=3&to=3&limit=2>/)
  }
  const changes = JSON.parse(await as('ann', `SELECT json_agg(json_build_array(version, kind, pos, length, content)) FROM converge.changes('${idOf(place)}')`))
  assert.deepEqual((await ann.get(`${place}/changes`)).body.changes.map(c => [c.version, c.kind, c.pos, c.length, c.content]), changes)
})

test('pruned history begins at the oldest available version', async () => {
  const place = await withPast()
  await as('ann', `SELECT converge.prune('${idOf(place)}', 2)`)
  assert.deepEqual((await ann.get(`${place}/history`)).body.ops.map(o => o.version), [3, 4])
  assert.deepEqual([(await ann.get(`${place}/content?version=1`)).status, (await ann.get(`${place}/content?version=1`)).body.code], [409, 'OT001'])
  assert.equal((await ann.get(place)).body.floorVersion, 2)
})

test('a whole text is put, as JSON and as plain text', async () => {
  const place = await ann.create('one é\ntwo 😀\n')
  const first = await ann.get(`${place}/content`)
  const plain = await ann.get(`${place}/content`, { accept: 'text/plain' })
  assert.deepEqual([plain.status, plain.body, plain.headers.get('content-type'), plain.headers.get('vary')], [200, 'one é\ntwo 😀\n', 'text/plain; charset=utf-8', 'accept'])
  assert.equal(plain.headers.get('etag'), first.headers.get('etag'))
  assert.equal((await ann.get(`${place}/content`, { accept: 'application/json, text/plain' })).body.content, 'one é\ntwo 😀\n')
  assert.equal((await ann.get(`${place}/content`, { accept: 'text/plain', 'if-none-match': plain.headers.get('etag') })).status, 304)

  const put = (body, headers, query = '') => ann.ask('PUT', `${place}/content${query}`, body, headers)
  const asText = { 'content-type': 'text/plain; charset="UTF-8"' }
  const made = await put('one é\n2 😀\n', { ...asText, 'if-match': plain.headers.get('etag') })
  assert.deepEqual([made.status, made.body.version], [200, 1])
  assert.equal((await ann.get(`${place}/history`)).body.ops[0].op.length, 3)
  const late = await put('mine', { ...asText, 'if-match': plain.headers.get('etag') })
  assert.deepEqual([late.status, late.body.code], [412, 'precondition'])
  assert.equal((await put('one é\n2 😀\n', { ...asText, 'if-match': made.headers.get('etag') })).body.version, 1)

  // from a base, in either form
  assert.equal((await put({ content: 'ONE é\ntwo 😀\n', baseVersion: 0 })).body.version, 2)
  assert.equal((await put('one é\ntwo 😀\nthree\n', asText, '?baseVersion=0')).body.version, 3)
  assert.equal((await ann.get(`${place}/content`)).body.content, 'ONE é\n2 😀\nthree\n')
  assert.equal((await put({ content: 'x', baseVersion: 99 })).status, 409)

  // what is no text
  assert.equal((await put('a\0b', asText)).status, 400)
  assert.equal((await put('x', { 'content-type': 'text/plain; charset=latin1' })).status, 415)
  assert.equal((await put('x', { 'content-type': 'text/html' })).status, 415)
  assert.equal((await put({ other: 'x' })).status, 400)
  assert.equal((await ann.ask('POST', `${place}/revert`, 'x', asText)).status, 415)
  const broken = await relay.get(`${place}/content`, { method: 'PUT', headers: { ...asText, authorization: `Bearer ${ann.token}` }, body: Buffer.from([0x61, 0xff]) })
  assert.deepEqual([broken.status, (await broken.json()).code], [400, '22021'])
  assert.equal((await put('', asText)).body.version, 4)
  assert.equal(await text(place), '')
})

test('a difference comes in passages, and as patch takes it', async () => {
  const place = await ann.create('one\ntwo é\nthree')
  for (const content of ['zero\none\n2 é\nthree\n', '', 'three\n\ntwo é\n', '\n\n\nthree 😀']) await ann.put(`${place}/content`, { content })
  const { body } = await ann.get(`${place}/diff-rows?from=0&to=1&unit=lines`)
  assert.deepEqual(body.rows[0], { kind: 'inserted', fromPos: 0, toPos: 0, content: 'zero\n' })
  assert.equal((await ann.get(`${place}/diff-rows?from=0&to=1&unit=words`)).status, 400)
  const folder = fs.mkdtempSync('/tmp/converge-patch-')
  for (const [from, to, context] of [0, 1, 2, 3, 4].flatMap(from => [0, 1, 2, 3, 4].map(to => [from, to, (from + to) % 4]))) {
    const plain = await ann.get(`${place}/unified-diff?from=${from}&to=${to}&context=${context}`, { accept: 'text/plain' })
    assert.equal((await ann.get(`${place}/unified-diff?from=${from}&to=${to}&context=${context}`)).body.diff, plain.body)
    const of = async version => (await ann.get(`${place}/content?version=${version}`)).body.content
    fs.writeFileSync(`${folder}/text`, await of(from))
    fs.writeFileSync(`${folder}/diff`, plain.body)
    if (plain.body !== '') await promisify(execFile)('patch', ['--silent', `${folder}/text`, `${folder}/diff`])
    // patch removes a file of which nothing is left
    assert.equal(fs.existsSync(`${folder}/text`) ? fs.readFileSync(`${folder}/text`, 'utf8') : '', await of(to), `${from} to ${to}`)
  }
  fs.rmSync(folder, { recursive: true })
})

test('activity is that of SQL, in pages too', async () => {
  const place = await withPast()
  const { body } = await ann.get(`${place}/activity`)
  assert.deepEqual(body.sessions.map(s => [s.userId, s.fromVersion, s.toVersion, s.edits]), [['ben', 2, 4, 2], ['ann', 1, 3, 2]])
  const first = await ann.get(`${place}/activity?gap=0&since=2020-01-01&limit=3`)
  assert.deepEqual(first.body.sessions.map(s => s.fromVersion), [4, 3, 2])
  const next = /<([^>]*)>/.exec(first.headers.get('link'))[1]
  assert.deepEqual((await ann.get(next)).body.sessions.map(s => s.fromVersion), [1])
  const mine = (await ann.get('/v1/me/activity?author=ben&limit=1000')).body.sessions.filter(s => s.documentId === idOf(place))
  assert.deepEqual(mine.map(s => [s.userId, s.edits]), [['ben', 2]])
  assert.equal((await ann.get('/v1/me/activity?since=nonsense')).status, 400)
})

test('a range is undone, and a passage restored', async () => {
  const place = await withPast()
  const before = await text(place)
  assert.deepEqual((await ben.post(`${place}/undo-range`, { fromVersion: 1, toVersion: 4, userId: 'ben' })).body, { version: 5 })
  assert.equal((await ann.get(`${place}/history?from=5`)).body.ops[0].userId, 'ben')
  assert.deepEqual((await ann.post(`${place}/restore`, { version: 4, from: 0, to: before.length - 2 })).body, { version: 6 })
  assert.equal((await ann.post(`${place}/undo-range`, { fromVersion: 3, toVersion: 2 })).status, 400)
  assert.equal((await ann.post(`${place}/restore`, { version: 0, from: 0, to: 99 })).status, 422)
})

test('documents are found by title, and texts in their past, in pages too', async () => {
  const user = new User(relay, `finder ${uuid()}`)
  for (const title of ['Größe & Co', 'grösser', 'größer']) await user.create('', title)
  const first = await user.get('/v1/docs?limit=1&search=gr%C3%B6%C3%9Fe')
  assert.deepEqual(first.body.documents.map(d => d.title), ['größer'])
  const second = await user.get(/<([^>]*)>/.exec(first.headers.get('link'))[1])
  assert.deepEqual([second.body.documents.map(d => d.title), second.headers.get('link')], [['Größe & Co'], null])
  assert.deepEqual((await user.get('/v1/docs?search=%26%20C')).body.documents.map(d => d.title), ['Größe & Co'])

  const place = await withPast()
  const { body } = await ann.get(`${place}/occurrences?content=w%C3%B6rld`)
  assert.deepEqual(body.occurrences.map(o => [o.fromVersion, o.toVersion, o.insertedBy, o.deletedBy]), [[1, null, 'ann', null]])
  const l = await ann.get(`${place}/occurrences?content=l&limit=2`)
  assert.equal(l.body.occurrences.length, 2)
  assert.match(l.headers.get('link'), /after=2&content=l&limit=2/)
  assert.equal((await ann.get(/<([^>]*)>/.exec(l.headers.get('link'))[1])).body.occurrences.length, 1)
  assert.equal((await ann.get(`${place}/occurrences?content=`)).status, 400)
})

test('a document is forked, exported and imported', async () => {
  const place = await withPast()
  const cleo = new User(relay, 'cleo')
  assert.equal((await cleo.post(`${place}/fork`, {})).status, 403)
  const plain = await ben.post(`${place}/fork`, { version: 1 })
  assert.deepEqual([plain.status, plain.headers.get('location')], [201, `/v1/docs/${plain.body.documentId}`])
  assert.deepEqual([(await ben.get(plain.headers.get('location'))).body.version, (await ben.get(plain.headers.get('location'))).body.role], [0, 'owner'])
  const id = uuid()
  assert.deepEqual((await ben.post(`${place}/fork`, { withHistory: true, id })).body, { documentId: id })
  const ops = async (user, at) => (await user.get(`${at}/history`)).body.ops.map(({ sequenceId, ...op }) => op)
  assert.deepEqual(await ops(ben, `/v1/docs/${id}`), await ops(ann, place))
  assert.equal((await ben.post(`${place}/fork`, { withHistory: 'yes' })).status, 400)
  assert.equal((await ben.post(`${place}/fork`, { id })).status, 409)

  const { body } = await ben.get(`${place}/export`)
  const copy = await cleo.post('/v1/import', { data: body.data, title: 'mine' })
  assert.equal(copy.status, 201)
  const come = await ops(cleo, copy.headers.get('location'))
  assert.deepEqual(come, (await ops(ann, place)).map(op => ({ ...op, userId: `imported:${op.userId}` })))
  assert.equal((await cleo.post('/v1/import', { data: Buffer.from(body.data, 'base64').fill(0, 20, 40).toString('base64') })).status, 500)
  assert.equal((await cleo.post('/v1/import', { data: '!' })).status, 400)
  assert.equal((await cleo.post('/v1/import', { data: 'AAAA' })).status, 400)
})

test('a text is replaced wherever it stands', async () => {
  const place = await ann.create('é and é 😀')
  assert.deepEqual((await ann.post(`${place}/replace`, { from: 'é', to: 'e\u0301' })).body, { version: 1 })
  assert.equal(await text(place), 'e\u0301 and e\u0301 😀')
  assert.equal((await ann.post(`${place}/replace`, { from: '', to: 'x' })).status, 400)
})

test('the timeline is that of SQL', async () => {
  const place = await withPast()
  const { body } = await ann.get(`${place}/timeline?buckets=2`)
  const rows = JSON.parse(await as('ann', `SELECT json_agg(t) FROM converge.timeline('${idOf(place)}', 2) AS t`))
  assert.equal(rows.length, 2)
  assert.deepEqual(body.buckets.map((b) => [b.fromVersion, b.toVersion, b.edits, b.inserted, b.deleted, b.users]),
    rows.map((r) => [r.from_version, r.to_version, r.edits, r.inserted, r.deleted, r.users]))
  assert.equal((await ann.get(`${place}/timeline?buckets=0`)).status, 400)
})

test('blame and diff are those of SQL', async () => {
  const place = await withPast()
  const runs = JSON.parse(await as('ann', `SELECT json_agg(json_build_array(pos, content, user_id, version)) FROM converge.blame('${idOf(place)}', 3)`))
  assert.deepEqual((await ann.get(`${place}/blame?version=3`)).body.runs.map(r => [r.pos, r.content, r.userId, r.version]), runs)
  assert.equal((await ann.get(`${place}/blame`)).body.runs.map(r => r.content).join(''), await text(place))
  for (const [from, to] of [[0, 4], [4, 1]]) {
    const { body } = await ann.get(`${place}/diff?from=${from}&to=${to}`)
    assert.deepEqual(body, { fromVersion: from, version: to, op: JSON.parse(await as('ann', `SELECT converge.diff('${idOf(place)}', ${from}, ${to})`)) })
  }
})

test('undo, undo-last and revert are new operations', async () => {
  const place = await withPast()
  const { ops } = (await ann.get(`${place}/history`)).body
  const before = await text(place)
  assert.deepEqual((await ann.post(`${place}/undo`, { operationId: ops[1].operationId })).body, { version: 5 })
  assert.deepEqual((await ann.post(`${place}/undo-last`)).body, { version: 6 })
  assert.deepEqual((await ann.post(`${place}/undo-last`, { userId: 'ben' })).body, { version: 7 })
  assert.deepEqual((await ann.post(`${place}/undo-last`, { userId: 'nobody here' })).body, { version: null })
  assert.deepEqual((await ann.post(`${place}/revert`, { version: 4 })).body, { version: 8 })
  assert.equal(await text(place), before)
  assert.deepEqual([(await ann.post(`${place}/undo`, { operationId: uuid() })).status, (await ann.post(`${place}/revert`, { version: 99 })).status], [404, 409])
})

test('snapshots are taken, with a label or without, and listed', async () => {
  const place = await withPast()
  const taken = await ann.post(`${place}/snapshots`, { label: 'für später' })
  assert.deepEqual([taken.status, taken.body, taken.headers.get('location')], [201, { version: 4, label: 'für später' }, `${place}/content?version=4`])
  assert.equal((await ann.get(taken.headers.get('location'))).body.content, await text(place))
  assert.deepEqual((await ann.get(`${place}/snapshots`)).body.snapshots.map(s => [s.version, s.kind, s.label]), [[0, 'initial', null], [4, 'named', 'für später']])
  assert.equal((await ann.get(place)).body.snapshotVersion, 4)
})

test('a version can have several labels, and only an owner removes one', async () => {
  const place = await withPast()
  const labels = async () => (await ann.get(`${place}/snapshots`)).body.snapshots.filter(s => s.version === 4).map(s => [s.label, s.labelledBy])
  await ann.post(`${place}/snapshots`, { label: 'signed contract' })
  assert.equal((await ben.post(`${place}/snapshots`, { label: 'a/b//ü & c' })).status, 201)
  assert.deepEqual(await labels(), [['signed contract', 'ann'], ['a/b//ü & c', 'ben']])
  const junk = `${place}/labels?version=4&label=${encodeURIComponent('a/b//ü & c')}`
  assert.deepEqual([(await ben.delete(junk)).status, (await ben.delete(junk)).body.code], [403, 'OT002'])
  assert.deepEqual([(await ann.delete(junk)).status, (await ann.delete(junk)).body.code], [204, 'P0002'])
  assert.deepEqual(await labels(), [['signed contract', 'ann']])
  assert.equal((await ann.delete(`${place}/labels?version=x&label=y`)).status, 400)
  assert.equal((await ann.delete(`${place}/labels?version=4`)).status, 400)
})

// ---- members ----

test('members are given roles, lose them, and leave', async () => {
  const place = await ann.create()
  const roles = async () => Object.fromEntries((await ann.get(`${place}/members`)).body.members.map(m => [m.userId, m.role]))
  const odd = 'https://people.example//dörte?#%2F 😀'
  assert.deepEqual((await ann.put(`${place}/members/ben`, { role: 'editor' })).body, { userId: 'ben', name: null, role: 'editor' })
  assert.equal((await ann.put(`${place}/members/*`, { role: 'viewer' })).status, 200)
  assert.equal((await ann.put(`${place}/members/a%20b%2Fc`, { role: 'viewer' })).status, 200)
  assert.equal((await ann.put(`${place}/members`, { userId: odd, role: 'commenter' })).status, 200)
  assert.deepEqual(await roles(), { ann: 'owner', ben: 'editor', '*': 'viewer', 'a b/c': 'viewer', [odd]: 'commenter' })
  assert.equal((await ann.delete(`${place}/members?userId=${encodeURIComponent(odd)}`)).status, 204)
  assert.equal((await ann.delete(`${place}/members/a%20b%2Fc`)).status, 204)
  assert.equal((await ben.delete(`${place}/members/ben`)).status, 204)
  assert.deepEqual(await roles(), { ann: 'owner', '*': 'viewer' })
  assert.deepEqual([(await ann.delete(`${place}/members/ann`)).body.code, (await ann.put(`${place}/members/ben`, { role: 'king' })).body.code], ['OT002', '22P02'])
  assert.equal((await ann.put(`${place}/owner`, { userId: 'ben' })).status, 200)
  assert.deepEqual(await roles(), { ann: 'editor', ben: 'owner', '*': 'viewer' })
  assert.equal((await ann.get(place)).body.owner, 'ben', 'the document names the owner it has now')
})

test('a document that another table references is not deleted, with an error', async t => {
  const place = await ann.create()
  const table = `notes_${uuid().replaceAll('-', '')}`
  await sql(`CREATE TABLE ${table} (doc uuid REFERENCES converge.documents); INSERT INTO ${table} VALUES ('${idOf(place)}')`)
  t.after(() => sql(`DROP TABLE ${table}`))
  const refused = await ann.delete(place)
  assert.deepEqual([refused.status, refused.body.code, refused.headers.get('retry-after')], [409, '23503', null])
  assert.match(refused.body.detail, new RegExp(table))
  await sql(`DELETE FROM ${table}`)
  assert.equal((await ann.delete(place)).status, 204)
})

test('a violated constraint is 409 or 422, and a veto is 403', async t => {
  const place = await ann.create('x')
  const name = `t_${uuid().replaceAll('-', '')}`
  await sql(`CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF new.id = '${idOf(place)}' THEN
        RAISE EXCEPTION USING ERRCODE = new.title, MESSAGE = 'this title is not allowed';
      END IF;
      RETURN new;
    END $$;
    CREATE TRIGGER ${name} BEFORE UPDATE ON converge.documents FOR EACH ROW EXECUTE FUNCTION ${name}()`)
  t.after(() => sql(`DROP FUNCTION ${name} CASCADE`))
  for (const [code, status] of [['23503', 409], ['23505', 409], ['23P01', 409], ['23001', 409], ['23502', 422], ['23514', 422], ['P0001', 403], ['OT008', 403], ['ZZ123', 403]]) {
    const { status: given, body } = await ann.patch(place, { title: code })
    assert.deepEqual([given, body.code, body.detail], [status, code, 'this title is not allowed'])
  }
})

test('an operation that has already been undone is not undone again', async () => {
  const place = await withPast()
  const { ops } = (await ann.get(`${place}/history`)).body
  const undo = () => ann.post(`${place}/undo`, { operationId: ops[1].operationId })
  assert.equal((await undo()).status, 200)
  const again = await undo()
  assert.deepEqual([again.status, again.body.code], [409, '55000'])
})

// ---- accounts ----

test("the reference's example works as it stands there", async () => {
  const page = fs.readFileSync(new URL('../../doc/rest.md', import.meta.url), 'utf8')
  const example = /```sh\n([^]*?)```/.exec(page)[1]
    .replace('http://127.0.0.1:8080', `http://127.0.0.1:${relay.port}`).replaceAll('ann@example.org', `ann.${uuid()}@example.org`)
  const { stdout } = await promisify(execFile)('bash', ['-euc', example])
  const shown = JSON.parse(stdout)
  assert.deepEqual([shown.version, shown.content], [0, 'Boil the rice.'])
})

test('share answers with the name of the account, or null', async () => {
  const place = await ann.create()
  const made = await nobody.post('/v1/signup', { name: 'Fay', address: `fay.${uuid()}@example.org`, password: 'a good password' })
  const { userId } = made.body
  const misspelt = userId.replace(/.$/, last => last === '0' ? '1' : '0')
  for (const [id, name] of [[userId, 'Fay'], [misspelt, null]]) {
    assert.deepEqual((await ann.put(`${place}/members/${id}`, { role: 'viewer' })).body, { userId: id, name, role: 'viewer' })
    assert.deepEqual((await ann.put(`${place}/members`, { userId: id, role: 'viewer' })).body, { userId: id, name, role: 'viewer' })
  }
  assert.deepEqual((await ann.put(`${place}/owner`, { userId })).body, { userId, name: 'Fay', role: 'owner' })
})

test('closed sign-up creates no account, and reveals nothing about addresses', async t => {
  const cluster = await Cluster.make()
  t.after(() => cluster.remove())
  const account = { name: 'Ann', address: 'ann@example.org', password: 'a good password' }
  await sql('CREATE EXTENSION pgcrypto; ALTER DATABASE postgres SET converge.sign_up = off', cluster.env)
  await sql(`SET converge.sign_up = on; SELECT converge.sign_up('Ann', '${account.address}', '${account.password}')`, cluster.env)
  const own = await startRelay({}, cluster.env)
  t.after(() => own.stop())
  for (const address of [account.address, 'ben@example.org', 'not an address']) {
    const refused = await new User(own).post('/v1/signup', { ...account, address })
    assert.deepEqual([refused.status, refused.body.code, refused.body.detail], [403, 'OT002', 'sign-up is closed'], address)
  }
  assert.equal((await new User(own).post('/v1/login', account)).status, 200)
  assert.equal(await sql('SELECT count(*) FROM converge.users', cluster.env), '1')
})

test('an account is made, logs in, and its token is good everywhere', async () => {
  const address = `ann.${uuid()}@example.org`
  const made = await nobody.post('/v1/signup', { name: 'Ann É', address, password: 'a good password' })
  assert.deepEqual([made.status, Object.keys(made.body), made.headers.get('cache-control')], [201, ['userId', 'token', 'expires'], 'no-store'])
  const user = new User(relay)
  const login = await nobody.post('/v1/login', { address: address.toUpperCase(), password: 'a good password' })
  user.token = login.body.token
  assert.deepEqual((await user.get('/v1/me')).body, { userId: made.body.userId })
  const claims = JSON.parse(Buffer.from(user.token.split('.')[1], 'base64url'))
  assert.deepEqual([claims.sub, claims.exp - claims.iat, claims.exp], [made.body.userId, 43200, login.body.expires])
  const place = await user.create('mine')
  const live = await new Raw(relay, idOf(place)).opened()
  live.send({ type: 'hello', token: user.token })
  assert.equal((await live.expect('joined')).userId, made.body.userId)
  live.end()
  assert.deepEqual((await ann.get(`/v1/users?search=${encodeURIComponent(address)}`)).body.users, [{ userId: made.body.userId, name: 'Ann É' }])
  assert.deepEqual((await user.get(`${place}/members`)).body.members[0].name, 'Ann É')
  assert.deepEqual((await user.patch('/v1/me', { name: ' Anna ' })).body, { userId: made.body.userId, name: 'Anna' })
  assert.equal((await user.put('/v1/me/password', { oldPassword: 'wrong one', newPassword: 'another password' })).status, 403)
  assert.equal((await user.put('/v1/me/password', { oldPassword: 'a good password', newPassword: 'another password' })).status, 204)
  assert.equal((await nobody.post('/v1/login', { address, password: 'another password' })).status, 200)
  assert.equal((await nobody.post('/v1/signup', { name: 'x', address, password: 'a good password' })).status, 409)
})

test('an unknown address and a wrong password get the same answer; ten wrong ones are the limit', async () => {
  const address = `ben.${uuid()}@example.org`
  await nobody.post('/v1/signup', { name: 'Ben', address, password: 'a good password' })
  const wrong = await nobody.post('/v1/login', { address, password: 'not the password' })
  const unknown = await nobody.post('/v1/login', { address: `x${address}`, password: 'not the password' })
  assert.deepEqual([wrong.status, wrong.body], [unknown.status, unknown.body])
  assert.equal(wrong.status, 401)
  for (let i = 1; i < 10; i++) assert.equal((await nobody.post('/v1/login', { address, password: 'not the password' })).status, 401)
  const enough = await nobody.post('/v1/login', { address, password: 'a good password' })
  assert.deepEqual([enough.status, enough.body.code], [429, 'OT009'])
  const wait = Number(enough.headers.get('retry-after'))
  assert.ok(wait > 60 && wait <= 900, `Retry-After: ${wait}`)
  assert.equal((await nobody.post('/v1/login', { address: address.toUpperCase(), password: 'a good password' })).status, 429, 'nor by another spelling')
  await sql(`UPDATE converge.attempts SET since = since - interval '16 minutes' WHERE user_id = (SELECT id FROM converge.users WHERE address = ${quote(address)})`)
  assert.equal((await nobody.post('/v1/login', { address, password: 'a good password' })).status, 200, 'until the time is over')
})

test('concurrent wrong passwords are all counted, with and without an account', async t => {
  const wide = await startRelay({ 'login-rate': 0, callers: 8 })
  t.after(() => wide.stop())
  const account = { name: 'Dan', address: `dan.${uuid()}@example.org`, password: 'a good password' }
  const stranger = new User(wide)
  assert.equal((await stranger.post('/v1/signup', account)).status, 201)
  for (const address of [account.address, `nobody.${uuid()}@example.org`]) {
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => stranger.post('/v1/login', { address, password: `wrong ${i}` })))
    assert.deepEqual([401, 429].map(status => answers.filter(a => a.status === status).length), [10, 20], address)
  }
  assert.equal((await stranger.post('/v1/login', account)).status, 429, 'the right one comes too late')
})

test("a login clears the count of its account, and no other", async () => {
  const [ben, eve] = ['ben', 'eve'].map(name => ({ name, address: `${name}.${uuid()}@example.org`, password: 'a good password' }))
  for (const account of [ben, eve]) await nobody.post('/v1/signup', account)
  for (let i = 0; i < 10; i++) {
    assert.equal((await nobody.post('/v1/login', { ...ben, password: 'not the password' })).status, 401)
    assert.equal((await nobody.post('/v1/login', eve)).status, 200)
  }
  assert.equal((await nobody.post('/v1/login', ben)).status, 429)
  assert.equal((await nobody.post('/v1/login', eve)).status, 200)
})

test('a login returns a token with audience, issuer and kid; without a secret no token', async t => {
  const strict = await startRelay({ 'jwt-key': `one=${file('one', SECRET)}`, 'jwt-audience': 'docs', 'jwt-issuer': 'us', 'token-lifetime': 60 })
  t.after(() => strict.stop())
  const account = { name: 'Cleo', address: `cleo.${uuid()}@example.org`, password: 'a good password' }
  const { body } = await new User(strict).post('/v1/signup', account)
  const user = new User(strict)
  user.token = body.token
  assert.equal((await user.get('/v1/me')).body.userId, body.userId)
  const { publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const open = await startRelay({ 'jwt-key': file('public', publicKey.export({ type: 'spki', format: 'pem' })), 'jwt-alg': 'ES256' })
  t.after(() => open.stop())
  assert.deepEqual((await new User(open).post('/v1/login', account)).body, { userId: body.userId })
})

// ---- who and how often ----

test('without a valid token every route is refused', async () => {
  const place = await ann.create()
  for (const [given, error] of [[undefined, undefined], ['x', 'invalid_token'], [token('ann', { exp: 1 }), 'invalid_token'], [token('ann', {}, { secret: 'another secret, as long' }), 'invalid_token']]) {
    const user = new User(relay)
    user.token = given
    const answer = await user.get(place)
    assert.deepEqual([answer.status, answer.body.code], [401, 'unauthenticated'])
    assert.equal(answer.headers.get('www-authenticate'), error ? `Bearer error="${error}"` : 'Bearer')
    assert.equal((await user.get(`/v1/docs?token=${token('ann')}`)).status, 401)
  }
})

test('a user with too many requests is told when to retry, others are not affected', async t => {
  const busy = await startRelay({ 'call-rate': 1, 'call-burst': 5, 'login-rate': 1, 'login-burst': 2 })
  t.after(() => busy.stop())
  const answers = await Promise.all(Array.from({ length: 20 }, () => new User(busy, 'ann').get('/v1/me')))
  const refused = answers.filter(a => a.status === 429)
  assert.ok(refused.length >= 10 && answers.length - refused.length >= 5, `${refused.length} of 20`)
  assert.deepEqual([refused[0].body.code, Number(refused[0].headers.get('retry-after')) >= 1], ['rate_limited', true])
  assert.equal((await new User(busy, 'ben').get('/v1/me')).status, 200)
  const logins = await Promise.all(Array.from({ length: 8 }, () => new User(busy).post('/v1/login', { address: 'x@example.org', password: 'not the password' })))
  assert.ok(logins.some(a => a.status === 429) && logins.some(a => a.status === 401))
  assert.equal((await busy.metrics()).http_limited_total, refused.length + logins.filter(a => a.status === 429).length)
})

test('a change of roles counts from the next request on', async () => {
  const place = await ann.create('x')
  await ann.put(`${place}/members/ben`, { role: 'editor' })
  assert.equal((await ben.get(`${place}/content`)).status, 200)
  await ann.delete(`${place}/members/ben`)
  const refused = await ben.get(`${place}/content`)
  assert.deepEqual([refused.status, refused.body.code, refused.body.title], [403, 'OT002', 'Forbidden'])
})

// ---- requests that cannot be right ----

test('invalid requests are refused with the reason', async () => {
  const place = await ann.create()
  for (const [method, at, body, status, detail] of [
    ['GET', `${place}/content?vresion=1`, undefined, 400, /unknown argument "vresion"/],
    ['GET', `${place}/content?version=1&version=2`, undefined, 400, /version is given twice/],
    ['GET', `${place}/content?version=x`, undefined, 400, /version: "x" is not a whole number/],
    ['GET', `${place}/content?version=-1`, undefined, 400, /"-1" is not a whole number from 0/],
    ['GET', `${place}/content?version=99999999999999999999`, undefined, 400, /is not a whole number/],
    ['GET', `${place}/content?version=0&at=2026-01-01`, undefined, 400, /version and at cannot be used together/],
    ['GET', `${place}/content?at=yesterdayish`, undefined, 400, /yesterdayish/],
    ['GET', `${place}/history?limit=0`, undefined, 400, /from 1 to 1000/],
    ['GET', `${place}/history?limit=1001`, undefined, 400, /from 1 to 1000/],
    ['GET', `${place}/diff?from=0`, undefined, 400, /to is missing/],
    ['GET', '/v1/docs/no-uuid', undefined, 400, /no-uuid/],
    ['GET', '/v1/docs?before=x', undefined, 400, /x/],
    ['PATCH', place, {}, 400, /title is missing/],
    ['PATCH', place, { title: 7 }, 400, /title must be a string/],
    ['PATCH', place, { title: 'a\u0000b' }, 400, /title must not contain U\+0000/],
    ['PATCH', place, { title: 'x'.repeat(1001) }, 413, /1001 characters/],
    ['PATCH', place, '[]', 400, /must be a JSON object/],
    ['PATCH', place, '{"title":"x","title":"y"}', 400, /must be a JSON object/],
    ['PATCH', place, '{"title":"\\ud800"}', 400, /must be a JSON object/],
    ['POST', `${place}/revert`, { version: '1' }, 400, /version must be a whole number/]]) {
    const answer = await ann.ask(method, at, body)
    assert.equal(answer.status, status, `${method} ${at}: ${JSON.stringify(answer.body)}`)
    assert.match(answer.body.detail, detail)
    assert.equal(answer.headers.get('content-type'), 'application/problem+json')
  }
  assert.equal((await ann.ask('PATCH', place, 'title=x', { 'content-type': 'application/x-www-form-urlencoded' })).status, 415)
  assert.equal((await ann.ask('PATCH', place, '{"title":"ok"}', { 'content-type': 'Application/JSON; charset=utf-8' })).status, 200)
})

test('other methods and paths are refused with the supported methods', async () => {
  const place = await ann.create()
  const answer = await ann.ask('DELETE', `${place}/content`)
  assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'GET, PUT, OPTIONS'])
  assert.equal((await ann.ask('PUT', '/v1/docs')).headers.get('allow'), 'POST, GET, OPTIONS')
  for (const at of ['/v1/', '/v1/docs/', `${place}/`, `${place}/content/x`, `/v1/docs/${idOf(place)}/nothing`, '/v2/docs']) {
    assert.equal((await ann.get(at)).status, 404, at)
  }
  assert.equal((await ann.get(`/v1/collab/${idOf(place)}`)).status, 426)
})

test('the description is served as it stands in doc/', async () => {
  assert.deepEqual((await nobody.get('/v1/openapi.json')).body, description)
})

test('HEAD is GET without the body', async () => {
  const place = await ann.create('hello')
  const headers = { authorization: `Bearer ${ann.token}` }
  const [head, get] = await Promise.all(['HEAD', 'GET'].map(method => relay.get(`${place}/content`, { method, headers })))
  assert.deepEqual([head.status, head.headers.get('etag'), await head.text()], [200, await tag(place, 0), ''])
  assert.equal(head.headers.get('content-length'), get.headers.get('content-length'))
  assert.equal((await relay.get('/healthz', { method: 'HEAD' })).status, 200)
})

test('pages of other origins may use the API if they are listed, or all are', async t => {
  const listed = await startRelay({ origin: 'https://app.example' })
  t.after(() => listed.stop())
  const from = (where, origin, method = 'GET') => where.get('/v1/me', { method, headers: { origin, authorization: `Bearer ${ann.token}` } })
  const any = await from(relay, 'https://any.example')
  assert.deepEqual([any.status, any.headers.get('access-control-allow-origin')], [200, '*'])
  const good = await from(listed, 'https://app.example')
  assert.deepEqual([good.status, good.headers.get('access-control-allow-origin'), good.headers.get('vary')], [200, 'https://app.example', 'origin'])
  const bad = await from(listed, 'https://evil.example')
  assert.deepEqual([bad.status, bad.headers.get('access-control-allow-origin')], [403, null])
  const asked = await from(listed, 'https://app.example', 'OPTIONS')
  assert.equal(asked.status, 204)
  assert.match(asked.headers.get('access-control-allow-methods'), /PATCH/)
  assert.match(asked.headers.get('access-control-allow-headers'), /authorization/)
})

// ---- bodies, connections ----

// What comes back on a connection for these bytes, until it says all of `last`, or ends.
async function speak (bytes, last) {
  const socket = net.connect(relay.port, '127.0.0.1')
  let heard = ''
  let ended = false
  socket.on('data', data => { heard += data })
  socket.on('close', () => { ended = true })
  socket.on('error', () => {})
  socket.write(bytes)
  await until(`an answer to ${bytes.slice(0, 80)}`, () => ended || (last && heard.includes(last)))
  socket.destroy()
  return heard
}
const head = (method, at, more = '') => `${method} ${at} HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer ${ann.token}\r\nContent-Type: application/json\r\n${more}\r\n`

test('a body is bounded before it arrives, and must have a length', async () => {
  assert.match(await speak(head('POST', '/v1/docs', 'Content-Length: 1114113\r\n'), '1114112'), /^HTTP\/1.1 413 .*1114113 bytes, the limit is 1114112/s)
  assert.match(await speak(head('POST', '/v1/docs', 'Content-Length: 99999999999999999999999\r\n'), 'whole number'), /^HTTP\/1.1 400 /)
  assert.match(await speak(head('POST', '/v1/docs', 'Content-Length: -1\r\n'), 'whole number'), /^HTTP\/1.1 400 /)
  assert.match(await speak(head('POST', '/v1/docs', 'Transfer-Encoding: chunked\r\n') + '2\r\n{}\r\n0\r\n\r\n', 'Content-Length'), /^HTTP\/1.1 411 /)
  const large = 'é'.repeat(500000)
  const place = await ann.create(large)
  assert.equal((await ann.get(`${place}/content`)).body.content, large)
})

test('a body in small pieces is the same body', async () => {
  const body = JSON.stringify({ title: 'in pieces 😀', content: 'x'.repeat(5000) })
  const socket = net.connect(relay.port, '127.0.0.1')
  let heard = ''
  socket.on('data', data => { heard += data })
  const bytes = Buffer.from(head('POST', '/v1/docs', `Content-Length: ${Buffer.byteLength(body)}\r\n`) + body)
  for (let at = 0; at < bytes.length; at += 97) await new Promise(resolve => socket.write(bytes.subarray(at, at + 97), resolve))
  await until('the answer', () => heard.includes('in pieces'))
  assert.match(heard, /^HTTP\/1.1 201 /)
  socket.destroy()
})

test('of requests in one packet only the first is answered, and the connection ends', async () => {
  const answers = await speak(head('GET', '/v1/me') + head('GET', '/v1/users?search=zz') + head('GET', '/healthz'))
  // libwebsockets 4.3 tells of the second while the first's answer is awaited, 4.1 does not
  if (answers !== '') {
    assert.deepEqual(answers.match(/HTTP\/1.1 \d+/g), ['HTTP/1.1 200'])
    assert.match(answers, /connection: close\r\n[^]*userId/)
  }
  assert.equal((await ann.get('/v1/me')).status, 200)
})

// All rows of a list, page by page, and how many pages there were.
async function pages (place, field) {
  const rows = []
  let count = 0
  for (let at = place; at; count++) {
    const { status, headers, body } = await ann.get(at)
    assert.equal(status, 200)
    rows.push(...body[field])
    at = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1]
  }
  return { rows, count }
}

test('authors, members and snapshots come in pages', async () => {
  const place = await ann.create()
  await as('ann', `SELECT converge.share('${idOf(place)}', user_id, 'editor') FROM unnest(ARRAY['ben', 'a/b&c=d', 'zoë 😀', 'cid', '*']) AS user_id`)
  for (const user of ['ann', 'ben', 'cid', 'ann', 'ben']) await as(user, `SELECT converge.edit('${idOf(place)}', converge.insert(0, '日😀'))`)
  await as('ann', `SELECT converge.snapshot('${idOf(place)}', label) FROM unnest(ARRAY['one', 'zwölf', 'a, b', 'two']) AS label`)
  await as('ann', `SELECT converge.edit('${idOf(place)}', converge.insert(0, 'x'))`)
  await as('ann', `SELECT converge.snapshot('${idOf(place)}', NULL)`)
  for (const [route, field, least] of [['blame', 'runs', 6], ['members', 'members', 6], ['snapshots', 'snapshots', 5]]) {
    const whole = (await ann.get(`${place}/${route}`)).body[field]
    assert.ok(whole.length >= least, `${route}: ${whole.length}`)
    for (const limit of [1, 2, whole.length - 1, whole.length]) {
      const { rows, count } = await pages(`${place}/${route}?limit=${limit}`, field)
      assert.deepEqual(rows, whole)
      assert.equal(count, Math.ceil(whole.length / limit), `${route}?limit=${limit}`)
    }
    assert.equal((await ann.get(`${place}/${route}?after=no,such&pos=x`)).status, 400)
  }
})

test('pages are bounded in bytes as well, and every row comes', async () => {
  const place = await ann.create()
  await as('ann', `SELECT converge.edit('${idOf(place)}', converge.insert(0, repeat('日', 600000))) FROM generate_series(1, 6)`)
  for (const [route, field] of [['history', 'ops'], ['changes', 'changes'], ['blame', 'runs']]) {
    const { rows, count } = await pages(`${place}/${route}`, field)
    assert.equal(rows.length, 6)
    assert.ok(count >= 2, `${route}: ${count} pages`)
    assert.deepEqual(rows.map(row => row.version).sort(), [1, 2, 3, 4, 5, 6])
  }
})

test('a long answer to a slow reader arrives whole, and then the connection ends', async () => {
  const content = '日本語'.repeat(2500000) // more than sockets hold
  const id = await as('ann', "SELECT converge.create_document('', repeat('日本語', 2500000))")
  const socket = net.connect(relay.port, '127.0.0.1')
  const pieces = []
  let ended = false
  socket.on('end', () => { ended = true })
  socket.write(head('GET', `/v1/docs/${id}/content`))
  await until('the answer to begin', () => socket.readableLength > 0)
  assert.equal((await ann.get('/v1/me')).status, 200)
  socket.on('data', data => pieces.push(data))
  await until('its end', () => ended)
  assert.equal(JSON.parse(Buffer.concat(pieces).toString().split('\r\n\r\n')[1]).content, content)
})

test('many requests at once are all answered', async () => {
  const place = await ann.create('')
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => ann.post(`${place}/ops`, { operationId: uuid(), baseVersion: 0, op: [`${i} `] })))
  assert.deepEqual(new Set(answers.map(a => a.status)), new Set([200]))
  assert.deepEqual(answers.map(a => a.body.version).sort((a, b) => a - b), answers.map((_, i) => i + 1))
})

test('a client that disconnects while it waits cancels its request; the next one is served', async t => {
  const place = await ann.create()
  const holder = new Session()
  t.after(() => holder.close())
  await holder.run(`BEGIN; SELECT FROM converge.heads WHERE doc_id = '${idOf(place)}' FOR UPDATE`)
  const waits = async () => Number(await sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'rename_document'"))
  const sockets = Array.from({ length: 6 }, () => net.connect(relay.port, '127.0.0.1'))
  const title = JSON.stringify({ title: 'never' })
  for (const socket of sockets) socket.write(head('PATCH', place, `Content-Length: ${title.length}\r\n`) + title)
  await until('one of them to wait in PostgreSQL, and no more', async () => await waits() === 1)
  const others = new User(relay, 'ben')
  for (let n = 0; n < 3; n++) assert.equal((await others.get('/v1/me')).status, 200)
  assert.equal(await waits(), 1)
  sockets.forEach(socket => socket.destroy())
  await until('nobody to wait, though the document is still locked', async () => await waits() === 0)
  const calls = async () => (await relay.metrics()).calls_total
  const before = await calls()
  assert.ok((await relay.metrics()).pg_cancels_total > 0)
  await holder.run('COMMIT')
  assert.equal((await ann.patch(place, { title: 'now' })).status, 200)
  assert.equal(await calls(), before + 1)
  assert.equal((await ann.get(place)).body.title, 'now')
})

test('calls whose clients go while PostgreSQL works for them cost as much as some more', async t => {
  const place = await ann.create()
  const small = await startRelay({ 'call-rate': 1, 'call-burst': 11 })
  const holder = new Session()
  t.after(() => holder.close())
  await holder.run(`BEGIN; SELECT FROM converge.heads WHERE doc_id = '${idOf(place)}' FOR UPDATE`)
  const title = JSON.stringify({ title: 'never' })
  for (let n = 1; n <= 3; n++) {
    const socket = net.connect(small.port, '127.0.0.1')
    socket.write(head('PATCH', place, `Content-Length: ${title.length}\r\n`) + title)
    await until('it to wait in PostgreSQL', async () => Number(await sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'rename_document'")) === 1)
    socket.destroy()
    await until('its end', async () => (await small.metrics()).pg_cancels_total === n)
  }
  assert.equal((await new User(small, 'ann').get('/v1/me')).status, 429)
  assert.equal((await new User(small, 'ben').get('/v1/me')).status, 200)
})

test('a request that PostgreSQL rolled back is retried; one whose connection was lost is in doubt', async t => {
  const place = await ann.create()
  const holder = new Session()
  t.after(() => holder.close())
  await holder.run(`BEGIN; SELECT FROM converge.heads WHERE doc_id = '${idOf(place)}' FOR UPDATE`)
  const renamed = ann.patch(place, { title: 'x' })
  const waiter = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'rename_document'"
  const pid = await until('it to wait', () => sql(waiter))
  await sql(`SELECT pg_terminate_backend(${pid})`)
  const answer = await within('the answer', renamed)
  assert.deepEqual([answer.status, Number(answer.headers.get('retry-after')) > 0], [503, true])
  await holder.run('COMMIT')
  assert.equal((await ann.get(place)).body.title, 'a title')
})

test('without pgcrypto there are no accounts, and no connection is lost; a recreated extension is used', async t => {
  const cluster = await Cluster.make()
  t.after(() => cluster.remove())
  const own = await startRelay({}, cluster.env)
  t.after(() => own.stop())
  const before = (await own.metrics()).pg_reconnects_total
  for (const [place, account] of [['signup', { name: 'Ann', address: 'ann@example.org', password: 'a good password' }], ['login', { address: 'ann@example.org', password: 'a good password' }]]) {
    const answer = await new User(own).post(`/v1/${place}`, account)
    assert.deepEqual([answer.status, answer.body.code], [501, '0A000'])
  }
  assert.equal((await own.metrics()).pg_reconnects_total, before)

  // nor does it when the extension is another one
  const ann = new User(own, 'ann')
  const share = async () => (await ann.put(`${await ann.create()}/members/ben`, { role: 'editor' })).status
  assert.equal(await share(), 200)
  await sql(`DROP EXTENSION converge CASCADE; CREATE EXTENSION converge;
    SELECT converge.allow_relay('${process.env.CONVERGE_TEST_ROLE}')`, cluster.env)
  for (let call = 0; call < 8; call++) assert.equal(await share(), 200)
})

test('a request waits for a restart of PostgreSQL, and gets 503 if that takes too long', async t => {
  const cluster = await Cluster.make()
  t.after(() => cluster.remove())
  const own = await startRelay({}, cluster.env)
  t.after(() => own.stop())
  const user = new User(own, 'ann')
  const place = await user.create('kept')
  await cluster.stop('immediate')
  const waiting = user.post(`${place}/ops`, { operationId: uuid(), baseVersion: 0, op: ['x'] })
  await until('a call to wait', async () => (await own.metrics()).calls_total === 2)
  await cluster.start()
  assert.equal((await waiting).body.version, 1)
  await cluster.stop('immediate')
  const late = await user.get(`${place}/content`)
  assert.deepEqual([late.status, late.body.code, Number(late.headers.get('retry-after')) > 0], [503, 'unavailable', true])
})

// ---- operators ----

test('the largest documents are told to operators alone, also those that they may not read', async () => {
  const own = await startRelay({ operator: 'olga,ör', 'login-rate': 0 })
  try {
    const place = await ann.create('é'.repeat(20000))
    const path = '/v1/operator/documents'
    for (const user of ['ann', 'olg', 'olga2', 'Olga', 'o']) {
      const { status, body } = await new User(own, user).get(path)
      assert.deepEqual([status, body.code], [403, 'forbidden'], user)
      assert.match(body.detail, /--operator/)
    }
    assert.equal((await new User(own).get(path)).status, 401)
    // by default nobody is one
    assert.equal((await new User(relay, 'olga').get(path)).status, 403)
    for (const user of ['olga', 'ör']) {
      const { status, body } = await new User(own, user).get(`${path}?limit=1000`)
      assert.equal(status, 200)
      const found = body.documents.find(({ documentId }) => documentId === idOf(place))
      assert.deepEqual([found.length, found.version], [20000, 0])
      assert.equal(found.bytes, found.packBytes + found.snapshotBytes + found.logBytes)
      assert.ok(found.snapshotBytes > 100, `${found.snapshotBytes}`)
      const sizes = body.documents.map(({ bytes }) => bytes)
      assert.deepEqual(sizes, sizes.toSorted((a, b) => b - a))
      assert.equal((await new User(own, user).get(`/v1/docs/${idOf(place)}`)).status, 403)
    }
    assert.equal((await new User(own, 'olga').get(`${path}?limit=1`)).body.documents.length, 1)
    for (const limit of ['0', '1001', 'x']) assert.equal((await new User(own, 'olga').get(`${path}?limit=${limit}`)).status, 400, limit)
  } finally {
    await own.stop()
  }
})

// ---- talk ----

test('threads are begun, answered, resolved, listed where they are, and deleted', async () => {
  const place = await ann.create('Boil the 😀 rice.')
  await ann.put(`${place}/members/ben`, { role: 'editor' })
  const [threadId, id, second] = [uuid(), uuid(), uuid()]
  const said = { body: 'which?', from: 11, to: 15, version: 0, threadId, id }
  const made = await ann.post(`${place}/threads`, said)
  assert.deepEqual([made.status, made.body.threadId, made.body.id, made.body.events.map(e => e.type)], [201, threadId, id, ['thread', 'comment']])
  assert.equal(made.headers.get('location'), `${place}/threads`)
  assert.deepEqual((await ann.post(`${place}/threads`, said)).body, made.body)
  assert.equal((await ann.post(`${place}/threads`, { ...said, body: 'what?' })).body.code, 'OT004')
  assert.deepEqual([(await ben.post(`${place}/threads/${threadId}/comments`, { body: 'brown', id: second })).body.id, (await ben.post(`${place}/threads/${uuid()}/comments`, { body: 'x' })).status], [second, 404])
  await ben.post(`${place}/ops`, { operationId: uuid(), baseVersion: 0, op: ['> '] })
  const { version, changed, threads } = (await ben.get(`${place}/threads`)).body
  assert.deepEqual([version, changed, threads.map(t => [t.id, t.from, t.to, t.orphan, t.alive, t.quote, t.length, t.prefix, t.suffix, t.comments.map(c => [c.id, c.body])])],
    [1, 3, [[threadId, 13, 17, false, true, 'rice', 4, 'Boil the 😀 ', '.', [[id, 'which?'], [second, 'brown']]]]])
  assert.deepEqual((await ben.get(`${place}/threads?version=0`)).body.threads.map(t => [t.from, t.to]), [[11, 15]])
  assert.equal((await ben.get(`${place}/threads?version=9`)).status, 409)
  await ben.post(`${place}/ops`, { operationId: uuid(), baseVersion: 1, op: [12, { d: 2 }] })
  await ben.post(`${place}/ops`, { operationId: uuid(), baseVersion: 2, op: [12, '_'] })
  const where = async query => (await ben.get(`${place}/threads${query}`)).body.threads.map(t => [t.from, t.to, t.orphan, t.alive])
  assert.deepEqual([await where('?version=1'), await where('?version=2'), await where('')], [[[13, 17, false, true]], [[12, 15, false, false]], [[12, 16, false, false]]])
  assert.equal((await ben.patch(`${place}/threads/${threadId}`, { resolved: true })).body.resolvedBy, 'ben')
  assert.equal((await ben.patch(`${place}/threads/${threadId}`, { resolved: 'yes' })).body.detail, 'resolved must be true or false')
  assert.equal((await ben.patch(`${place}/comments/${id}`, { body: 'x' })).status, 403)
  assert.equal((await ann.patch(`${place}/comments/${id}`, { body: 'which one?' })).body.body, 'which one?')
  for (const comment of [id, second]) assert.equal((await ann.delete(`${place}/comments/${comment}`)).status, 204)
  assert.deepEqual((await ann.get(`${place}/threads`)).body.threads, [])
  assert.equal((await ann.patch(`${place}/threads/${threadId}/comments`, { resolved: false })).status, 405)
})

test('suggestions are made, shown as they are, decided and withdrawn', async () => {
  const place = await ann.create('Boil the rice.')
  await ann.put(`${place}/members/ben`, { role: 'editor' })
  const ids = [uuid(), uuid(), uuid(), uuid()]
  const ops = [[9, 'pasta', { d: 4 }], [{ d: 5 }], [14, '!'], [{ d: 1 }]]
  for (const [n, id] of ids.entries()) assert.equal((await ann.post(`${place}/suggestions`, { baseVersion: 0, op: ops[n], note: 'why', id })).status, 201)
  assert.equal((await ann.post(`${place}/suggestions`, { baseVersion: 0, op: 'x' })).body.detail, 'op must be a list')
  assert.equal((await ann.post(`${place}/suggestions`, { baseVersion: 0, op: [15, 'x'] })).status, 422)
  const accepted = (await ben.post(`${place}/suggestions/${ids[0]}/decision`, { accept: true })).body
  assert.deepEqual([accepted.type, accepted.status, accepted.version, accepted.decidedBy], ['decide', 'accepted', 1, 'ben'])
  assert.deepEqual((await ben.get(`${place}/suggestions`)).body.suggestions.map(s => [s.id, s.op, s.stale]), [[ids[1], ops[1], false], [ids[2], [15, '!'], false], [ids[3], ops[3], false]])
  const refused = await ben.post(`${place}/decisions`, { ids: [ids[1], ids[3]], accept: true })
  assert.deepEqual([refused.status, refused.body.detail, await text(place)], [409, `suggestion ${ids[3]} is stale`, 'Boil the pasta.'])
  assert.deepEqual((await ben.post(`${place}/decisions`, { ids: [ids[2], ids[1]], accept: true })).body, { suggestions: [{ id: ids[2], version: 2 }, { id: ids[1], version: 3 }] })
  assert.equal(await text(place), 'the pasta.!')
  assert.deepEqual((await ben.get(`${place}/suggestions`)).body.suggestions.map(s => [s.id, s.stale]), [[ids[3], true]])
  assert.deepEqual([(await ben.post(`${place}/suggestions/${ids[3]}/decision`, { accept: true })).status, (await ben.delete(`${place}/suggestions/${ids[3]}`)).status], [409, 403])
  assert.equal((await ann.delete(`${place}/suggestions/${ids[3]}`)).status, 204)
  assert.equal((await ben.post(`${place}/decisions`, { ids: ['x'], accept: true })).body.detail, 'ids must be a list of uuids')
})

// a document of nine passages, some at the same place, and nine suggestions
async function talkative () {
  const place = await ann.create('0123456789 日😀')
  await as('ann', `SELECT converge.comment('${idOf(place)}', 'c' || n, n % 3, 12 - n % 2) FROM generate_series(1, 9) AS n`)
  await as('ann', `SELECT converge.suggest('${idOf(place)}', 0, converge.insert(n, 's' || n)) FROM generate_series(1, 9) AS n`)
  return place
}

test('threads and suggestions come in pages, each once and in the order of the whole list', async () => {
  const [place, silent] = [await talkative(), await ann.create()]
  for (const field of ['threads', 'suggestions']) {
    const whole = (await ann.get(`${place}/${field}`)).body[field]
    assert.equal(whole.length, 9)
    for (const limit of [1, 2, 8, 9, 10]) {
      const { rows, count } = await pages(`${place}/${field}?limit=${limit}`, field)
      assert.deepEqual(rows, whole)
      assert.equal(count, Math.ceil(9 / limit), `${field}?limit=${limit}`)
    }
    for (const of of [place, silent]) {
      for (const after of ['no', '1', '1,2,3', '1,2,3,x', '99999999999999999999,1,1,1', ',']) {
        assert.equal((await ann.get(`${of}/${field}?after=${after}`)).status, 400, `${field}?after=${after}`)
      }
    }
    assert.deepEqual((await ann.get(`${silent}/${field}`)).body[field], [])
    for (const limit of [0, 1001, 'x']) assert.equal((await ann.get(`${place}/${field}?limit=${limit}`)).status, 400)
  }
})

test('all pages of threads and suggestions are of the version of the first', async () => {
  const place = await talkative()
  for (const field of ['threads', 'suggestions']) {
    const whole = (await ann.get(`${place}/${field}`)).body
    const seen = []
    for (let at = `${place}/${field}?limit=2`; at;) {
      const { headers, body } = await ann.get(at)
      assert.equal(body.version, whole.version)
      seen.push(...body[field])
      at = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1]
      if (at) assert.equal(new URL(at, 'http://x').searchParams.get('version'), String(whole.version))
      await as('ann', `SELECT converge.edit('${idOf(place)}', '["<<<",{"d":1}]')`)
    }
    assert.deepEqual(seen, whole[field])
  }
})

test('a thread that is deleted, or comes, between two pages leaves the others as they are', async () => {
  const place = await talkative()
  const whole = (await ann.get(`${place}/threads`)).body.threads
  const first = await ann.get(`${place}/threads?limit=4`)
  await ann.delete(`${place}/comments/${whole[3].comments[0].id}`)
  await ann.delete(`${place}/comments/${whole[6].comments[0].id}`)
  await ann.post(`${place}/threads`, { body: 'new', from: 0, to: 1, version: 0 })
  const { rows } = await pages(/^<([^>]+)>/.exec(first.headers.get('link'))[1], 'threads')
  assert.deepEqual([...first.body.threads, ...rows], whole.filter((_, n) => n !== 6))
})

test('pages of threads and suggestions are bounded in bytes, by what is said in them', async () => {
  const place = await ann.create('日😀')
  const thread = await as('ann', `SELECT converge.comment('${idOf(place)}', 'first', 0, 1)`)
  await as('ann', `SELECT converge.reply('${idOf(place)}', '${thread}', repeat('日', 10000)) FROM generate_series(1, 150)`)
  await as('ann', `SELECT converge.comment('${idOf(place)}', 'more', 1, 2) FROM generate_series(1, 3)`)
  await as('ann', `SELECT converge.suggest('${idOf(place)}', 0, converge.insert(n % 3, repeat('日', 20000))) FROM generate_series(1, 90) AS n`)
  const threads = await pages(`${place}/threads`, 'threads')
  assert.deepEqual([threads.count, threads.rows.map(t => t.comments.length)], [2, [151, 1, 1, 1]])
  const suggestions = await pages(`${place}/suggestions`, 'suggestions')
  assert.deepEqual([suggestions.count, new Set(suggestions.rows.map(s => s.id)).size], [2, 90])
})

test('the chat is read in pages, and what was read is noted', async () => {
  const place = await ann.create('é')
  await ann.put(`${place}/members/ben`, { role: 'viewer' })
  for (const n of [1, 2, 3, 4, 5]) await ann.post(`${place}/messages`, { body: `${n} @ben 😀` })
  const all = []
  for (let next = `${place}/messages?limit=2`; next;) {
    const page = await ben.get(next)
    all.push(...page.body.messages.map(m => m.body[0]))
    next = /<(.*)>; rel="next"/.exec(page.headers.get('link'))?.[1]
  }
  assert.deepEqual(all, ['5', '4', '3', '2', '1'])
  assert.deepEqual((await ben.get(`${place}/read`)).body, { lastRead: 0, messages: 5, comments: 0, mentions: 5 })
  assert.deepEqual((await ben.put(`${place}/read`, { changed: 3 })).body, { lastRead: 3 })
  assert.deepEqual((await ben.get(`${place}/read`)).body, { lastRead: 3, messages: 2, comments: 0, mentions: 2 })
  assert.equal((await ben.get(`${place}/messages?before=${uuid()}`)).status, 404)
})

test('what came or changed is listed in pages, up to a number', async () => {
  const place = await ann.create('é')
  await ann.post(`${place}/threads`, { body: 'x', from: 0, to: 1 })
  for (const n of [1, 2, 3]) await ann.post(`${place}/messages`, { body: String(n) })
  const seen = []
  for (let next = `${place}/talk?limit=2`; next;) {
    const page = await ann.get(next)
    seen.push([page.body.changed, page.body.events.map(e => e.changed)])
    next = /<(.*)>; rel="next"/.exec(page.headers.get('link'))?.[1]
  }
  assert.deepEqual(seen, [[2, [1, 2]], [4, [3, 4]], [5, [5]]])
  assert.deepEqual((await ann.get(`${place}/talk?since=5`)).body, { changed: 5, events: [] })
})
