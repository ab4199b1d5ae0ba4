#!/usr/bin/env node
/** converge-reviewer: the command. README.md beside it says how to use it. */

import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '../src/index.js'
import { failure } from '../src/core/error.js'
import { waitEverywhere } from './everywhere.js'
import { HELP, optionsOf } from './options.js'
import { review } from './run.js'
import { wait } from './wait.js'

/** @import { Placed } from './journal.js' */
/** @import { Options } from './options.js' */

/** Text of others, so that a terminal shows it and does nothing else. @param {string} text */
const shown = text => text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
const log = (/** @type {string} */ line) => void process.stderr.write(`converge-reviewer: ${shown(line)}\n`)

/** @param {Options} options @returns {(remark: Placed) => void} */
const printer = ({ json }) => ({ kind, at, from, to, version, quote, replacement, body, id, state }) => {
  const line = json
    ? JSON.stringify({ kind, id, version, from, to, quote, replacement, body, state })
    : `${at} ${kind}: ${JSON.stringify(quote)}${kind === 'suggestion' ? ` -> ${JSON.stringify(replacement)}` : ''}${body ? `\n    ${body.replace(/\n/g, '\n    ')}` : ''}`
  process.stdout.write(`${shown(line)}\n`)
}

/** A WebSocket class: this Node's, or that of ws where it has none. */
async function socketClass () {
  if (globalThis.WebSocket) return globalThis.WebSocket
  try {
    return /** @type {any} */ (await import('ws')).WebSocket
  } catch {
    throw failure('usage', 'Node before 22 has no WebSocket: install the package ws beside this one')
  }
}

/** The token for the relay. @param {Options} options */
function token ({ tokenFile }) {
  const given = tokenFile ? fs.readFileSync(tokenFile, 'utf8').trim() : process.env.CONVERGE_TOKEN
  if (!given) throw failure('usage', 'there is no token for the relay: set CONVERGE_TOKEN or --token-file')
  return given
}

/** @param {Options} options @returns {Promise<number>} the exit status */
async function main (options) {
  const ended = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => ended.abort(failure('ended', `ended by ${name}; run again to go on`)))
  token(options)
  const client = new Client({ url: options.url, token: async () => token(options), WebSocket: await socketClass() })
  const surroundings = {
    fetch,
    now: Date.now,
    sleep: (/** @type {number} */ ms, /** @type {AbortSignal} */ signal) => sleep(ms, undefined, { signal }),
    random: Math.random,
    signal: ended.signal,
    log,
    fence: () => randomBytes(16).toString('hex'),
    print: printer(options)
  }
  try {
    if (options.wait) {
      await (options.document ? wait : waitEverywhere)(options, client, surroundings)
      return 0
    }
    const { whole, posted, tokens, remarks, notes } = await review(options, client, { ...surroundings, deadline: Date.now() + options.maxTime })
    notes.forEach(log)
    const waiting = remarks.filter(({ state }) => state === 'placed').length
    log(options.dryRun ? `${waiting} remarks would be posted; ${tokens} tokens used` : `${posted} remarks posted; ${tokens} tokens used`)
    return whole ? 0 : 1
  } finally {
    await client.close()
  }
}

try {
  const options = optionsOf(process.argv.slice(2), process.env)
  if (options) process.exitCode = await main(options)
  else process.stdout.write(HELP)
} catch (error) {
  log(/** @type {any} */ (error).message)
  process.exitCode = 2
}
