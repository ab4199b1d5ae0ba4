// A client that shows how far the relay has read the stream.

import { sql } from './pg.mjs'
import { Raw } from './raw.mjs'
import { until } from './wait.mjs'

export class Witness {
  constructor (relay) {
    this.joined = sql("SELECT converge.create_document(), converge.acting_user()").then(async row => {
      const [doc, owner] = row.split('|')
      return { doc, client: await new Raw(relay, doc).join(owner) }
    })
  }

  // Wait until the relay was shown everything that is committed by now.
  async streamed () {
    const { doc, client } = await this.joined
    const version = Number(await sql(`SELECT converge.edit('${doc}', '["x"]')`))
    await until('the edit to be shown', () => client.messages.some(m => m.type === 'ops' && m.ops.some(op => op.version >= version)))
  }

  async end () {
    (await this.joined).client.end()
  }
}
