// A client of a model server in a world of its own, for tests of single behaviours.

import { Client } from '../../src/index.js'
import { random } from './random.mjs'
import { Server, tokenOf } from '../model/server.mjs'
import { settle, World } from '../model/world.mjs'

export class Setup {
  constructor ({ content = '', seed = 1, modern = true, ...options } = {}) {
    this.random = random(seed)
    this.world = new World(this.random)
    this.server = new Server(this.random, { content, modern })
    this.options = options
  }

  /** A client of a user, and its tab. */
  client (user = 'ann', options = {}) {
    const tab = { dead: false }
    const client = new Client({ url: 'http://relay.example.org', token: () => tokenOf(user), environment: this.world.environment(() => this.server, tab), ...this.options, ...options })
    return Object.assign(client, { tab })
  }

  /** A document of a new client, loaded. */
  async open (user, options) {
    const document = this.client(user, options).open('doc')
    await this.until(() => document.status === 'connected')
    return document
  }

  /** Let things arrive, and time pass, until something is so. */
  async until (condition) {
    if (!await this.world.calm(condition)) throw new Error('it never came to be')
  }

  /** Let everything arrive that is under way. */
  async arrive () {
    await settle()
    while (await this.world.arrive());
  }

  /** Break every connection. */
  async cut () {
    for (const wire of [...this.world.wires]) wire.break()
    await settle()
  }
}

/** Collect a document's events of some kinds. */
export function events (document, ...names) {
  const heard = []
  for (const name of names) document.on(name, event => heard.push([name, event]))
  return heard
}
