// PostgreSQL by psql: no driver is needed for a handful of statements.

import { spawn, execFile } from 'node:child_process'
import crypto from 'node:crypto'
import { promisify } from 'node:util'
import { BOUND_MS, until, within } from './wait.mjs'

const run = promisify(execFile)
const QUIET = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1']

// What an argument of a program may have, with room for the rest.
const ARGUMENT_BYTES = 100000

// The answer to a statement as text, a line a row.
export async function sql (statement, env = process.env) {
  const long = Buffer.byteLength(statement) > ARGUMENT_BYTES
  const asked = run('psql', [...QUIET, ...(long ? ['-1', '-f', '-'] : ['-c', statement])], { env, timeout: BOUND_MS, maxBuffer: 1 << 28 })
  if (long) asked.child.stdin.end(statement)
  const { stdout } = await asked
  return stdout.replace(/\n$/, '')
}

export const quote = text => `'${text.replaceAll("'", "''")}'`

// A new document, shared with everybody as editors.
export async function createDocument (content = '', { role = 'editor', env } = {}) {
  return sql(`SELECT doc FROM converge.create_document('a title', ${quote(content)}) AS doc,
    LATERAL (SELECT converge.share(doc, '*', '${role}')) AS shared`, env)
}

export const content = (doc, env) => sql(`SELECT converge.content('${doc}')`, env)
export const version = async (doc, env) => Number(await sql(`SELECT version FROM converge.heads WHERE doc_id = '${doc}'`, env))
export const edit = async (doc, op, env) => Number(await sql(`SELECT converge.edit('${doc}', ${quote(JSON.stringify(op))})`, env))

// A session that stays, for transactions that hold locks.
export class Session {
  constructor (env = process.env) {
    this.psql = spawn('psql', QUIET, { env, stdio: ['pipe', 'pipe', 'inherit'] })
    this.output = ''
    this.marks = 0
    this.psql.stdout.on('data', data => { this.output += data })
  }

  // Run statements and wait until they are done.
  async run (statements) {
    const mark = `-- done ${++this.marks} --`
    this.psql.stdin.write(`${statements};\n\\echo ${mark}\n`)
    await until(`psql to run ${statements}`, () => this.output.includes(mark))
  }

  async close () {
    const ended = new Promise(resolve => this.psql.once('exit', resolve))
    this.psql.stdin.end()
    await within('psql to end', ended)
  }
}

// Call a function for each operation inserted; the body may raise.
export async function withTrigger (body, use, { deferred = false, env } = {}) {
  const name = `t${crypto.randomUUID().replaceAll('-', '')}`
  await sql(`CREATE SEQUENCE ${name}_calls; GRANT USAGE ON ${name}_calls TO PUBLIC;
    CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body.replaceAll('CALLS', `'${name}_calls'`)} RETURN NEW; END $$;
    CREATE ${deferred ? 'CONSTRAINT ' : ''}TRIGGER ${name} ${deferred ? 'AFTER' : 'BEFORE'} INSERT ON converge.ops
    ${deferred ? 'DEFERRABLE INITIALLY DEFERRED' : ''} FOR EACH ROW EXECUTE FUNCTION ${name}()`, env)
  try {
    return await use()
  } finally {
    await sql(`DROP TRIGGER ${name} ON converge.ops; DROP FUNCTION ${name}; DROP SEQUENCE ${name}_calls`, env)
  }
}
