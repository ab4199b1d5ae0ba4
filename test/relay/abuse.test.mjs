// Those who send too much, too slowly, or too often.

import test from 'node:test'
import assert from 'node:assert/strict'
import { Bytes } from './lib/bytes.mjs'
import { createDocument } from './lib/pg.mjs'
import { Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { token } from './lib/token.mjs'
import { until } from './lib/wait.mjs'

const metric = async (relay, name) => (await relay.metrics())[name]

test('who sends a little too fast is read more slowly, and nothing is lost', async () => {
  const relay = await startRelay({ rate: 20, burst: 40 })
  const doc = await createDocument('')
  const ann = await new Raw(relay, doc).join('ann')
  for (let v = 0; v < 60; v++) ann.op(0, ['é'])
  for (let v = 0; v < 60; v++) assert.equal((await ann.operation()).version, v + 1)
  assert.ok(await metric(relay, 'slowed_total') > 0)
  assert.equal(await metric(relay, 'rejects_total{code="rate_limited"}'), 0)
  ann.end()
  await relay.stop()
})

test('then operations are rejected, with when to come back', async () => {
  const relay = await startRelay({ 'user-rate': 1, 'user-burst': 9 })
  const doc = await createDocument('')
  const clients = await Promise.all(Array.from({ length: 4 }, () => new Raw(relay, doc).join('ann')))
  const ben = await new Raw(relay, doc).join('ben')
  for (const client of clients) for (let n = 0; n < 6; n++) client.op(0, ['é'])
  await until('a rejection', () => clients.some(client => client.messages.some(m => m.type === 'reject')))
  const reject = clients.flatMap(client => client.messages).find(m => m.type === 'reject')
  assert.equal(reject.code, 'rate_limited')
  assert.ok(reject.retryAfter > 0)
  // another user is not concerned
  ben.op(0, ['x'])
  await until('his edit', () => ben.messages.some(m => m.type === 'ops' && m.ops.some(entry => entry.userId === 'ben')))
  clients.forEach(client => client.end())
  ben.end()
  await relay.stop()
})

test('then the connection ends', async () => {
  for (const type of ['nonsense', 'ping']) {
    const relay = await startRelay({ rate: 1, burst: 3 })
    const doc = await createDocument('')
    const ann = await new Raw(relay, doc).join('ann')
    const flood = setInterval(() => { if (!ann.closed) for (let n = 0; n < 100; n++) ann.send({ type }) }, 5)
    // the code may be lost with the reset that follows: the log has it
    assert.ok([4429, 1006].includes((await ann.close()).code))
    clearInterval(flood)
    assert.match(relay.log(), /closing with 4429/)
    assert.equal(await metric(relay, 'floods_total'), 1)
    await relay.stop()
  }
})

test('unsolicited pongs count as a flood, too', async () => {
  const relay = await startRelay({ rate: 1, burst: 10 })
  const doc = await createDocument('')
  const bytes = await new Bytes(relay).upgrade(doc)
  const flood = setInterval(() => { for (let n = 0; n < 100; n++) bytes.frame(0x8a, 'x') }, 5)
  await bytes.end()
  clearInterval(flood)
  await relay.stop()
})

test('connections of one user', async () => {
  const relay = await startRelay({ 'max-per-user': 2 })
  const doc = await createDocument('')
  const [one, two] = [await new Raw(relay, doc).join('ann'), await new Raw(relay, doc).join('ann')]
  const three = await new Raw(relay, doc).opened()
  three.send({ type: 'hello', token: token('ann') })
  assert.equal((await three.expect('error')).code, 'flooding')
  assert.equal((await three.close()).code, 4429)
  const ben = await new Raw(relay, doc).join('ben')
  one.end()
  await until('room for another', async () => await metric(relay, 'connections') === 2)
  const four = await new Raw(relay, doc).join('ann')
  assert.equal(await metric(relay, 'refused_total{reason="user"}'), 1)
  for (const client of [two, four, ben]) client.end()
  await relay.stop()
})

test('connections of one address', async () => {
  const relay = await startRelay({ 'max-per-address': 4 })
  const doc = await createDocument('')
  await until('the connection of fetch to be gone or kept', async () => (await relay.get('/healthz')).status === 200)
  const clients = Array.from({ length: 6 }, () => new Bytes(relay))
  await until('two or three to be closed', () => clients.filter(client => client.closed).length >= 2)
  clients.forEach(client => client.socket.destroy())
  // those that are gone do not count
  let ann
  await until('room again', async () => {
    ann = await new Raw(relay, doc).opened()
    return ann.socket.readyState === ann.socket.OPEN
  })
  ann.end()
  await until('the metrics', async () => relay.get('/metrics').then(async answer => /refused_total\{reason="address"\} [2-9]/.test(await answer.text()), () => false))
  await relay.stop()
})

test('a request that never ends, and one that arrives a byte at a time', async () => {
  const relay = await startRelay({ 'handshake-timeout': 1 })
  const silent = new Bytes(relay)
  const half = new Bytes(relay).write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ')
  const slow = new Bytes(relay).write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ')
  const drip = setInterval(() => slow.write('é'), 100)
  for (const bytes of [silent, half, slow]) await bytes.end()
  clearInterval(drip)
  assert.equal((await relay.get('/healthz')).status, 200)
  await relay.stop()
})

test('a hello that never arrives, and one that arrives a byte at a time', async () => {
  const relay = await startRelay({ 'hello-timeout': 1 })
  const doc = await createDocument('')
  const silent = await new Bytes(relay).upgrade(doc)
  const slow = await new Bytes(relay).upgrade(doc)
  slow.frame(0x01, '{')
  const drip = setInterval(() => { if (!slow.closed) slow.frame(0x00, ' ') }, 100)
  await until('both to be told', () => [silent, slow].every(bytes => bytes.heard.includes('no hello message')))
  for (const bytes of [silent, slow]) {
    bytes.socket.end()
    await bytes.end()
  }
  clearInterval(drip)
  assert.equal(await metric(relay, 'timeouts_total{what="hello"}'), 2)
  await relay.stop()
})

test('a message in endless fragments', async () => {
  const relay = await startRelay({ 'max-message': 100000 })
  const doc = await createDocument('')
  for (const [piece, says] of [['x', 'too many fragments'], ['x'.repeat(100), 'too big']]) {
    const bytes = await new Bytes(relay).upgrade(doc)
    bytes.frame(0x01, '{')
    const flood = setInterval(() => { for (let n = 0; n < 200 && !bytes.closed; n++) bytes.frame(0x00, piece) }, 1)
    // what the relay said may be lost with the reset that follows: its log has it
    await until('it to be refused', () => relay.log().includes(says))
    clearInterval(flood)
    bytes.socket.destroy()
  }
  await relay.stop()
})

test('a frame that announces a huge length is refused before it arrives', async () => {
  const relay = await startRelay()
  const doc = await createDocument('')
  const bytes = await new Bytes(relay).upgrade(doc)
  bytes.write(Buffer.from([0x81, 0xff, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x7b]))
  await until('it to be refused or closed', () => bytes.closed || bytes.heard.includes('too_large'))
  bytes.socket.destroy()
  await relay.stop()
})

test('invalid frames: compressed, of unknown type, out of place, too long', async () => {
  const relay = await startRelay()
  const doc = await createDocument('')
  const hello = JSON.stringify({ type: 'hello', token: token('ann') })
  // what would be a good hello in a good frame
  const good = (await new Bytes(relay).upgrade(doc)).frame(0x81, hello)
  await until('a welcome', () => good.heard.includes('joined'))
  good.socket.destroy()
  for (const first of [0xc1, 0xa1, 0x91, 0x83, 0x87, 0x8b, 0x09, 0x0a, 0x00, 0x80, 0x89, 0x8a, 0x88]) {
    const bytes = await new Bytes(relay).upgrade(doc)
    bytes.frame(first, hello)
    await bytes.end()
    assert.ok(!bytes.heard.includes('joined'), first.toString(16))
  }
  await relay.stop()
})

test('frames that are not masked open no door', async () => {
  const relay = await startRelay({ 'max-message': 1024 })
  const doc = await createDocument('')
  // a relay that closes them at once would do as well
  for (const [payload, code] of [[JSON.stringify({ type: 'hello', token: 'none' }), 4401], ['x'.repeat(1025), 1009], ['{', 4400]]) {
    const bytes = (await new Bytes(relay).upgrade(doc)).frame(0x81, payload, 0)
    await bytes.end()
    assert.ok(bytes.heard.length === 0 || bytes.heard.includes(Buffer.from([code >> 8, code & 255])), String(bytes.heard))
  }
  await relay.stop()
})

test('a page of another site', async () => {
  const relay = await startRelay({ origin: ['https://app.example', 'https://b.example'] })
  const doc = await createDocument('')
  for (const origin of ['https://evil.example', 'http://app.example', 'https://app.example.evil.example', 'https://app.example:444', 'null', 'https://app.example/']) {
    const page = new Raw(relay, doc, { origin })
    await until('an answer', () => page.refused)
    assert.equal(page.refused, 403)
  }
  for (const origin of ['https://app.example', 'https://b.example', undefined]) (await new Raw(relay, doc, origin ? { origin } : {}).join('ann')).end()
  assert.equal(await metric(relay, 'refused_total{reason="origin"}'), 6)
  await relay.stop()
})

test('a message of many elements is charged for them', async () => {
  const relay = await startRelay({ burst: 500, rate: 100 })
  const doc = await createDocument('')
  const greedy = await new Raw(relay, doc).join('greedy')
  const text = `{"type":"none","x":[${'[],'.repeat(50000)}0]}`
  for (let n = 0; n < 4; n++) greedy.send(text)
  // what it still sends may take the close frame from it
  assert.ok([4429, 1006].includes((await greedy.close()).code))
  await until('its close to be counted', async () => (await relay.metrics())['closes_total{code="4429"}'] === 1)
  const long = await new Raw(relay, doc).join('long')
  for (let n = 0; n < 4; n++) long.send(`{"type":"none","x":"${'[],'.repeat(50000)}"}`)
  for (let n = 0; n < 4; n++) assert.equal((await long.expect('error')).code, 'unknown_type')
  long.end()
  await relay.stop()
})
