// The adversary matrix: what a user who does nothing wrong sees while another loads the
// relay, as ratios to what the same user saw on the same relay before; and the memory.
//
//   make bench BENCH=neighbours
//   ONLY='presence floods' make bench BENCH=neighbours

import fs from 'node:fs'
import { Worker } from 'node:worker_threads'
import { createDocument, sql } from '../../test/relay/lib/pg.mjs'
import { Raw } from '../../test/relay/lib/raw.mjs'
import { startRelay } from '../../test/relay/lib/relay.mjs'
import { token } from '../../test/relay/lib/token.mjs'

const MIB = 1 << 20
const BOUND = 64
const SECONDS = Number(process.env.SECONDS_EACH ?? 5)
const AIMS = { p50: 2, p99: 5 }
const only = process.env.ONLY

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
const sorted = values => [...values].sort((a, b) => a - b)

// What a victim does, again and again, for some seconds: milliseconds of each.
async function measure (relay, ms) {
  const times = { edit: [], join: [], rest: [] }
  let unready = 0
  const timed = async (what, act) => {
    const began = performance.now()
    await act()
    times[what].push(performance.now() - began)
  }
  const doc = await createDocument('é')
  const writer = await new Raw(relay, doc).join('ann')
  const end = performance.now() + ms
  for (let version = 0; performance.now() < end; version++) {
    await timed('edit', async () => { writer.op(version, ['x']); await writer.operation() })
    if (version % 5 === 0) await timed('join', async () => (await new Raw(relay, doc).join('ben')).end())
    if (version % 5 === 1) await timed('rest', async () => { const answer = await relay.get('/v1/me', { headers: { authorization: `Bearer ${token('ann')}` } }); await answer.text() })
    if (version % 5 === 2 && (await relay.get('/readyz')).status !== 200) unready++
  }
  writer.end()
  return { times, unready }
}

const rss = relay => Number(/VmRSS:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${relay.process.pid}/status`, 'utf8'))[1]) / 1024

async function row (load) {
  const docs = await prepare()
  const relay = await startRelay({ 'max-memory': BOUND, 'log-level': 'info', ...(/^compressed/.test(load) && { deflate: 64 }) })
  const start = rss(relay)
  const before = await measure(relay, SECONDS * 400)
  let most = 0
  const watch = setInterval(() => { most = Math.max(most, rss(relay) - start) }, 10)
  const worker = new Worker(new URL('loads.mjs', import.meta.url), { workerData: { port: relay.port, load, docs } })
  await new Promise(resolve => setTimeout(resolve, 1000))
  const during = await Promise.race([measure(relay, SECONDS * 1000), new Promise(resolve => setTimeout(resolve, SECONDS * 10000, null))])
  clearInterval(watch)
  worker.postMessage('end')
  await worker.terminate()
  relay.process.kill('SIGKILL')
  const cells = {}
  for (const what of ['edit', 'join', 'rest']) {
    const [calm, busy] = [before, during ?? { times: {} }].map(({ times }) => sorted(times[what] ?? []))
    cells[what] = busy.length > 0 ? [at(busy, 0.5) / at(calm, 0.5), at(busy, 0.99) / at(calm, 0.99)] : [Infinity, Infinity]
  }
  return { load, cells, unready: during?.unready ?? Infinity, memory: most / BOUND }
}

// What all loads work on, made once, and what they change, which each gets anew.
let kept
async function prepare () {
  const many = []
  for (let n = 0; n < 40; n++) many.push(await createDocument(''))
  kept ??= await makeKept()
  return { ...kept, many }
}

async function makeKept () {
  const docs = { large: await createDocument(''), runs: await createDocument(''), old: await createDocument(''), threads: await createDocument('') }
  await sql(`SELECT converge.edit('${docs.large}', converge.insert(0, repeat('x', ${8 * MIB})))`)
  await sql(`SELECT converge.edit('${docs.runs}', converge.insert(0, repeat('r', 20000))); SELECT converge.edit('${docs.runs}', converge.insert(n * 2, 's')) FROM generate_series(1, 9000) AS n`)
  await sql(`SELECT converge.edit('${docs.old}', converge.insert(0, 'o')) FROM generate_series(1, 20000) AS n`)
  await sql(`SELECT converge.edit('${docs.threads}', converge.insert(0, repeat('t', ${MIB}))); SELECT converge.comment('${docs.threads}', 'why', n * 100, n * 100 + 50) FROM generate_series(1, 900) AS n; SELECT converge.edit('${docs.threads}', converge.insert(n * 2, 's')) FROM generate_series(1, 2000) AS n`)
  return docs
}

const { names } = await import('./loads.mjs')
const figure = value => value === Infinity ? 'none' : value.toFixed(1)
const lines = []
let missed = 0
console.log(`${'load'.padEnd(38)} ${'edit'.padStart(11)} ${'join'.padStart(11)} ${'REST'.padStart(11)}  unready  memory   (p50/p99 against idle; memory against ${BOUND} MiB)`)
for (const load of names.filter(name => !only || name === only)) {
  const { cells, unready, memory } = await row(load)
  const text = ['edit', 'join', 'rest'].map(what => cells[what].map(figure).join('/').padStart(11)).join(' ')
  const good = Object.values(cells).every(([p50, p99]) => p50 <= AIMS.p50 && p99 <= AIMS.p99) && unready === 0 && memory <= 1.2
  missed += !good
  console.log(`${load.padEnd(38)} ${text}  ${String(unready).padStart(7)}  ${memory.toFixed(2).padStart(6)}${good ? '' : '   beyond the aims'}`)
  lines.push(`neighbours: ${load}: edit p50 ${figure(cells.edit[0])}, memory ${memory.toFixed(2)} of the bound`)
}
if (process.env.BENCH_SUMMARY) fs.appendFileSync(process.env.BENCH_SUMMARY, `${lines.join('\n')}\nneighbours: ${missed} of ${lines.length} rows beyond the aims (p50 2, p99 5, memory 1.2, always ready)\n`)
process.exit()
