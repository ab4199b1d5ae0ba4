// WebSocket frames and messages as attackers write them, and operation ids of others.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { Bytes } from './lib/bytes.mjs'
import { content, createDocument, edit, sql } from './lib/pg.mjs'
import { newId, Raw } from './lib/raw.mjs'
import { startRelay } from './lib/relay.mjs'
import { token } from './lib/token.mjs'
import { until } from './lib/wait.mjs'

let relay
before(async () => { relay = await startRelay() })
after(() => relay.stop())

const hello = JSON.stringify({ type: 'hello', token: token('ann') })
const pongs = bytes => [...bytes.heard.keys()].filter(at => bytes.heard[at] === 0x8a && bytes.heard[at + 1] === 1 && bytes.heard[at + 2] === 0x21).length

test('pings and pongs may come between the pieces of a message', async () => {
  const bytes = await new Bytes(relay).upgrade(await createDocument('é'))
  bytes.frame(0x01, hello.slice(0, 20)).frame(0x89, '!').frame(0x00, hello.slice(20, 40)).frame(0x8a).frame(0x80, hello.slice(40))
  await until('a welcome and a pong', () => bytes.heard.includes('joined') && pongs(bytes) === 1)
  bytes.socket.destroy()
})

test('an invalid sequence of frames ends the connection', async () => {
  const doc = await createDocument('é')
  for (const [what, frames] of Object.entries({
    'a message within a message': [[0x01, '{'], [0x81, hello]],
    'a piece of none': [[0x80, hello]],
    'a ping in pieces': [[0x09, 'x'], [0x80, 'y'], [0x81, hello]],
    'a ping that is too long': [[0x89, 'x'.repeat(126)], [0x81, hello]],
    'a close of one byte': [[0x88, 'x'], [0x81, hello]],
    'anything after a close': [[0x88, '\x03\xe8'], [0x81, hello]]
  })) {
    const bytes = await new Bytes(relay).upgrade(doc)
    for (const [first, payload] of frames) bytes.frame(first, payload)
    await bytes.end()
    assert.ok(!bytes.heard.includes('joined'), what)
  }
})

test('endless empty fragments', async () => {
  const bytes = await new Bytes(relay).upgrade(await createDocument(''))
  bytes.frame(0x01, '{')
  const flood = setInterval(() => { for (let n = 0; n < 500 && !bytes.closed; n++) bytes.frame(0x00) }, 1)
  await until('it to be refused', () => relay.log().includes('too many fragments') || bytes.closed)
  clearInterval(flood)
  bytes.socket.destroy()
})

