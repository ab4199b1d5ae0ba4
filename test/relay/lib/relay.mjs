// A relay of one's own: started, watched, ended.

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { SECRET } from './token.mjs'
import { until, within } from './wait.mjs'

const DIR = process.env.CONVERGE_TEST_DIR
const BIN = process.env.CONVERGE_TEST_BIN

let count = 0
const running = new Set()
process.on('exit', () => running.forEach(child => child.kill('SIGKILL')))

// The path of a file with this content, of this process only. It is there whole or not at all: a relay
// that was started a moment ago may be reading it.
export function file (name, text) {
  const place = path.join(DIR, `${process.pid}-${name}`)
  fs.writeFileSync(`${place}.new`, text, { mode: 0o600 })
  fs.renameSync(`${place}.new`, place)
  return place
}

export class Relay {
  // Start a relay; options are its arguments, without the dashes.
  constructor (options = {}, env = process.env, bin = BIN) {
    const all = { dsn: `user=${process.env.CONVERGE_TEST_ROLE}`, listen: '127.0.0.1:0', 'jwt-key': file('secret', SECRET), 'log-level': 'debug', ...options }
    const args = Object.entries(all).flatMap(([name, value]) => [value].flat().flatMap(one => [`--${name}`, String(one)]))
    this.logFile = path.join(DIR, `${process.pid}-relay-${++count}.log`)
    const log = fs.openSync(this.logFile, 'w')
    this.process = spawn(bin, args, { env, stdio: ['ignore', log, log] })
    fs.closeSync(log)
    running.add(this.process)
    this.ended = new Promise(resolve => this.process.once('exit', (code, signal) => {
      this.exit = { code, signal }
      running.delete(this.process)
      resolve(this.exit)
    }))
  }

  log () {
    return fs.readFileSync(this.logFile, 'utf8')
  }

  // Wait until it listens.
  async listening () {
    const found = await until('the relay to listen', () => {
      if (this.exit) throw new Error(`the relay ended: ${this.log()}`)
      return /listening on (\S+) port (\d+)/.exec(this.log())
    })
    this.port = Number(found[2])
    return this
  }

  // Wait until it serves clients.
  async ready () {
    await this.listening()
    // fetch may hold a connection to an earlier relay that had this port
    await until('the relay to be ready', () => this.get('/readyz').then(answer => answer.status === 200, () => false))
    return this
  }

  get (place, options) {
    return fetch(`http://127.0.0.1:${this.port}${place}`, options)
  }

  // Its counters, by name with labels.
  async metrics () {
    const text = await (await this.get('/metrics')).text()
    const rows = text.split('\n').filter(line => line && !line.startsWith('#')).map(line => line.split(' '))
    return Object.fromEntries(rows.map(([name, value]) => [name.replace('converge_relay_', ''), Number(value)]))
  }

  // Let it read its files again, and wait until it says that it did.
  async reload (says) {
    const before = this.log().split(says).length
    this.process.kill('SIGHUP')
    await until(`the log to say ${says}`, () => this.log().split(says).length > before)
  }

  // Tell it to end, once: it takes a second time as an order to end at once.
  terminate () {
    if (!this.exit && !this.terminated) this.process.kill('SIGTERM')
    this.terminated = true
  }

  // End it as an administrator would; it must end well, with nothing found by the sanitizers.
  async stop () {
    this.terminate()
    const { code, signal } = await within('the relay to end', this.ended)
    const log = this.log()
    if (code !== 0 || signal || /Sanitizer|runtime error/.test(log)) throw new Error(`the relay ended badly (${code}, ${signal}):\n${log.slice(-20000)}`)
  }

  // End it as a crash would.
  async crash () {
    this.process.kill('SIGKILL')
    await within('the relay to be gone', this.ended)
  }
}

// Start a relay that serves.
export const startRelay = (options, env) => new Relay(options, env).ready()
