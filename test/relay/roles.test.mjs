// Who may do what, for SQL, WebSocket and HTTP alike: every cell of the tables in
// lib/roles.mjs, and that they have a row for everything there is.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { quote, sql } from './lib/pg.mjs'
import { newId, Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { functions, messages, paths, people, routes, tables, touches } from './lib/roles.mjs'
import { Witness } from './lib/streamed.mjs'
import { token } from './lib/token.mjs'

const names = Object.keys(people)
const cells = outcomes => outcomes.trim().split(/ +/)
const source = name => fs.readFileSync(new URL(`../../relay/${name}`, import.meta.url), 'utf8')

// Documents of ann's with every role, or some that everyone may read; each has an
// operation, ben's or its owner's, and a comment and a suggestion of its owner's.
async function create (place, count = 1) {
  const members = place === 'open' ? { '*': 'viewer' } : { ben: 'editor', cleo: 'commenter', dan: 'viewer' }
  const [owner, writer] = place === 'open' ? ['fred', 'fred'] : ['ann é', 'ben']
  const made = await sql(`BEGIN;
    SET LOCAL converge."user" = ${quote(owner)};
    CREATE TEMP TABLE made ON COMMIT DROP AS SELECT converge.create_document('a title', 'text') AS doc FROM generate_series(1, ${count});
    SELECT ${Object.entries(members).map(([user, role]) => `sum(length(converge.share(doc, ${quote(user)}, '${role}')::text))`)} FROM made;
    SET LOCAL converge."user" = ${quote(writer)};
    CREATE TEMP TABLE written ON COMMIT DROP AS SELECT doc, op_id FROM made, LATERAL (SELECT gen_random_uuid() AS op_id) AS o, LATERAL converge.apply_op(doc, op_id, 0, '["é"]');
    SET LOCAL converge."user" = ${quote(owner)};
    SELECT 'made', doc, op_id, converge.comment(doc, 'é', 0, 1, 1, gen_random_uuid(), md5(doc::text)::uuid), md5(doc::text)::uuid, converge.suggest(doc, 1, '["é"]') FROM written;
    COMMIT`)
  return made.split('\n').filter(line => line.startsWith('made|')).map(line => line.split('|')).map(([, doc, op, thread, comment, suggestion]) => ({ doc, op, thread, comment, suggestion }))
}

const edit = (doc, user) => sql(`BEGIN; SET LOCAL converge."user" = ${quote(user)}; SELECT converge.edit('${doc}', '["é"]'); COMMIT`)

let relay
let witness
const docs = {}
before(async () => {
  await sql('CREATE EXTENSION IF NOT EXISTS pgcrypto')
  relay = await startRelay({ 'login-rate': 0 })
  witness = new Witness(relay)
  for (const place of ['closed', 'open']) {
    docs[place] = (await create(place))[0].doc
  }
})
after(async () => {
  await witness.end()
  await relay.stop()
})

// ---- SQL ----

// The outcomes of statements for everybody: sessions of database roles of these names,
// in one transaction that leaves nothing behind.
async function outcomesOf (statements) {
  const place = (text, person) => text.replaceAll('$doc', `'${docs[people[person].place]}'::uuid`)
    .replaceAll('$op', `(SELECT op_id FROM pg_temp.first_ops WHERE doc_id = '${docs[people[person].place]}')`)
  const lines = await sql(`BEGIN;
    SET LOCAL client_min_messages = warning;
    CREATE FUNCTION pg_temp.tried(statement text) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
      found bigint;
    BEGIN
      EXECUTE statement;
      GET DIAGNOSTICS found = ROW_COUNT;
      RAISE SQLSTATE 'DONE0' USING MESSAGE = CASE found WHEN 0 THEN 'none' ELSE 'ok' END;
    EXCEPTION WHEN OTHERS THEN
      RETURN CASE SQLSTATE WHEN 'DONE0' THEN SQLERRM ELSE SQLSTATE END;
    END
    $$;
    CREATE TEMP TABLE first_ops AS SELECT doc_id, op_id FROM converge.ops WHERE version = 1;
    GRANT SELECT ON first_ops TO PUBLIC;
    -- for the tables that have a row only of a document with a past
    DO $$
    DECLARE
      doc record;
    BEGIN
      FOR doc IN SELECT id, owner FROM converge.documents WHERE id IN ('${docs.closed}', '${docs.open}') LOOP
        PERFORM set_config('converge.user', doc.owner, true);
        PERFORM converge.edit(doc.id, '["é"]'), converge.edit(doc.id, '["😀"]');
        PERFORM converge.undo_last(doc.id), converge.snapshot(doc.id, 'kept'), converge.pack(doc.id, 2);
        PERFORM converge.comment(doc.id, 'é', 0, 1), converge.suggest(doc.id, 0, '["é"]'), converge.say(doc.id, '😀'), converge.mark_read(doc.id, 4);
        PERFORM converge.begin_presence(doc.id, 30);
        PERFORM converge.write_presence(doc.id, jsonb_build_array(jsonb_build_object('doc_id', doc.id, 'client_id', doc.id, 'user_id', doc.owner, 'since', 0)), '[]');
      END LOOP;
    END
    $$;
    RESET converge."user";
    ${names.map(name => `CREATE ROLE "${people[name].user}";`).join('\n')}
    ${names.map(name => `SET SESSION AUTHORIZATION "${people[name].user}";
      ${statements.map(statement => `SELECT pg_temp.tried(${quote(place(statement, name))});`).join('\n')}
      RESET SESSION AUTHORIZATION;`).join('\n')}
    ROLLBACK`)
  const answers = lines.split('\n')
  assert.equal(answers.length, statements.length * names.length, lines.slice(0, 1000))
  return statements.map((statement, n) => names.map((name, m) => answers[m * statements.length + n]))
}

// Compare a row with what came, person by person.
const compare = (came, outcomes) => assert.deepEqual(
  Object.fromEntries(names.map((name, n) => [name, came[n]])), Object.fromEntries(names.map((name, n) => [name, cells(outcomes)[n]])))

test('every function, for every role', async t => {
  const call = ([signature, args]) => signature === 'maintain()' ? 'CALL converge.maintain()' : `SELECT count(x) FROM converge.${signature.split('(')[0]}(${args}) AS x`
  const calls = functions.map(row => row[0] === 'compose_agg(op)' ? "SELECT converge.compose_agg('[]')" : call(row))
  const came = await outcomesOf(calls)
  for (const [n, [signature, , outcomes]] of functions.entries()) await t.test(signature, () => compare(came[n], outcomes))
})

test('every table, for every role', async t => {
  const came = await outcomesOf(tables.map(([name, where]) => `SELECT FROM converge.${name} WHERE ${where}`))
  for (const [n, [name, , outcomes]] of tables.entries()) await t.test(`reading ${name}`, () => compare(came[n], outcomes))
  const columns = Object.fromEntries((await sql(`SELECT attrelid::regclass, min(attname) FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
    WHERE relnamespace = 'converge'::regnamespace AND attnum > 0 GROUP BY 1`)).split('\n').map(line => line.split('|')))
  const places = Object.entries(touches).flatMap(([how, statement]) => tables.map(([name]) => [how, name,
    statement.replaceAll('$table', `converge.${name}`).replaceAll('$column', columns[`converge.${name}`])]))
  const touched = await outcomesOf(places.map(([, , statement]) => statement))
  for (const [n, [how, name, statement]] of places.entries()) {
    // the owner's own refusal comes first where the kind of relation is wrong
    await t.test(`${how}: ${name}`, () => touched[n].forEach((came, m) => assert.match(came, /^(42501|42809|55000|0A000)$/, `${names[m]}: ${statement}`)))
  }
})

// ---- WebSocket ----

// Get as far as a message's place; a stranger gets as far as his refusal.
async function approach (client, after) {
  for (const type of after) {
    client.send(type === 'hello' ? client.hello : { type, sequenceId: client.snapshot.sequenceId })
    if (type !== 'hello') continue
    const answer = await client.take()
    if (answer.type === 'joined') client.snapshot = await client.expect('snapshot')
  }
}

// The outcome of a message for one person.
async function outcome (row, person) {
  const { user, place } = people[person]
  const [{ doc, ...made }] = await create(place)
  await witness.streamed()
  const owner = place === 'open' ? 'fred' : 'ann é'
  const client = await new Raw(relay, doc).opened()
  const hello = person === 'nobody' ? { type: 'hello' } : { type: 'hello', token: token(user) }
  const life = await sql(`SELECT life FROM converge.documents WHERE id = '${doc}'`)
  Object.assign(client, { user, doc, hello, life, made, own: newId(), typed: () => edit(doc, owner) })
  try {
    if (person !== 'nobody') await approach(client, person === 'stranger' ? row.after.slice(0, 1) : row.after)
    client.send(row.say(client, token))
    return await row.answer(client)
  } catch (error) {
    if (!client.closed && !client.messages.some(m => m.type === 'error')) throw error
    return String((await client.close()).code)
  } finally {
    client.end()
  }
}

test('every message, from every role', async t => {
  for (const row of messages) {
    await t.test(`${row.type}: ${row.what}`, async () => compare(await Promise.all(names.map(name => outcome(row, name))), row.outcomes))
  }
})

// ---- HTTP ----

test('every path, for every role', async t => {
  for (const [method, path, outcomes] of paths) {
    await t.test(`${method} ${path}`, async () => compare(await Promise.all(names.map(async name => {
      const headers = name === 'nobody' ? {} : { Authorization: `Bearer ${token(people[name].user)}` }
      return String((await relay.get(path, { method, headers })).status)
    })), outcomes))
  }
})

test('every route, for every role', async t => {
  const fresh = { closed: await create('closed', routes.length * names.length), open: await create('open', routes.length) }
  for (const [method, path, outcomes, given] of routes) {
    const ask = async name => {
      const { user, place } = people[name]
      const { doc, op, thread, comment, suggestion } = fresh[place].pop()
      const headers = { 'Content-Type': 'application/json', ...(name === 'nobody' ? {} : { Authorization: `Bearer ${token(user)}` }) }
      const fill = text => text.replace('{id}', doc).replace('{user}', 'fred').replace('{op}', op).replace('{thread}', thread).replace('{comment}', comment).replace('{suggestion}', suggestion).replaceAll('{new}', () => newId())
      const inUrl = given && (method === 'GET' || method === 'DELETE')
      const body = given && !inUrl ? fill(JSON.stringify(given)) : undefined
      return String((await relay.get(fill(path) + (inUrl ? `?${new URLSearchParams(given)}` : ''), { method, headers, body })).status)
    }
    // one that locks all of a user's documents comes after another
    const alone = method === 'DELETE' && path === '/v1/me'
    await t.test(`${method} ${path}`, async () => {
      const came = []
      for (const name of names) came.push(alone ? await ask(name) : ask(name))
      compare(await Promise.all(came), outcomes)
    })
  }
})

// ---- nothing is missing ----

const sameSet = (rows, real) => assert.deepEqual([...new Set(rows)].sort(), [...new Set(real)].sort())

test('the table has every function', async () => {
  sameSet(functions.map(row => row[0]), (await sql(`SET search_path = converge, pg_catalog; SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'converge'::regnamespace`)).split('\n'))
})

test('every table, view and sequence', async () => {
  sameSet(tables.map(row => row[0]), (await sql("SELECT relname FROM pg_class WHERE relnamespace = 'converge'::regnamespace AND relkind NOT IN ('i', 't', 'c')")).split('\n'))
})

test('every message', () => {
  const handlers = /handlers\[\][^{]*\{(.*?)\n\};/s.exec(source('session/messages.c'))[1]
  sameSet(messages.map(row => row.type), [...handlers.matchAll(/\{"(\w+)"/g)].map(found => found[1]))
})

test('every path', () => {
  const table = /routes\[\][^{]*\{(.*?)\n\};/s.exec(source('http/http.c'))[1]
  sameSet(paths.map(row => row[1]), [...table.matchAll(/\{"([^"]+)"/g)].map(found => found[1]))
})

test('and every route', () => {
  const table = /rest_routes\[\][^{]*\{(.*?)\n\};/s.exec(source('http/rest_routes.c'))[1]
  sameSet(routes.map(([method, path]) => `${method} ${path}`), [...table.matchAll(/\{"([A-Z]+)", "([^"]+)"/g)].map(found => `${found[1]} ${found[2]}`))
})
