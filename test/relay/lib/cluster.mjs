// A PostgreSQL of a test's own, to be stopped, killed and started again.

import { execFile, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { quote, sql } from './pg.mjs'
import { until } from './wait.mjs'

const run = promisify(execFile)
const USER = process.env.CONVERGE_CLUSTER_USER

// Run a program as the user that servers run as: PostgreSQL refuses root.
async function asServer (program, ...args) {
  const root = process.getuid() === 0
  const { stdout: group } = root ? await run('id', ['-g', USER]) : { stdout: '' }
  const command = root ? ['setpriv', `--reuid=${USER}`, `--regid=${group.trim()}`, '--init-groups', 'env', 'HOME=/', program, ...args] : [program, ...args]
  // its output goes nowhere: a server that it leaves behind would hold a pipe open
  const child = spawn(command[0], command.slice(1), { cwd: '/', stdio: 'ignore' })
  const code = await new Promise((resolve, reject) => child.once('exit', resolve).once('error', reject))
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}`)
}

// Let that user own a file.
async function give (place) {
  if (process.getuid() === 0) await run('chown', [`${USER}:`, place])
}

// Tell whether a process is gone, or only waits for its parent to take note. It may go
// between the opening of its file and the reading, which is ESRCH.
function isDead (pid) {
  try {
    return /State:\s+Z/.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return true
    throw error
  }
}

const clusters = new Set()

// A test that is broken off leaves no server behind.
process.on('exit', () => {
  for (const cluster of clusters) {
    try {
      process.kill(cluster.postmaster(), 'SIGQUIT')
    } catch {}
    fs.rmSync(cluster.sockets, { recursive: true, force: true })
  }
})

export class Cluster {
  // Make one with the extension and the relay's role; settings are lines for its configuration.
  static async make (settings = '') {
    const cluster = new Cluster()
    clusters.add(cluster)
    await cluster.place()
    await asServer('initdb', '-D', cluster.data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync')
    await cluster.configure(settings)
    await cluster.start()
    await sql('CREATE EXTENSION converge', cluster.env)
    await sql(`CREATE ROLE ${process.env.CONVERGE_TEST_ROLE} LOGIN REPLICATION`, cluster.env)
    await sql(`SELECT converge.allow_relay('${process.env.CONVERGE_TEST_ROLE}')`, cluster.env)
    return cluster
  }

  // Where it is, and how to reach it.
  async place () {
    this.home = fs.mkdtempSync(path.join(process.env.CONVERGE_TEST_DIR, 'cluster-'))
    this.sockets = fs.mkdtempSync(path.join(os.tmpdir(), 'converge-test-'))
    this.data = path.join(this.home, 'data')
    this.log = path.join(this.home, 'log')
    this.env = { ...process.env, PGHOST: this.sockets, PGPORT: '5432', PGUSER: 'postgres', PGDATABASE: 'postgres' }
    await give(this.home)
    await give(this.sockets)
  }

  // The private cluster's settings, with a place of its own.
  async configure (settings) {
    const shared = await sql("SELECT pg_read_file('converge.conf')")
    const own = `${shared}\nlisten_addresses = ''\nport = 5432\nunix_socket_directories = '${this.sockets}'\n${settings}\n`
    const file = path.join(this.home, 'own.conf')
    fs.writeFileSync(file, own, { mode: 0o644 })
    await give(file)
    await asServer('sh', '-c', `echo "include '${file}'" >>'${this.data}/postgresql.conf'`)
  }

  // A hot standby of it, which follows and can be promoted.
  async standby () {
    const standby = new Cluster()
    clusters.add(standby)
    await standby.place()
    await asServer('pg_basebackup', '-D', standby.data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync', '-d', `host=${this.sockets} port=5432 user=postgres`)
    await asServer('sh', '-c', `echo "unix_socket_directories = '${standby.sockets}'" >>'${standby.data}/postgresql.auto.conf'`)
    await standby.start()
    return standby
  }

  promote () {
    return asServer('pg_ctl', 'promote', '-w', '-t', '60', '-D', this.data)
  }

  start () {
    return asServer('pg_ctl', 'start', '-w', '-t', '60', '-D', this.data, '-l', this.log)
  }

  stop (mode = 'fast') {
    return asServer('pg_ctl', 'stop', '-w', '-t', '60', '-m', mode, '-D', this.data)
  }

  postmaster () {
    return Number(fs.readFileSync(path.join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0])
  }

  // Kill the server and all its processes, as a machine that loses power does to them.
  async crash () {
    const postmaster = this.postmaster()
    const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', String(postmaster)])
    const pids = [postmaster, ...stdout.split('\n').map(pid => pid.trim()).filter(Boolean)].map(Number)
    for (const pid of pids) {
      try { process.kill(pid, 'SIGKILL') } catch {}
    }
    await until('every server process to be gone', () => pids.every(isDead))
    // its number may be a dead process's that nobody waits for, as in a container without an init
    fs.rmSync(path.join(this.data, 'postmaster.pid'), { force: true })
    fs.rmSync(path.join(this.sockets, '.s.PGSQL.5432.lock'), { force: true })
  }

  // Change a setting, with null put it back, and have it read. The postmaster tells all processes before
  // it lets anybody in who sees it; each takes note before its next statement.
  async set (name, value) {
    const before = await sql(`SHOW ${name}`, this.env)
    const writes = { ...this.env, PGOPTIONS: '-c default_transaction_read_only=off' }
    await sql(value === null ? `ALTER SYSTEM RESET ${name}` : `ALTER SYSTEM SET ${name} = ${quote(value)}`, writes)
    await sql('SELECT pg_reload_conf()', writes)
    return before
  }

  // Do something while a setting has another value, and put it back however that ends.
  async withSetting (name, value, use) {
    const before = await this.set(name, value)
    try {
      await until(`${name} to be ${value}`, async () => await sql(`SHOW ${name}`, this.env) === value)
      return await use()
    } finally {
      await this.set(name, null)
      await until(`${name} to be ${before} again`, async () => await sql(`SHOW ${name}`, this.env) === before)
    }
  }

  // Do something while commits wait for a standby that does not come: the stream shows them, and SQL does not.
  // It is the checkpointer that lets commits wait, at a moment of its own: so some are made until one does.
  async withCommitsWaiting (use) {
    const waiting = () => sql("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'", this.env)
    let trial
    try {
      return await this.withSetting('synchronous_standby_names', 'nobody', async () => {
        await until('a commit to wait', async () => {
          trial ??= sql("SELECT pg_logical_emit_message(true, 'trial', '')", this.env).finally(() => { trial = undefined })
          return await waiting() === 't'
        })
        return await use()
      })
    } finally {
      await trial
      await until('no commit to wait', async () => await waiting() === 'f')
    }
  }

  async remove () {
    await this.stop('immediate').catch(() => {})
    clusters.delete(this)
    fs.rmSync(this.home, { recursive: true, force: true })
    fs.rmSync(this.sockets, { recursive: true, force: true })
  }
}
