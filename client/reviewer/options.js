/** The command's options: one table for what they mean, what they may be and what --help says. */

import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { addressOf } from './endpoint.js'
import { TASK } from './prompt.js'

/**
 * @typedef {object} Options
 * @property {string} url
 * @property {string} document or '': with `wait`, all that the user may comment
 * @property {string} endpoint
 * @property {string} model
 * @property {string | undefined} key
 * @property {string} task
 * @property {boolean} dryRun
 * @property {boolean} fresh
 * @property {boolean} json
 * @property {boolean} wait
 * @property {number} dailyReviews
 * @property {number} dailyBudget
 * @property {number} look in milliseconds
 * @property {string} name
 * @property {string} color
 * @property {number} maxRemarks
 * @property {number} maxSize
 * @property {number} budget
 * @property {number} part
 * @property {number} answerTokens
 * @property {number | undefined} temperature
 * @property {number} maxTime in milliseconds
 * @property {number} timeout in milliseconds
 * @property {string} state
 * @property {string | undefined} tokenFile
 */

/** What an option takes, its default, and what it means. A number has the least and the most that it may be. */
const TABLE = /** @type {const} */ ([
  ['url', 'URL', undefined, 'the relay, like https://relay.example.org'],
  ['endpoint', 'URL', undefined, 'an OpenAI-compatible endpoint, like http://localhost:11434/v1'],
  ['model', 'NAME', undefined, 'the model to ask'],
  ['key-env', 'VARIABLE', 'REVIEWER_KEY', 'the environment variable with the endpoint\'s key, if it wants one'],
  ['token-file', 'FILE', undefined, 'the token for the relay, read at each connect (else CONVERGE_TOKEN)'],
  ['task', 'TEXT', undefined, 'what to look for (else spelling, grammar, clarity, contradictions)'],
  ['dry-run', null, false, 'print what would be posted; a run without it then posts that'],
  ['fresh', null, false, 'ask again, even if this text was reviewed or a run was ended'],
  ['wait', null, false, 'stay, and review when a member asks for it in the chat; without DOCUMENT at all that its user may comment'],
  ['json', null, false, 'print remarks as JSON, a line each'],
  ['name', 'NAME', 'Reviewer', 'what it calls itself to those who have the document open'],
  ['color', 'COLOR', '#7a5cd0', 'of its cursor'],
  ['max-remarks', 'NUMBER', 30, 'most remarks on a document', 1, 1000],
  ['max-size', 'NUMBER', 200_000, 'most characters of a document', 1, 10_000_000],
  ['budget', 'TOKENS', 200_000, 'most tokens of a run, questions and answers', 1, 1e9],
  ['daily-reviews', 'NUMBER', 20, 'with --wait: most reviews of a document a day', 1, 10_000],
  ['daily-budget', 'TOKENS', 500_000, 'with --wait: most tokens for a document a day', 1, 1e9],
  ['look', 'SECONDS', 30, 'with --wait and no DOCUMENT: how often it looks for new documents', 1, 86_400],
  ['max-time', 'SECONDS', 900, 'most time of a run', 1, 86_400],
  ['part', 'NUMBER', 6000, 'characters of a long text that are asked about at once', 200, 1_000_000],
  ['answer-tokens', 'TOKENS', 1500, 'most tokens of an answer', 50, 100_000],
  ['temperature', 'NUMBER', undefined, 'as the endpoint takes it (else its own)', 0, 2],
  ['timeout', 'SECONDS', 120, 'most time of a request to the endpoint', 1, 300],
  ['state', 'FOLDER', undefined, 'where runs are noted (else ~/.local/state/converge-reviewer)'],
  ['help', null, false, 'print this']
])

export const HELP = `Usage: converge-reviewer --url URL --endpoint URL --model NAME [OPTIONS] DOCUMENT
       converge-reviewer --wait ... [DOCUMENT]

Review a document of a converge relay: ask a language model for remarks, and post
them as comments and suggestions.

${TABLE.map(([name, takes, standard, what]) => {
  const left = `  --${name}${takes ? ` ${takes}` : ''}`
  return `${left.padEnd(26)} ${what}${standard === undefined || standard === false ? '' : ` (${standard})`}`
}).join('\n')}

Exit status: 0 the whole text is reviewed (or --wait was ended by a signal), 1 a part is
not, 2 it could not be done.
`

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Read the command's arguments. Throws a TypeError that says which one is wrong.
 * @param {string[]} given
 * @param {Record<string, string | undefined>} env
 * @returns {Options | null} null: --help
 */
export function optionsOf (given, env) {
  const { values, positionals } = parseArgs({
    args: given,
    allowPositionals: true,
    options: Object.fromEntries(TABLE.map(([name, takes]) => [name, { type: takes ? 'string' : 'boolean' }]))
  })
  if (values.help) return null
  /** @type {Record<string, any>} */
  const options = {}
  for (const [name, , standard, , least, most] of TABLE) {
    const value = values[name] ?? standard
    options[name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())] = least === undefined || value === undefined ? value : number(name, /** @type {string | number} */ (value), least, most)
  }
  for (const name of ['url', 'endpoint', 'model']) if (!options[name]) throw new TypeError(`--${name} is missing`)
  const [document = '', ...more] = positionals
  const everywhere = document === '' && values.wait
  if (!everywhere && !UUID.test(document)) throw new TypeError(document ? `a document's id is a UUID, not ${document}` : 'the document\'s id is missing')
  if (more.length > 0) throw new TypeError(`one document at a time, not ${more.join(' ')} too`)
  if (!/^#[0-9a-f]{6}$/i.test(options.color)) throw new TypeError(`--color is like #7a5cd0, not ${options.color}`)
  if (options.wait && options.dryRun) throw new TypeError('--wait answers requests by posting: it does not go with --dry-run')
  const key = env[options.keyEnv] || undefined
  guard(options.endpoint, key)
  return /** @type {any} */ ({
    ...options,
    document: document.toLowerCase(),
    key,
    task: options.task ?? TASK,
    look: options.look * 1000,
    maxTime: options.maxTime * 1000,
    timeout: options.timeout * 1000,
    state: options.state ?? path.join(env.XDG_STATE_HOME || path.join(env.HOME || os.homedir(), '.local', 'state'), 'converge-reviewer')
  })
}

/** @param {string} name @param {string | number} value @param {number} least @param {number} [most] */
function number (name, value, least, most = Infinity) {
  const read = Number(value)
  if (String(value).trim() === '' || !(read >= least && read <= most) || (name !== 'temperature' && !Number.isInteger(read))) throw new TypeError(`--${name} is a number from ${least} to ${most}, not ${value}`)
  return read
}

/** Let no key travel where others could read it. @param {string} endpoint @param {string | undefined} key */
function guard (endpoint, key) {
  const { protocol, hostname } = addressOf(endpoint)
  if (key && protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) throw new TypeError('a key is sent only over https, or to this machine: --endpoint begins with http')
}
