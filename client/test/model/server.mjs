// A model of the server: one document, its operations, its members and the connections,
// with all that may go wrong. It says what doc/protocol.md says a relay does. Nothing in it
// knows time: what it sends waits in a connection until the world lets it arrive.

import { compose, parse, points, print, reach, Text, transform } from '../../src/ot/index.js'
import { TalkModel } from './talk.mjs'

/** A token as far as a client looks into it. */
export const tokenOf = user => `.${btoa(JSON.stringify({ sub: user }))}.`

const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b)

export class Server {
  /** @param {{ next: () => number, below: (n: number) => number }} random */
  constructor (random, { content = '', modern = true } = {}) {
    this.random = random
    this.modern = modern // it knows `ping`, `life` and `pendingVersion`
    this.text = Text.of(content)
    this.first = String(content)
    /** @type {any[]} committed, the one of version n at n - 1 */
    this.log = []
    this.floor = 0 // the oldest version that an operation may be based on
    this.sequence = 100
    this.life = 1
    /** @type {Map<string, string>} */
    this.roles = new Map()
    /** @type {Set<Connection>} */
    this.connections = new Set()
    this.problems = []
    this.talk = new TalkModel(this)
    this.lost = new Set() // ids of operations that a restore or a failover lost
  }

  get version () { return this.log.length }

  /** The text at a version. */
  at (version) {
    return this.log.slice(0, version).reduce((text, entry) => text.apply(parse(entry.op)).text, Text.of(this.first))
  }

  role (user) { return this.roles.get(user) ?? 'editor' }

  // ---- what clients say ----

  /** @param {Connection} connection */
  hear (connection, message) {
    if (connection.closed) return
    if (connection.user === null && message.type !== 'hello') return connection.refuse(4400, 'out_of_order')
    const handler = this[`on_${message.type}`]
    if (handler === undefined || (message.type === 'ping' && !this.modern)) connection.say({ type: 'error', code: 'unknown_type', message: 'there is no message of this type' })
    else handler.call(this, connection, message)
  }

  on_ping (connection) { connection.say({ type: 'pong' }) }

  on_hello (connection, message) {
    if (connection.user !== null) return connection.refuse(4400, 'out_of_order')
    if (message.token === 'expired') return connection.refuse(4401, 'unauthenticated')
    const { sub: user } = JSON.parse(atob(message.token.split('.')[1]))
    if (this.role(user) === 'none') return connection.refuse(4403, 'forbidden')
    connection.user = user
    connection.pending = message.pending ?? null
    this.join(connection, this.resumes(message) ? message.version : null)
  }

  /** Whether what is held is a version of this server's. */
  resumes ({ version, operationId, sequenceId, life }) {
    if (version === undefined || version > this.version || version < this.floor) return false
    if (this.modern && life !== undefined && life !== `life ${this.life}`) return false
    // without an operation only the life says that the text is the one held
    if (version === 0 || operationId === undefined) return !this.modern || life !== undefined
    const entry = this.log[version - 1]
    return entry.operationId === operationId && (sequenceId === undefined || entry.sequenceId === sequenceId)
  }

  join (connection, held) {
    const resumed = held !== null
    const pending = connection.pending === null ? undefined : this.find(connection.pending)
    // where history is forgotten that may have had it, it is not known whether it is in
    const forgotten = !resumed && this.floor > (pending?.version ?? 0) && this.floor > 0
    connection.say({
      type: 'joined', documentId: 'doc', userId: connection.user, clientId: `c${connection.number}`, role: this.role(connection.user), title: 'a title',
      version: this.version, resumed, users: [],
      ...(this.modern ? { life: `life ${this.life}`, ...(connection.pending === null || forgotten ? {} : { pendingVersion: pending?.version ?? null }) } : {})
    })
    if (resumed) {
      connection.cursor = held
      connection.live = true
      this.flow(connection)
    } else this.snapshot(connection)
  }

  snapshot (connection) {
    const last = this.log[this.version - 1]
    connection.live = false
    connection.cursor = this.version
    connection.owed = last?.sequenceId ?? 0
    connection.say({ type: 'snapshot', version: this.version, sequenceId: connection.owed, ...(last ? { operationId: last.operationId } : {}), content: String(this.text) })
  }

  on_ack (connection, { sequenceId }) {
    if (connection.owed === null) return connection.refuse(4400, 'out_of_order')
    if (sequenceId !== connection.owed) return connection.refuse(4400, 'malformed')
    connection.owed = null
    connection.live = true
    this.flow(connection)
  }

  on_comment (connection, message) { this.talk.hear(connection, message) }
  on_thread (connection, message) { this.talk.hear(connection, message) }
  on_suggest (connection, message) { this.talk.hear(connection, message) }
  on_decide (connection, message) { this.talk.hear(connection, message) }
  on_chat (connection, message) { this.talk.hear(connection, message) }

  on_presence () {}
  on_checksum () {}
  on_token () {}

  on_op (connection, { operationId, baseVersion, op }) {
    if (!connection.live && !connection.lived) return connection.refuse(4400, 'out_of_order')
    if (connection.asked === operationId) this.problems.push(`${operationId} was sent twice on one connection, and no answer asked for it`)
    connection.asked = operationId
    connection.pending = operationId
    const doubt = this.unavailable
    this.unavailable = undefined
    if (doubt === 'after') this.submit(connection.user, operationId, baseVersion, op)
    if (doubt !== undefined) connection.asked = null
    if (doubt !== undefined) return connection.say({ type: 'reject', operationId, code: 'unavailable', message: 'PostgreSQL cannot be reached', retryAfter: 500 })
    const answer = this.submit(connection.user, operationId, baseVersion, op)
    if (answer.code !== undefined) connection.say({ type: 'reject', operationId, ...answer })
    else if (answer.duplicate && answer.entry.version <= connection.cursor) connection.say({ type: 'ops', ops: [answer.entry] })
    for (const each of this.connections) this.flow(each)
  }

