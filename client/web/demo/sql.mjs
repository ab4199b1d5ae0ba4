// The statements that visitors write into the console's document are run by psql, as a role
// that may edit the document on show and do little else, and answered in the same line.

import { spawn } from 'node:child_process'

const LONGEST_ANSWER = 4000
const LONGEST_STATEMENT = 2000
const KEPT = 20
const BOUND_MS = 5000

/**
 * Run a statement. A newline stands before it, since psql takes what begins with a backslash
 * for a command of its own; anything else it hands on as it is. It reads nothing.
 */
export function run (sql, role) {
  return new Promise(resolve => {
    const env = { ...process.env, PGUSER: role, PGOPTIONS: '-c statement_timeout=3s -c lock_timeout=2s -c idle_in_transaction_session_timeout=3s' }
    const psql = spawn('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-P', 'pager=off', '-P', 'null=∅', '-c', `\n${sql}`], { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: BOUND_MS })
    let answer = ''
    const take = data => {
      answer += data
      if (answer.length > 20 * LONGEST_ANSWER) psql.kill()
    }
    psql.stdout.setEncoding('utf8').on('data', take)
    psql.stderr.setEncoding('utf8').on('data', take)
    psql.on('error', error => resolve({ answer: String(error), failed: true }))
    psql.on('close', code => resolve({ answer: shorten(answer) || 'done', failed: code !== 0 }))
  })
}

const shorten = text => {
  const characters = [...text.trimEnd()]
  return characters.length > LONGEST_ANSWER ? `${characters.slice(0, LONGEST_ANSWER).join('')}…` : characters.join('')
}

const read = line => {
  try {
    const value = JSON.parse(line)
    return typeof value?.id === 'string' && typeof value.sql === 'string' ? value : null
  } catch {
    return null
  }
}

/** Answer what is written into the console, one after the other. */
export async function serve (console, { role, document }) {
  await console.loaded
  const seen = new Set()
  let working = false
  const work = async () => {
    if (working) return
    working = true
    for (let next; (next = unanswered());) {
      seen.add(next.id)
      const sql = next.sql.slice(0, LONGEST_STATEMENT).replaceAll(':doc', `'${document}'::uuid`)
      answer(next, await run(sql, role))
    }
    working = false
  }
  const unanswered = () => console.text.split('\n').map(read).find(statement => statement !== null && statement.answer === undefined && !seen.has(statement.id))

  // put the answer beside the statement, and drop the oldest lines
  const answer = (statement, { answer, failed }) => {
    const lines = console.text.split('\n')
    let from = 0
    for (const line of lines) {
      if (read(line)?.id === statement.id) {
        console.edit({ from, to: from + line.length, insert: JSON.stringify({ ...statement, answer, failed }) })
        break
      }
      from += line.length + 1
    }
    const rest = lines.slice(0, Math.max(0, lines.length - KEPT)).join('\n').length
    if (rest > 0) console.edit({ from: 0, to: rest + 1 })
  }
  console.on('change', () => { work() })
  await work()
}
