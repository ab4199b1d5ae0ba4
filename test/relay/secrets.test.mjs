// What a relay never writes into its log.

import test from 'node:test'
import assert from 'node:assert/strict'
import { Relay } from './lib/relay.mjs'
import { until } from './lib/wait.mjs'

for (const [what, dsn, says] of [
  ['that libpq cannot read', 'user=ann password=hunter twotwo', 'libpq cannot read --dsn'],
  ['with a quote that does not end', "user=ann password='hunter twotwo", 'libpq cannot read --dsn'],
  ['with an option that there is not', 'user=ann password=hunter pass=twotwo', 'libpq cannot read --dsn'],
  ['that is a broken URI', 'postgresql://ann:hunter%zztwotwo@localhost/x', 'libpq cannot read --dsn'],
  ['to where nobody listens', 'host=127.0.0.1 port=1 user=ann password=hunter-twotwo', 'Connection refused']
]) {
  test(`the password of a --dsn ${what} is not in the log`, async () => {
    const relay = await new Relay({ dsn }).listening()
    await until('it to say why', () => relay.log().includes(says))
    assert.doesNotMatch(relay.log(), /hunter|twotwo/)
    assert.equal((await relay.get('/readyz')).status, 503)
    await relay.stop()
  })
}
