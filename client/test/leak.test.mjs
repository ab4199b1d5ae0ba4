// Documents that are opened and released leave nothing behind.

import assert from 'node:assert/strict'
import test from 'node:test'
import { Setup } from './lib/setup.mjs'

test('10,000 documents that are opened and released leave no heap', { skip: globalThis.gc === undefined && 'run with node --expose-gc' }, async () => {
  const setup = new Setup({ content: 'some text' })
  const client = setup.client()
  const round = async count => {
    for (let n = 0; n < count; n++) {
      const document = client.open('doc')
      document.on('change', () => {})
      await setup.arrive()
      if (document.status === 'connected') {
        document.edit({ from: 0, to: 4, insert: 'more' })
        await setup.arrive()
      }
      document.release()
      await setup.world.tick(0)
      await setup.world.tick(0)
      assert.equal(document.status, 'closed')
      setup.server.log.length = 0
      setup.server.text = setup.server.at(0)
    }
    // what only the event loop lets go, and what dies of that
    let least = Infinity
    for (let n = 0; n < 5; n++) {
      await new Promise(resolve => setImmediate(resolve))
      globalThis.gc()
      least = Math.min(least, process.memoryUsage().heapUsed)
    }
    return least
  }
  // what leaks grows in each round; what the engine keeps for itself comes and goes
  const held = [await round(2_500)]
  for (let n = 0; n < 4; n++) held.push(await round(2_500))
  const grown = held.slice(1).map((bytes, n) => bytes - held[n])
  assert.ok(Math.min(...grown) < 2_500 * 40, `each round of 2,500 leaves ${grown} bytes`)
  assert.equal(setup.world.wires.size, 0)
  assert.equal(client.tab.listeners.size, 0)
  assert.equal(setup.world.timers.size, 0)
})