  find (operationId) { return this.log.find(entry => entry.operationId === operationId) }

  // ---- the document ----

  /** The order of things is that of the server: duplicate, right, base, transform, fit. */
  submit (userId, operationId, baseVersion, wire) {
    if (this.role(userId) === 'viewer' || this.role(userId) === 'none') return { code: 'forbidden', message: 'permission denied' }
    const earlier = this.find(operationId)
    if (earlier !== undefined) {
      if (earlier.userId !== userId || earlier.baseVersion !== baseVersion || !equal(earlier.submitted, wire)) return { code: 'conflict', message: 'the id names another operation' }
      return { entry: earlier, duplicate: true }
    }
    if (baseVersion > this.version) return { code: 'invalid', message: 'made on a version that does not exist' }
    if (baseVersion < this.floor) return { code: 'stale', message: 'older than the history kept' }
    let op = parse(wire)
    if (op.length === 0) throw new Error('an empty operation was sent')
    if (this.largest !== undefined && JSON.stringify(wire).length > this.largest) return { code: 'too_large', message: 'over a limit' }
    if (reach(op) > this.at(baseVersion).points) return { code: 'invalid', message: 'beyond the end' }
    const missed = this.log.slice(baseVersion).map(entry => parse(entry.op))
    if (missed.length > 0) op = transform(op, missed.reduce(compose), 'left')
    return { entry: this.append(userId, operationId, op, baseVersion, wire) }
  }

  append (userId, operationId, op, baseVersion = this.version, submitted = print(op)) {
    this.text = this.text.apply(op).text
    const entry = { version: this.version + 1, sequenceId: this.sequence += 1 + this.random.below(3), operationId, userId, baseVersion, at: 'now', op: print(op) }
    this.log.push({ ...entry, submitted })
    return this.log[this.log.length - 1]
  }

  /** Send a connection what it has not: one by one, or composed. */
  flow (connection) {
    if (!connection.live || connection.closed) return
    connection.lived = true
    // what was said while it took its snapshot
    if (connection.missed) connection.say({ type: 'talk' })
    connection.missed = false
    while (connection.cursor < this.version) {
      const from = connection.cursor
      const own = this.log.findIndex((entry, i) => i >= from && entry.operationId === connection.pending)
      const until = own === -1 ? this.version : own
      if (until - from >= 2 && this.random.below(2)) {
        const run = this.log.slice(from, until)
        const last = run[run.length - 1]
        connection.say({ type: 'catchup', fromVersion: from, version: until, sequenceId: last.sequenceId, operationId: last.operationId, op: print(run.map(entry => parse(entry.op)).reduce(compose)) })
        connection.cursor = until
      } else {
        const to = this.random.below(2) ? this.version : from + 1
        connection.say({ type: 'ops', ops: this.log.slice(from, to).map(({ submitted, ...entry }) => entry) })
        connection.cursor = to
      }
    }
  }

  // ---- what goes wrong ----

  /** A crash or a failover lost the last operations, or a backup was restored. */
  lose (count, restored) {
    for (const entry of this.log.splice(Math.max(0, this.version - count))) this.lost.add(entry.operationId)
    this.text = this.at(this.version)
    this.floor = Math.min(this.floor, this.version)
    if (restored) this.life++
    // numbers go on: a lost one is not used again, unless a backup was restored
    else this.sequence += 32
    for (const connection of [...this.connections]) connection.refuse(1012, 'restarting')
  }

  prune (version) {
    this.floor = Math.max(this.floor, Math.min(version, this.version))
  }

  /** Another role; `none` may not read any more. */
  share (user, role) {
    if (this.role(user) === role) return
    this.roles.set(user, role)
    for (const connection of [...this.connections]) {
      if (connection.user !== user) continue
      if (role === 'none') connection.refuse(4403, 'forbidden')
      else connection.say({ type: 'role', role })
    }
  }

  /** A client that fell too far behind gets a snapshot, or one whose checksum was wrong. */
  again (connection, joined) {
    if (!connection.live) return
    if (joined) this.join(connection, null)
    else this.snapshot(connection)
  }

  /** Send something again that was sent. */
  repeat (connection) {
    if (connection.cursor > 0) {
      const { submitted, ...entry } = this.log[this.random.below(connection.cursor)]
      connection.say({ type: 'ops', ops: [entry], repeated: !connection.skipped })
    }
  }

  /** Commit something that one connection does not hear of. */
  skip (connection) {
    this.append('sql', `skipped ${this.version}`, parse(['.']))
    connection.cursor = this.version
    connection.skipped = true
    for (const each of this.connections) this.flow(each)
  }

  edit (op, id) {
    this.append('sql', id, op)
    for (const connection of this.connections) this.flow(connection)
  }

  get length () { return points(String(this.text)) }
}

/** The server's end of a connection. What it says waits in `out` for the world. */
export class Connection {
  constructor (server, number) {
    Object.assign(this, { server, number, user: null, pending: null, cursor: 0, live: false, lived: false, owed: null, closed: false, asked: null })
    this.out = []
    server.connections.add(this)
  }

  say (message) {
    if (!this.closed) this.out.push(JSON.stringify(message))
  }

  refuse (code, error) {
    if (this.closed) return
    this.say({ type: 'error', code: error, message: error })
    this.out.push(code)
    this.drop()
  }

  drop () {
    this.closed = true
    this.live = false
    this.server.connections.delete(this)
  }
}
