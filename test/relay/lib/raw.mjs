// A client that says exactly what it is told to, and keeps what it hears.

import crypto from 'node:crypto'
import WebSocket from 'ws'
import { token } from './token.mjs'
import { until } from './wait.mjs'

export const newId = () => crypto.randomUUID()

export class Raw {
  constructor (relay, doc, { protocol = 'converge.v1', query = '', ...options } = {}) {
    this.socket = new WebSocket(`ws://127.0.0.1:${relay.port}/v1/collab/${doc}${query}`, protocol ? [protocol] : [], options)
    this.messages = []
    this.next = 0
    this.present = new Map()
    this.presence = []
    this.socket.on('message', data => this.hear(JSON.parse(data)))
    this.socket.on('unexpected-response', (request, response) => { this.refused = response.statusCode; this.socket.terminate() })
    this.socket.on('error', error => { this.error = error })
    this.socket.on('close', (code, reason) => { this.closed = { code, reason: String(reason) } })
  }

  async opened () {
    await until('a connection', () => this.socket.readyState !== WebSocket.CONNECTING)
    return this
  }

  // Presence comes in between whenever somebody moves, so it is kept apart.
  hear (message) {
    if (message.type === 'joined' || message.complete) this.present.clear()
    if (message.type === 'joined' || message.type === 'presence') {
      for (const user of message.users) this.present.set(user.clientId, user)
      for (const id of message.left ?? []) this.present.delete(id)
    }
    (message.type === 'presence' ? this.presence : this.messages).push(message)
  }

  // The users that it is shown, in the order of their names.
  get users () {
    return [...this.present.values()].map(user => user.userId).sort()
  }

  // The one client of a user that it is shown.
  seen (user) {
    return [...this.present.values()].find(({ userId }) => userId === user)
  }

  send (message) {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message))
  }

  // The next message, whatever it is.
  async take () {
    await until('a message', () => {
      if (this.messages.length > this.next) return true
      if (this.closed) throw new Error(`closed instead of a message: ${JSON.stringify(this.closed)}`)
      return false
    })
    return this.messages[this.next++]
  }

  // The next message, which must be of this type; that talk may have been missed can be said at any time.
  async expect (type) {
    let message
    do message = await this.take(); while (message.type === 'talk' && type !== 'talk')
    if (message.type !== type) throw new Error(`${type} expected, came ${JSON.stringify(message).slice(0, 500)}`)
    return message
  }

  // The next operation, whether it came alone or with others.
  async operation () {
    if (!this.entries?.length) this.entries = (await this.expect('ops')).ops
    return this.entries.shift()
  }

  // How it was closed.
  async close () {
    return until('the connection to be closed', () => this.closed)
  }

  // Join from the beginning: hello, joined, snapshot, ack.
  async join (user = 'ann', hello = {}) {
    await this.opened()
    this.send({ type: 'hello', token: token(user), ...hello })
    this.joined = await this.expect('joined')
    if (!this.joined.resumed) {
      this.snapshot = await this.expect('snapshot')
      this.send({ type: 'ack', sequenceId: this.snapshot.sequenceId })
    }
    return this
  }

  // Submit an operation; gives its id.
  op (baseVersion, op, operationId = newId()) {
    this.send({ type: 'op', operationId, baseVersion, op })
    return operationId
  }

  end () {
    this.socket.terminate()
  }
}
