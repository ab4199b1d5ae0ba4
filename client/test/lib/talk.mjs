// Clients that talk, in a world of their own.

import '../../src/talk.js' // so that it is there at once
import { Setup } from './setup.mjs'

export class TalkSetup extends Setup {
  constructor (options) {
    super(options)
    this.trouble = { failing: 0 }
    this.model = this.server.talk
  }

  client (user, options = {}) {
    return super.client(user, { fetch: this.model.fetch(this.trouble), ...options })
  }

  /** A document of a new client with everything that is said beside it. */
  async talker (user, role = 'editor') {
    this.server.roles.set(user, role)
    const document = await this.open(user)
    let loaded = 0
    for (const part of [document.comments, document.suggestions, document.chat]) part.loaded.then(() => { loaded++ })
    await this.eventually(() => loaded === 3)
    return document
  }

  /** Let things arrive, code be loaded, and time pass, until something is so. */
  async eventually (condition, most = 300) {
    for (let n = 0; n < most; n++) {
      await this.arrive()
      if (condition()) return
      for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
      if (condition()) return
      if (n > 3) await this.world.tick(1000)
    }
    throw new Error('it never came to be')
  }
}
