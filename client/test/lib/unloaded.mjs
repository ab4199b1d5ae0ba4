// Clients that talk, without loading before what is loaded later.

import { Setup } from './setup.mjs'

export class TalkSetup extends Setup {
  constructor (options) {
    super(options)
    this.model = this.server.talk
  }

  client (user, options = {}) {
    return super.client(user, { fetch: this.model.fetch(), ...options })
  }

  /** Let code be loaded, or not. */
  async still () {
    for (let n = 0; n < 30; n++) {
      await new Promise(resolve => setTimeout(resolve, 1))
      await this.world.arrive()
    }
  }

  async eventually (condition, most = 300) {
    for (let n = 0; n < most; n++) {
      await this.still()
      if (condition()) return
      if (n > 3) await this.world.tick(1000)
    }
    throw new Error('it never came to be')
  }
}
