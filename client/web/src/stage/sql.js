/**
 * Statements are sent to the demonstration's PostgreSQL through a document: a line a
 * statement, which the demonstration's program runs as a role that may do little, and puts
 * the answer beside. So no more is open to the network than documents are.
 */

/** @import { Document } from 'converge-client' */

/** @typedef {{ id: string, sql: string, by: string, answer?: string, failed?: boolean }} Statement */

/** @param {string} text @returns {Statement[]} */
export function statementsOf (text) {
  return text.split('\n').flatMap(line => {
    try {
      return line === '' ? [] : [JSON.parse(line)]
    } catch {
      return []
    }
  })
}

/**
 * Have a statement run.
 * @param {Document} document
 * @param {string} sql
 * @param {string} by
 * @returns {Promise<Statement>} with its answer
 */
export async function run (document, sql, by) {
  await document.loaded
  const id = crypto.randomUUID()
  /** @type {Promise<Statement>} */
  const answered = new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(() => reject(new Error('no answer came: is the demonstration still running?'))), 15_000)
    const off = document.on('change', () => {
      const found = statementsOf(document.text).find(statement => statement.id === id && statement.answer !== undefined)
      if (found) end(() => resolve(found))
    })
    const end = (/** @type {() => void} */ tell) => {
      clearTimeout(timer)
      off()
      tell()
    }
  })
  document.edit({ from: document.length, insert: `${JSON.stringify({ id, sql, by })}\n` })
  return answered
}