test('a flood of pings takes no memory, and delays no other client', async () => {
  const doc = await createDocument('')
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${relay.process.pid}/status`, 'utf8'))[1])
  const ben = await new Raw(relay, doc).join('ben')
  const bytes = await new Bytes(relay).upgrade(doc)
  bytes.frame(0x81, hello)
  await until('a welcome', () => bytes.heard.includes('joined'))
  const ping = Buffer.concat([Buffer.from([0x89, 0x80 | 125, 0, 0, 0, 0]), Buffer.alloc(125)])
  const many = Buffer.concat(Array.from({ length: 1000 }, () => ping))
  bytes.socket.pause()
  const before = memory()
  for (let n = 0; n < 100 && !bytes.closed; n++) {
    await new Promise(resolve => bytes.socket.write(many, resolve))
    if (n % 20 === 0) {
      ben.op(n / 20, ['é'])
      assert.equal((await ben.operation()).version, n / 20 + 1)
    }
  }
  // 13 MB of them; the sanitizer keeps some of what was freed
  assert.ok(memory() - before < 32 * 1024, `${memory() - before} kB`)
  bytes.socket.destroy()
  ben.end()
})

// ---- JSON ----

const number = (text, field = 'baseVersion') => `{"type":"op","operationId":"${newId()}","${field}":${text},"op":["x"]}`

test('numbers that are out of range', async () => {
  const doc = await createDocument('')
  for (const [text, code] of [['9223372036854775808', 4400], ['-9223372036854775809', 4400], ['1e400', 4400], ['99999999999999999999999999', 4400], ['01', 4400], ['0x1', 4400], ['+1', 4400], ['NaN', 4400], ['Infinity', 4400],
    ['9223372036854775807', 'invalid'], ['-1', 'invalid'], ['1.0', 'invalid'], ['1.5', 'invalid'], ['1e0', 'invalid'], ['"1"', 'invalid'], ['true', 'invalid'], ['[0]', 'invalid'], ['{}', 'invalid'], ['null', 'invalid']]) {
    const ann = await new Raw(relay, doc).join('ann')
    ann.send(number(text))
    if (typeof code === 'number') assert.equal((await ann.close()).code, code, text)
    else assert.equal((await ann.expect('reject')).code, code, text)
    ann.end()
  }
  for (const version of ['9223372036854775808', '1e400', '1.5', '-1', '"0"', '{}']) {
    const ann = await new Raw(relay, doc).opened()
    ann.send(`{"type":"hello","token":"${token('ann')}","version":${version}}`)
    assert.equal((await ann.close()).code, 4400, version)
  }
  // far beyond what there is: a snapshot, as for any version that is not known
  const ann = await new Raw(relay, doc).join('ann', { version: 2 ** 53 })
  assert.equal(ann.joined.resumed, false)
  ann.end()
  assert.equal(await content(doc), '')
})

test('JSON that is deep, twice, or long', async () => {
  const doc = await createDocument('')
  const deep = (open, close, n) => open.repeat(n) + close.repeat(n)
  for (const text of [
    `{"type":"hello","token":"${token('ann')}","x":${deep('[', ']', 10000)}}`, `{"type":"hello","token":"${token('ann')}","x":${deep('{"a":', '}', 5000).replace('}', '1}')}}`,
    `{"type":"hello","token":"none","token":"${token('ann')}"}`, `{"type":"op","type":"hello","token":"${token('ann')}"}`, `{"type":"hello","token":"${token('ann')}"}{}`,
    `{"type":"hello\\u0000","token":"${token('ann')}"}`, `\ufeff{"type":"hello","token":"${token('ann')}"}`, `[{"type":"hello","token":"${token('ann')}"}]`
  ]) {
    const ann = await new Raw(relay, doc).opened()
    ann.send(text)
    await until(`the end of ${text.slice(0, 40)}`, () => ann.closed)
    assert.equal((await ann.close()).code, 4400, text.slice(-40))
    assert.ok(ann.messages.every(message => message.type === 'error'))
  }
  const ann = await new Raw(relay, doc).join('ann')
  ann.send(`{"type":"op","operationId":"${newId()}","baseVersion":0,"op":${deep('[', ']', 1000)}}`)
  assert.equal((await ann.expect('reject')).code, 'invalid')
  ann.send(`{"type":"op","operationId":"${newId()}","baseVersion":0,"op":[${'{"d":1},'.repeat(50000)}{"d":1}]}`)
  assert.equal((await ann.expect('reject')).code, 'invalid')
  ann.send(`{"type":"op","operationId":"${newId()}","baseVersion":0,"op":[9223372036854775807,"x"]}`)
  assert.equal((await ann.expect('reject')).code, 'too_large')
  ann.end()
})

test('ids in other forms are not ids', async () => {
  const doc = await createDocument('')
  const id = newId()
  for (const form of [`{${id}}`, id.replaceAll('-', ''), ` ${id}`, `${id} `, `urn:uuid:${id}`, `${id}\0`, id.replace('-', '–'), id.slice(1), `${id}0`, id.replace(/[0-9]/, '٣'), '', '*', "' OR '1'='1"]) {
    const ann = await new Raw(relay, doc).join('ann')
    ann.op(0, ['x'], form)
    assert.equal((await ann.close()).code, 4400, form)
  }
  for (const form of [`{${doc}}`, doc.replaceAll('-', ''), `${doc}%20`, `${doc}%00`, `${doc}/`, `${doc}/..`, `urn:uuid:${doc}`, `x/../${newId()}`, '%2e%2e', '*', `${doc},${doc}`]) {
    const ann = await new Raw(relay, form).opened()
    if (ann.socket.readyState === ann.socket.OPEN) ann.send(hello)
    await until('its end', () => ann.closed || ann.refused)
    assert.ok(ann.messages.every(message => message.type === 'error'), form)
  }
  // capital letters are the same id
  const ann = await new Raw(relay, doc.toUpperCase()).join('ann')
  const mine = ann.op(0, ['x'], id.toUpperCase())
  assert.equal((await ann.operation()).operationId, mine.toLowerCase())
  ann.end()
  assert.equal(await content(doc), 'x')
})

// ---- operation ids of others ----

test('an operation id of another user is useless, and reveals nothing', async () => {
  const doc = await createDocument('')
  const elsewhere = await createDocument('')
  const closed = await sql("SELECT converge.create_document('closed', 'a secret')")
  await edit(closed, ['more of it '])
  const theirs = await sql(`SELECT op_id FROM converge.ops WHERE doc_id = '${closed}'`)
  const ann = await new Raw(relay, doc).join('ann')
  const anns = ann.op(0, ['a secret'])
  await ann.operation()
  // in the same document: what it is must not be told, whether the content is right or not
  const eve = await new Raw(relay, doc).join('eve')
  for (const [base, op] of [[0, ['a secret']], [0, ['x']], [1, ['a secret']], [1, []]]) {
    eve.op(base, op, anns)
    const reject = await eve.expect('reject')
    assert.deepEqual([reject.operationId, reject.code], [anns, 'conflict'])
    assert.ok(!/secret|ann/.test(reject.message), reject.message)
  }
  eve.end()
  // in another one, and one of a document that she may not read: an id like any other
  const other = await new Raw(relay, elsewhere).join('eve')
  for (const [base, id] of [[0, anns], [1, theirs]]) {
    other.op(base, ['é'], id)
    const entry = await other.operation()
    assert.deepEqual([entry.operationId, entry.userId, entry.version], [id, 'eve', base + 1])
  }
  other.end()
  // and there she gets nowhere with it, nor by naming it as what she holds
  for (const more of [{}, { version: 1, operationId: theirs }, { pending: theirs }]) {
    const stranger = await new Raw(relay, closed).opened()
    stranger.send({ type: 'hello', token: token('eve'), ...more })
    assert.equal((await stranger.close()).code, 4403)
    assert.ok(!JSON.stringify(stranger.messages).includes('secret'))
  }
  assert.equal(await content(doc), 'a secret')
  ann.end()
})
