// Two recorded authors type one text together through a relay, each a client of this
// package, and in the end everything must be equal: bench/demo --node starts it.
//
//   node bench/replay.mjs --relay HOST:PORT --jwt-key FILE [--at PERCENT=COMMAND ...] TRACE.json.gz
//
// An author types an edit when they have seen all that they had seen in the trace, or more:
// this client keeps one op in flight and composes the rest, so that at times the other's text
// comes earlier than it did. Where a place of the trace is not there then, the end of the text
// is meant. So it is the clients, the database and its history that are compared, not the
// trace's own text.

import { execFile, spawn } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import { parseArgs, promisify } from 'node:util'
import zlib from 'node:zlib'
import WebSocket from 'ws'
import { Client } from '../src/index.js'

const { values, positionals: [file] } = parseArgs({ allowPositionals: true, options: { relay: { type: 'string' }, 'jwt-key': { type: 'string' }, at: { type: 'string', multiple: true, default: [] }, compose: { type: 'boolean' }, dsn: { type: 'string' } } })
const { txns, endContent } = JSON.parse(zlib.gunzipSync(fs.readFileSync(file)))
const NAMES = ['ann', 'ben']
const run = promisify(execFile)
const sql = async statement => (await run('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', statement], { maxBuffer: 1 << 28 })).stdout.trim()

// ---- the trace ----

/** For each edit: who made it, and how many edits of each author it knew. */
const edits = []
for (const { agent, parents, patches } of txns) {
  const knows = [0, 1].map(author => Math.max(0, ...parents.map(parent => edits[parent].knows[author] + (edits[parent].agent === author ? 1 : 0))))
  edits.push({ agent, knows, patches })
}
const byAuthor = [0, 1].map(author => edits.filter(edit => edit.agent === author))

// ---- the authors ----

const key = fs.readFileSync(values['jwt-key'], 'utf8')
const part = value => Buffer.from(JSON.stringify(value)).toString('base64url')
function token (sub) {
  const content = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub })}`
  return `${content}.${crypto.createHmac('sha256', key).update(content).digest('base64url')}`
}

const commands = values.at.map(each => /^(\d+)=(.*)$/s.exec(each)).map(([, percent, command]) => ({ at: Math.ceil(edits.length * percent / 100), command }))
let typed = 0
/** @type {number[][]} the versions that made each author's edits */
const committed = [[], []]
const failures = []

/** What is to happen when so much is typed; typing goes on meanwhile. */
function happen () {
  for (const each of commands.splice(0)) {
    if (typed < each.at) commands.push(each)
    else spawn('sh', ['-c', each.command], { stdio: 'ignore' }).on('exit', code => { if (code !== 0) failures.push(`${each.command} ended with ${code}`) })
  }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

async function author (index, document) {
  const other = 1 - index
  let since = 0
  for (const [number, { knows, patches }] of byAuthor[index].entries()) {
    while (knows[other] > 0 && !(committed[other][knows[other] - 1] <= document.version)) await turn()
    for (const [at, gone, insert] of patches) {
      const { length } = document
      const from = Math.min(at, length)
      const edit = document.edit({ from, to: Math.min(from + gone, length), insert })
      edit.committed.then(({ version }) => { committed[index][number] = version }, error => failures.push(error.message))
    }
    typed++
    happen()
    if (++since % 20 === 0) await turn()
  }
  await document.saved()
}

const doc = await sql("SELECT converge.create_document('a demonstration', '')")
for (const name of NAMES) await sql(`SELECT converge.share('${doc}', '${name}', 'editor')`)
const clients = NAMES.map(name => new Client({ url: `http://${values.relay}`, token: () => token(name), WebSocket }))
const documents = clients.map(client => client.open(doc))
await Promise.all(documents.map(document => document.loaded))
let reconnections = 0
for (const document of documents) {
  document.on('status', status => { if (status === 'reconnecting') reconnections++ })
  document.on('rejected', ({ code, message }) => failures.push(`${code}: ${message}`))
}
const started = performance.now()
await Promise.all(documents.map((document, index) => author(index, document)))
const seconds = (performance.now() - started) / 1000
const version = Number(await sql(`SELECT version FROM converge.heads WHERE doc_id = '${doc}'`))
while (documents.some(document => document.version < version)) await turn()

// ---- everything is compared ----

const text = (await sql(`SELECT encode(convert_to(converge.content('${doc}'), 'UTF8'), 'hex')`)).trim()
const hex = string => Buffer.from(string).toString('hex')
const problems = Number(await sql(`SELECT count(*) FROM converge.verify('${doc}')`))
const ids = Number(await sql(`SELECT count(DISTINCT op_id) FROM converge.ops WHERE doc_id = '${doc}'`))
const checks = [
  ...documents.map((document, index) => [`text, ${NAMES[index]}'s client against the database`, hex(document.text) === text]),
  ['history, replayed by verify', problems === 0],
  ['every operation once', ids === version],
  ['every edit committed', committed.every((versions, index) => versions.filter(each => each > 0).length === byAuthor[index].length)],
  ['nothing refused, nothing failed', failures.length === 0]
]
const row = (name, value) => console.log(`${name.padEnd(44)} ${value}`)
row('document', doc)
row('edits typed by two authors at once', edits.length)
row('operations committed', version)
row('edits a second', `${Math.round(edits.length / seconds)} in ${seconds.toFixed(1)} s`)
row('reconnections', reconnections)
row('characters, and in the trace', `${documents[0].length}, ${endContent.length}`)
for (const [name, equal] of checks) row(name, equal ? 'equal' : 'DIFFERENT')
for (const failure of failures.slice(0, 5)) console.log(failure)
await Promise.all(clients.map(client => client.close()))
process.exitCode = checks.every(([, equal]) => equal) ? 0 : 1
