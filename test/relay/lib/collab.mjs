// A client that edits: the protocol's rules with ot-text-unicode's algebra.
//
// text is always the server's text at `version`, with the operation in flight
// and then the ones composed in the buffer applied to it. base is the server's
// text alone, made of nothing but what the server sent, for checksums.

import crypto from 'node:crypto'
import { type } from 'ot-text-unicode'
import WebSocket from 'ws'
import { newId } from './raw.mjs'
import { token } from './token.mjs'
import { until } from './wait.mjs'

const { apply, compose, transform } = type

export class Collab {
  constructor (doc, user) {
    Object.assign(this, { doc, user, version: 0, lastId: null, lastSequenceId: null, text: null, base: null, inFlight: null, buffer: null })
    this.acknowledged = []
    this.heard = { ops: 0, catchup: 0, snapshot: 0, joined: 0, transformed: 0, checksum: 0, presence: 0 }
  }

  // Connect to a relay, also after an earlier one was lost.
  connect (relay) {
    const socket = new WebSocket(`ws://127.0.0.1:${relay.port}/v1/collab/${this.doc}`, 'converge.v1')
    this.socket = socket
    this.live = false
    socket.on('open', () => this.hello())
    socket.on('message', data => { if (this.socket === socket) this.take(JSON.parse(data)) })
    socket.on('error', () => {})
    socket.on('close', (code, reason) => {
      if (this.socket !== socket) return
      this.live = false
      this.closed = { code, reason: String(reason) }
    })
    this.closed = null
    return this
  }

  // Connect again whenever the connection is lost, to whatever relay() gives.
  stayConnected (relay) {
    this.staying = setInterval(() => {
      const next = this.closed && relay()
      if (next?.port) this.connect(next)
    }, 20)
    return this.connect(relay())
  }

  leave () {
    clearInterval(this.staying)
    this.socket.terminate()
  }

  hello () {
    const held = this.text === null ? {} : { version: this.version, life: this.life, ...(this.lastId && { operationId: this.lastId, sequenceId: this.lastSequenceId }) }
    this.say({ type: 'hello', token: token(this.user), ...held, ...(this.inFlight && { pending: this.inFlight.id }) })
  }

  say (message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message))
  }

  take (message) {
    if (this.failure) return
    try {
      this[`on_${message.type}`](message)
    } catch (error) {
      this.failure = error
    }
  }

  on_joined (message) {
    this.heard.joined++
    this.life = message.life
    if (message.resumed) this.resend(message.version)
  }

  on_snapshot (message) {
    if (this.inFlight || this.buffer) throw new Error('a snapshot, and edits are pending')
    this.heard.snapshot++
    Object.assign(this, { version: message.version, lastId: message.operationId ?? null, lastSequenceId: message.sequenceId, text: message.content, base: message.content })
    this.say({ type: 'ack', sequenceId: message.sequenceId })
    this.live = true
  }

  on_ops (message) {
    this.heard.ops++
    message.ops.forEach(entry => this.commit(entry))
  }

  on_catchup (message) {
    this.heard.catchup++
    if (message.fromVersion !== this.version) throw new Error(`a catchup from ${message.fromVersion} at ${this.version}`)
    this.commit(message, message.fromVersion + 1)
  }

  on_checksum () {
    this.heard.checksum++
    this.say({ type: 'checksum', version: this.version, checksum: crypto.createHash('sha256').update(this.base).digest('hex') })
  }

  on_presence () {
    this.heard.presence++
  }

  on_reject (message) {
    // a relay that ends or has no PostgreSQL: again, as it was, when it says
    if (message.code === 'unavailable' && message.retryAfter > 0) {
      setTimeout(() => {
        if (this.live && this.inFlight?.id === message.operationId) this.submit()
      }, message.retryAfter)
      return
    }
    throw new Error(`rejected: ${JSON.stringify(message)}`)
  }

  on_error (message) {
    if (message.code !== 'restarting') throw new Error(`error: ${JSON.stringify(message)}`)
  }

  // Take a committed operation, where it follows.
  commit (entry, first = entry.version) {
    const mine = this.inFlight && entry.operationId === this.inFlight.id
    if (first <= this.version && !mine) return
    if (first > this.version + 1) throw new Error(`version ${first} at ${this.version}: something is missing`)
    if (first > this.version) {
      this.version = entry.version
      this.lastId = entry.operationId
      this.lastSequenceId = entry.sequenceId
      this.base = apply(this.base, entry.op)
    }
    if (mine) this.acknowledge(entry)
    else this.carry(entry.op)
  }

  // What was composed to nothing is answered, and stands nowhere.
  acknowledge (entry) {
    if (this.inFlight.original.length > 0) this.acknowledged.push(this.inFlight.id)
    if (JSON.stringify(entry.op) !== JSON.stringify(this.inFlight.original)) this.heard.transformed++
    this.inFlight = null
    this.flush()
  }

  // Carry somebody else's operation over what is pending here: ours go left of it.
  carry (op) {
    for (const pending of ['inFlight', 'buffer']) {
      const own = this[pending]
      if (!own) continue
      const ownOp = own.op
      own.op = transform(ownOp, op, 'left')
      op = transform(op, ownOp, 'right')
    }
    this.text = apply(this.text, op)
  }

  // Send what is buffered, if nothing is in flight.
  flush () {
    if (this.inFlight || !this.buffer) return
    const { op } = this.buffer
    this.inFlight = { id: newId(), base: this.version, original: op, op }
    this.buffer = null
    this.submit()
  }

  submit () {
    const { id, base, original } = this.inFlight
    this.say({ type: 'op', operationId: id, baseVersion: base, op: original })
  }

  // After a resume: what was not answered goes again, exactly as it was.
  resend () {
    this.live = true
    if (this.inFlight) this.submit()
    else this.flush()
  }

  // Edit here and now.
  edit (op) {
    this.text = apply(this.text, op)
    this.buffer = { op: this.buffer ? compose(this.buffer.op, op) : op }
    if (this.live) this.flush()
  }

  get settled () {
    if (this.failure) throw this.failure
    return this.live && !this.inFlight && !this.buffer
  }

  async ready () {
    await until(`${this.user} to be live`, () => this.settled)
    return this
  }
}

// All clients have nothing pending and stand at the version the server has.
export async function allSettled (clients, serverVersion) {
  await until('every edit to be acknowledged', () => clients.every(client => client.settled))
  const version = await serverVersion()
  await until(`every client to be at version ${version}`, () => clients.every(client => client.settled && client.version >= version))
}
