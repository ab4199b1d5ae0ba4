// Clients with storage in fake-indexeddb, over a model of the server in a world of its own.

import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import '../../src/rest.js' // so that it is there at once
import '../../src/talk.js'
import { indexeddb } from '../../src/indexeddb.js'
import { Locks } from './locks.mjs'
import { Setup } from './setup.mjs'

globalThis.IDBKeyRange = IDBKeyRange

/** Everything in a database. */
export async function dump (factory, version) {
  const database = await new Promise((resolve, reject) => {
    const request = factory.open('converge', version)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
  const rows = { version: database.version }
  for (const name of database.objectStoreNames) {
    const all = what => new Promise(resolve => { database.transaction(name).objectStore(name)[what]().onsuccess = event => resolve(event.target.result) })
    rows[name] = await all('getAll')
    rows[`${name} keys`] = await all('getAllKeys')
  }
  database.close()
  return rows
}

/** What is stored of what is said. */
export const said = async factory => (await dump(factory)).ops.filter(row => row?.of !== undefined)

export class OfflineTalk extends Setup {
  /** @param {import('node:test').TestContext} t */
  constructor (t, options) {
    super(options)
    this.factory = new IDBFactory()
    this.trouble = { failing: 0 }
    this.model = this.server.talk
    this.locks = new Locks()
    const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
    Object.defineProperty(globalThis, 'navigator', { value: { locks: this.locks }, configurable: true })
    t.after(() => before === undefined ? delete globalThis.navigator : Object.defineProperty(globalThis, 'navigator', before))
  }

  /** A tab of a user's, with its document and everything that is said beside it. */
  tab (user = 'ann', options = {}) {
    const before = new Set(this.locks.held.keys())
    const client = this.client(user, { fetch: this.model.fetch(this.trouble), storage: indexeddb({ indexedDB: this.factory }), ...options })
    const document = Object.assign(client.open('doc'), { tab: client.tab, before, rejected: [] })
    document.on('rejected', event => document.rejected.push(event))
    void document.chat
    return document
  }

  async joined (user, options) {
    const document = this.tab(user, options)
    await this.eventually(() => document.status === 'connected' && document.talk?.feed.complete === this.model.changed)
    return document
  }

  /** fake-indexeddb works on the event loop: let it, and the world, go on until something is so. */
  async eventually (condition, most = 3000) {
    for (let n = 0; n < most; n++) {
      if (condition()) return
      await new Promise(resolve => setImmediate(resolve))
      if (!await this.world.arrive() && n % 40 === 39) await this.world.tick()
    }
    throw new Error('it never came to be')
  }

  /** Let everything go on that takes no time. */
  async still (turns = 200) {
    for (let n = 0; n < turns; n++) {
      await new Promise(resolve => setImmediate(resolve))
      await this.world.arrive()
    }
  }

  /** The tab is gone, and its locks are free. */
  crash (document) {
    document.tab.dead = true
    for (const wire of [...this.world.wires]) if (wire.tab === document.tab) wire.cut()
    for (const name of this.locks.held.keys()) if (!document.before.has(name)) this.locks.held.delete(name)
  }

  async down () {
    this.world.network = false
    await this.cut()
  }

  up () { this.world.network = true }
}
