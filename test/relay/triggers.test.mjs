// Triggers see one world: what doc/triggers.md shows at psql is so for the clients of a relay.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { content, createDocument, Session, sql, version } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { User } from './lib/rest.mjs'
import { until } from './lib/wait.mjs'

const DATABASE = 'converge_relay_triggers'
const ROLE = process.env.CONVERGE_TEST_ROLE
const env = { ...process.env, PGDATABASE: DATABASE }
const page = fs.readFileSync(new URL('../../doc/triggers.md', import.meta.url), 'utf8')
let relay

// A database of its own, with all that the page creates.
before(async () => {
  await sql(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`)
  await sql(`CREATE DATABASE ${DATABASE}`)
  await sql(`CREATE EXTENSION converge; SELECT converge.allow_relay('${ROLE}')`, env)
  const created = [...page.matchAll(/^```sql\n(CREATE [^]*?)^```$/gm)].map(([, block]) => block)
  assert.ok(created.length >= 7)
  for (const block of created) await sql(block, env)
  relay = await startRelay({ dsn: `user=${ROLE} dbname=${DATABASE}` })
})
after(async () => {
  await relay.stop()
  await sql(`DROP DATABASE ${DATABASE} WITH (FORCE)`)
})

// A document of ann, in which everybody writes.
async function documentOfAnn (text) {
  const doc = await createDocument(text, { env })
  await sql(`SELECT converge.share('${doc}', 'ann', 'owner')`, env)
  return doc
}

const join = (doc, ...names) => Promise.all(names.map(name => new Raw(relay, doc).join(name)))

// The answer to each of these operations, when all have come, under its id.
async function answers (client, ids) {
  const found = new Map()
  while (!ids.every(id => found.has(id))) {
    const message = await client.take()
    for (const answer of message.ops ?? [message]) found.set(answer.operationId, answer)
  }
  return ids.map(id => found.get(id))
}

test('veto: the author\'s role counts, in a batch each author\'s own', async () => {
  const doc = await documentOfAnn('')
  await sql(`INSERT INTO hooks.frozen VALUES ('${doc}', 'The board reads it.')`, env)
  const [ann, ben] = await join(doc, 'ann', 'ben')
  const sent = Array.from({ length: 20 }, (_, n) => [ann.op(0, [`${n} `]), ben.op(0, ['no'])])
  for (const answer of await answers(ann, sent.map(([id]) => id))) assert.equal(answer.userId, 'ann')
  for (const answer of await answers(ben, sent.map(([, id]) => id))) {
    assert.deepEqual([answer.type, answer.code, answer.message], ['reject', 'forbidden', 'the document is frozen'])
  }
  assert.equal(await version(doc, env), 20)
  ann.end()
  ben.end()
})

test('quota: what is over it is rejected, and the rest is not', async () => {
  const doc = await documentOfAnn('')
  await sql(`INSERT INTO hooks.quota VALUES ('${doc}', 3)`, env)
  const [ann, ben] = await join(doc, 'ann', 'ben')
  const ids = Array.from({ length: 5 }, () => ben.op(0, ['b']))
  const codes = (await answers(ben, ids)).map(answer => answer.code ?? 'in')
  assert.deepEqual(codes, ['in', 'in', 'in', 'forbidden', 'forbidden'])
  const [answer] = await answers(ann, [ann.op(3, ['a'])])
  assert.equal(answer.version, 4)
  ann.end()
  ben.end()
})

test('audit: who wrote, and through which role it came', async () => {
  const doc = await documentOfAnn('')
  const [ann, ben] = await join(doc, 'ann', 'ben')
  await answers(ann, [ann.op(0, ['é'])])
  await answers(ben, [ben.op(1, ['😀'])])
  const rest = new User(relay, 'cleo é')
  const done = await rest.ask('POST', `/v1/docs/${doc}/ops`, { operationId: crypto.randomUUID(), baseVersion: 2, op: ['日'] })
  assert.equal(done.status, 200)
  assert.equal(await sql(`SELECT string_agg(concat_ws(' ', user_id, role, via), ', ' ORDER BY version) FROM hooks.audit WHERE doc_id = '${doc}'`, env),
    `ann owner ${ROLE}, ben editor ${ROLE}, cleo é editor ${ROLE}`)
  ann.end()
  ben.end()
})

test('a tsvector column is brought up to date by its job', async () => {
  const doc = await documentOfAnn('')
  const [ann] = await join(doc, 'ann')
  await answers(ann, Array.from({ length: 30 }, (_, n) => ann.op(0, [`word${n} `])))
  assert.equal(await sql(`SELECT count(*) FROM hooks.search WHERE doc_id = '${doc}'`, env), '0')
  await sql('SELECT hooks.refresh_search()', env)
  assert.equal(await sql(`SELECT body FROM hooks.search WHERE doc_id = '${doc}' AND words @@ to_tsquery('simple', 'word7 & word29')`, env), await content(doc, env))
  assert.equal(await sql(`SELECT count(*) FROM hooks.search_due WHERE doc_id = '${doc}'`, env), '0')
  ann.end()
})

test('a job that runs while an edit has yet to commit does not take its mark away', async () => {
  const doc = await documentOfAnn('')
  const [ann] = await join(doc, 'ann')
  await answers(ann, [ann.op(0, ['a'])])
  const slow = new Session(env)
  await slow.run(`BEGIN; SELECT converge.edit('${doc}', '["b"]')`)
  assert.equal(await sql('SELECT hooks.refresh_search()', env), '0')
  await slow.run('COMMIT')
  await slow.close()
  await sql('SELECT hooks.refresh_search()', env)
  assert.equal(await sql(`SELECT body FROM hooks.search WHERE doc_id = '${doc}'`, env), 'ba')
  ann.end()
})

test('notifying: a message for each commit', async () => {
  const doc = await documentOfAnn('')
  const listener = new Session(env)
  await listener.run('LISTEN documents')
  const [ann] = await join(doc, 'ann')
  await answers(ann, [ann.op(0, ['é'])])
  await until('the notification', async () => {
    await listener.run('SELECT 1')
    return listener.output.includes(`{"doc" : "${doc}", "version" : 1}`)
  })
  await listener.close()
  ann.end()
})

test('a deferred trigger acts for the author, and its error rejects the operation', async () => {
  const doc = await documentOfAnn('# head')
  await sql(`INSERT INTO hooks.headed VALUES ('${doc}')`, env)
  const [ann, ben] = await join(doc, 'ann', 'ben')
  const sent = [ann.op(0, [6, '!']), ben.op(0, ['x']), ann.op(0, [6, '?'])]
  const [first, last] = await answers(ann, [sent[0], sent[2]])
  assert.deepEqual([first.userId, last.userId], ['ann', 'ann'])
  const [rejected] = await answers(ben, [sent[1]])
  assert.deepEqual([rejected.code, rejected.message], ['forbidden', 'the document must begin with a heading'])
  assert.match(await content(doc, env), /^# head[!?]{2}$/)
  ann.end()
  ben.end()
})

test('whatever the entry point, a trigger sees the same', async () => {
  await sql(`CREATE TABLE seen (entry serial, world text); GRANT ALL ON seen, seen_entry_seq TO PUBLIC;
    CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO seen (world) VALUES (concat_ws(' ', TG_NAME, current_user, current_setting('search_path'), converge.acting_user(), new.user_id, converge.my_role(new.doc_id), length(converge.content(new.doc_id)) > 0));
      RETURN new; END $$;
    CREATE TRIGGER see_before BEFORE INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION see();
    CREATE TRIGGER see_after AFTER INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION see();
    CREATE CONSTRAINT TRIGGER see_late AFTER INSERT ON converge.ops DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION see()`, env)
  const doc = await documentOfAnn('text')
  const rest = new User(relay, 'ann')
  const [ann] = await join(doc, 'ann')
  const operationId = crypto.randomUUID()
  await answers(ann, [ann.op(0, ['WebSocket '], operationId)])
  for (const [path, body] of [['ops', { operationId: crypto.randomUUID(), baseVersion: 1, op: ['REST '] }],
    ['undo', { operationId }], ['undo-last', {}], ['revert', { version: 1 }]]) {
    const done = await rest.ask('POST', `/v1/docs/${doc}/${path}`, body)
    assert.equal(done.status, 200, `${path}: ${JSON.stringify(done.body)}`)
  }
  const path = await sql('SHOW search_path', env)
  const worlds = (await sql('SELECT DISTINCT world FROM seen ORDER BY world', env)).split('\n')
  assert.deepEqual(worlds, ['after', 'before', 'late'].map(when => `see_${when} ${ROLE} ${path} ann ann owner t`))
  assert.equal(await sql('SELECT count(*) FROM seen', env), '15')
  await sql('DROP FUNCTION see() CASCADE', env)
  ann.end()
})
