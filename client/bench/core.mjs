// What the core costs, without an editor and without a network:
//
//   node --expose-gc bench/core.mjs
//
// open: from the message with 105 KB to `loaded`. keystroke: one `document.edit` at a cursor
// that moves about, answered after a while, in 10 MB; with pauses for collecting garbage in it
// and without. memory: what a document of 10 MB holds, in sizes of its text. arrival: ops of
// another, a character each, in batches.

import { performance, PerformanceObserver } from 'node:perf_hooks'
import { Client } from '../src/index.js'
import { random } from '../test/lib/random.mjs'

const { below } = random(1)
const LINE = 'The quick brown fox jumps over the lazy dog, and so on and on.\n'
const textOf = length => LINE.repeat(Math.ceil(length / LINE.length)).slice(0, length)

/** A document over a socket that is a function call. */
function opened (content) {
  let socket
  let sequenceId = 1
  let version = 1
  const tell = message => socket.onmessage({ data: JSON.stringify(message) })
  const sent = []
  const client = new Client({
    url: 'ws://relay.example.org',
    token: () => '..',
    WebSocket: class {
      readyState = 1
      constructor () { socket = this }
      send (text) { sent.push(JSON.parse(text)) }
      close () {}
    }
  })
  const document = client.open('doc')
  const answer = () => {
    for (const { type, ...message } of sent.splice(0)) if (type === 'op') tell({ type: 'ops', ops: [{ ...message, userId: 'ann', version: ++version, sequenceId: ++sequenceId, at: 'now' }] })
  }
  const arrive = ops => tell({ type: 'ops', ops: ops.map(op => ({ version: ++version, sequenceId: ++sequenceId, operationId: `o${version}`, userId: 'ben', baseVersion: version - 1, at: 'now', op })) })
  const join = () => {
    const snapshot = JSON.stringify({ type: 'snapshot', version, sequenceId, operationId: 'first', content })
    socket.onopen({})
    tell({ type: 'joined', documentId: 'doc', userId: 'ann', clientId: 'c', role: 'editor', title: 't', version, resumed: false, users: [], life: 'l' })
    const from = performance.now()
    socket.onmessage({ data: snapshot })
    return performance.now() - from
  }
  return { document, client, join, answer, arrive }
}

const quantile = (list, q) => list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))]
const say = (what, value, unit, budget) => console.log(`${what.padEnd(44)} ${value.toFixed(3).padStart(10)} ${unit.padEnd(10)} ${budget ?? ''}`)
const turn = () => new Promise(resolve => setImmediate(resolve))

async function open (length) {
  const times = []
  for (let n = 0; n < 40; n++) {
    const { client, join } = opened(textOf(length))
    await turn()
    times.push(join())
    await client.close()
  }
  return quantile(times, 0.5)
}

async function keystrokes (length, count = 20_000) {
  const pauses = []
  const observer = new PerformanceObserver(list => { for (const entry of list.getEntries()) pauses.push([entry.startTime, entry.startTime + entry.duration]) })
  observer.observe({ entryTypes: ['gc'] })
  const { document, client, join, answer } = opened(textOf(length))
  await turn()
  join()
  const times = []
  let at = length >> 1
  for (let n = 0; n < count; n++) {
    if (n % 50 === 0) at = below(document.length)
    const from = performance.now()
    document.edit({ from: at++, insert: 'x' })
    times.push([from, performance.now()])
    if (n % 7 === 0) answer()
    if (n % 200 === 0) await turn()
  }
  await turn()
  observer.disconnect()
  await client.close()
  const spent = times.slice(count / 10)
  const free = spent.filter(([from, to]) => !pauses.some(([begin, end]) => begin < to && end > from))
  const took = list => list.map(([from, to]) => to - from)
  return { p50: quantile(took(spent), 0.5), p99: quantile(took(spent), 0.99), free: quantile(took(free), 0.99), hit: spent.length - free.length }
}

async function memory (length) {
  const used = () => {
    globalThis.gc?.()
    globalThis.gc?.()
    return process.memoryUsage().heapUsed
  }
  const content = textOf(length)
  const before = used()
  const { document, client, join } = opened(Buffer.from(content).toString())
  await turn()
  join()
  for (let n = 0; n < 1000; n++) document.edit({ from: below(document.length), insert: 'y' })
  await turn()
  const bytes = used() - before - length // the copy in the message is the test's
  const { length: now } = document
  await client.close()
  return bytes / now
}

async function arrival (count) {
  const { document, client, join, arrive } = opened('')
  await turn()
  join()
  const from = performance.now()
  let at = 0
  for (let n = 0; n < count; n += 100) {
    if (n % 3000 === 0) at = below(document.length + 1)
    arrive(Array.from({ length: 100 }, () => at++ === 0 ? ['z'] : [at - 1, 'z']))
  }
  const ms = performance.now() - from
  await client.close()
  return ms
}

await keystrokes(100_000, 4000) // warm
say('open 105 KB', await open(105_000), 'ms', 'budget 5')
for (const [name, length] of [['105 KB', 105_000], ['1 MB', 1_000_000], ['10 MB', 10_000_000]]) {
  const { p50, p99, free, hit } = await keystrokes(length)
  say(`keystroke in ${name}, p50`, p50, 'ms')
  say(`keystroke in ${name}, p99`, p99, 'ms', length > 5_000_000 ? 'budget 0.1' : '')
  say(`keystroke in ${name}, p99 without ${hit} in gc`, free, 'ms')
}
say('memory of 10 MB', await memory(10_000_000), 'x text', globalThis.gc ? 'budget 2' : 'needs --expose-gc')
say('259,778 edits arriving', await arrival(259_778), 'ms')
