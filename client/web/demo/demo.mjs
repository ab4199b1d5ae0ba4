// What moves in the demonstration: it makes the documents, tells the page of them, and has
// two people write; statements that visitors send are run. It lives until it is ended.
//
//   node demo.mjs FOLDER    the page's, as it is served; the relay's address is in
//                           DEMO_RELAY, its key in the file DEMO_KEY names, PostgreSQL where
//                           libpq's variables say

import { execFileSync } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { WebSocket } from 'ws'
import { Client } from '../../src/index.js'
import { serve } from './sql.mjs'
import { WELCOME, write } from './writers.mjs'

const ROLE = 'converge_visitor'
const TOKEN_DAYS = 30
const folder = process.argv[2]
const relay = process.env.DEMO_RELAY
const secret = fs.readFileSync(process.env.DEMO_KEY, 'utf8').trimEnd()

// with the colour of each, as the page numbers them
const USERS = [['ann', 'Ann', 0], ['ben', 'Ben', 6], ['carla', 'Carla', 3], ['dan', 'Dan', 4]]
const COLORS = { carla: '#8a3ea8', dan: '#9a5b00' }

const part = value => Buffer.from(JSON.stringify(value)).toString('base64url')
function token (sub) {
  const content = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub, exp: Math.floor(Date.now() / 1000) + TOKEN_DAYS * 86400 })}`
  return `${content}.${crypto.createHmac('sha256', secret).update(content).digest('base64url')}`
}

const psql = sql => execFileSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1'], { input: sql, encoding: 'utf8' }).trim()
const quoted = text => `'${text.replaceAll("'", "''")}'`

// The role of the SQL box: it may connect and edit what is shared with it, no more.
psql(`
SET client_min_messages = warning;
DO $$ BEGIN CREATE ROLE ${ROLE} LOGIN CONNECTION LIMIT 4; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY, CREATE ON DATABASE %I FROM PUBLIC', current_database()); END $$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea), pg_notify(text, text) FROM PUBLIC;
`)
const create = (title, content, owner) => psql(`BEGIN; SET LOCAL converge."user" = ${quoted(owner)}; SELECT converge.create_document(${quoted(title)}, ${quoted(content)}); COMMIT`)
const share = (id, owner, user, role) => psql(`BEGIN; SET LOCAL converge."user" = ${quoted(owner)}; SELECT converge.share(${quoted(id)}, ${quoted(user)}, ${quoted(role)}); COMMIT`)

const document = create('Harvest supper', WELCOME, 'ann')
share(document, 'ann', '*', 'editor')
for (const [id] of USERS.slice(1)) share(document, 'ann', id, 'editor')
share(document, 'ann', ROLE, 'editor')
const console_ = create('Statements of the SQL box', '', 'console')
share(console_, 'console', '*', 'editor')

const client = user => new Client({ url: relay, token: async () => token(user), WebSocket })
const users = USERS.map(([id, name, slot]) => ({ id, name, slot, token: token(id) }))
const config = { demo: { users, document, console: console_, observer: token('visitor'), sqlUser: { id: ROLE, slot: 2 } } }
fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config))

const stop = new AbortController()
for (const [n, [id, name]] of USERS.slice(2).entries()) {
  const opened = client(id).open(document)
  opened.presence.set({ name, color: COLORS[id] })
  write(opened, id, stop.signal, n * 1800)
}
serve(client('console').open(console_), { role: ROLE, document })
process.stdout.write(`${document}\n`)
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0))
