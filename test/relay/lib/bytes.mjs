// A client that writes bytes: requests and frames that no library would let through.

import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import net from 'node:net'
import { until } from './wait.mjs'

// The request for a WebSocket, with some headers otherwise (null: not at all).
export function upgrade (path, headers = {}, first = 'GET', last = 'HTTP/1.1') {
  const all = { Host: 'x', Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': crypto.randomBytes(16).toString('base64'), 'Sec-WebSocket-Protocol': 'converge.v1', ...headers }
  const lines = Object.entries(all).filter(([, value]) => value !== null).flatMap(([name, value]) => [value].flat().map(one => `${name}: ${one}\r\n`))
  return `${first} ${path} ${last}\r\n${lines.join('')}\r\n`
}

export class Bytes {
  constructor (relay) {
    this.heard = Buffer.alloc(0)
    this.socket = net.connect(relay.port, '127.0.0.1')
    this.socket.on('data', data => { this.heard = Buffer.concat([this.heard, data]) })
    this.socket.on('error', () => {})
    this.socket.on('close', () => { this.closed = true })
  }

  write (bytes) {
    if (!this.closed) this.socket.write(bytes)
    return this
  }

  // Become a WebSocket.
  async upgrade (doc) {
    this.write(upgrade(`/v1/collab/${doc}`))
    await until('an upgrade', () => this.heard.includes('\r\n\r\n'))
    assert.match(String(this.heard), /^HTTP\/1\.1 101/)
    this.heard = Buffer.alloc(0)
    return this
  }

  // A frame: its first byte, and what it holds, masked with zeros.
  frame (first, payload = '', mask = 0x80) {
    const bytes = Buffer.from(payload)
    const length = bytes.length < 126 ? [mask | bytes.length] : [mask | 126, bytes.length >> 8, bytes.length & 255]
    return this.write(Buffer.concat([Buffer.from([first, ...length]), mask ? Buffer.alloc(4) : Buffer.alloc(0), bytes]))
  }

  // The statuses of the answers so far.
  statuses () {
    return [...this.heard.toString('latin1').matchAll(/HTTP\/1\.[01] (\d+)/g)].map(found => Number(found[1]))
  }

  async end () {
    await until('the connection to be closed', () => this.closed)
  }
}
