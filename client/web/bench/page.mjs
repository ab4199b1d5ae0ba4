// How long a browser takes until one can type, beside a page of the same editor that has
// the text as a file; and how much the page loads. By `BENCH=page bench/run`, which has made a
// database and a relay's role.
//
//   node client/web/bench/page.mjs
//
// typing: from the beginning of the load until the editor stands with the text and takes keys.
// again: the same in a browser that was there before.

import { build } from 'esbuild'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import zlib from 'node:zlib'
import { chromium } from 'playwright-core'
import { Relay } from '../../../test/relay/lib/relay.mjs'
import { token } from '../../../test/relay/lib/token.mjs'
import { sql } from '../../../test/relay/lib/pg.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const LINE = 'The quick brown fox jumps over the lazy dog, and so on and on.\n'
const ROUNDS = Number(process.env.ROUNDS ?? 7)
/** A mobile network: bytes a second each way, and the time of a way and back. */
const SLOW = { offline: false, downloadThroughput: 200_000, uploadThroughput: 90_000, latency: 150 }

const median = list => list.toSorted((a, b) => a - b)[list.length >> 1]
const folder = path.join(process.env.CONVERGE_TEST_DIR, 'web')

/** The page, and beside it the editor alone. */
async function make () {
  execFileSync('node', [path.join(here, '../build.mjs'), folder])
  const { outputFiles: [{ contents }] } = await build({
    stdin: {
      resolveDir: path.join(here, '..'),
      contents: `import { EditorView } from '@codemirror/view'
import { setup } from './src/editor/setup.js'
const doc = await (await fetch(location.search.slice(1))).text()
const view = new EditorView({ parent: document.body, doc, extensions: setup({}) })
view.focus()`
    },
    bundle: true, minify: true, format: 'esm', target: 'es2022', write: false, define: { 'globalThis.MONACO_STYLE': '""' }
  })
  fs.writeFileSync(path.join(folder, 'bare.js'), contents)
  fs.writeFileSync(path.join(folder, 'bare.js.gz'), zlib.gzipSync(contents, { level: 9 }))
  fs.writeFileSync(path.join(folder, 'bare.html'), '<!doctype html><meta charset="utf-8"><title>bare</title><script type="module" src="bare.js"></script><body>')
  return contents
}

/** The gzipped bytes of what an entry loads at once. */
function weight (entry, more = []) {
  const names = new Set([entry, ...more])
  for (const name of names) {
    if (!name.endsWith('.js')) continue
    const text = fs.readFileSync(path.join(folder, name), 'utf8')
    for (const [, part] of text.matchAll(/(?:from|import)\s*"\.\/(part-\w+\.js)"/g)) names.add(part)
  }
  return [...names].reduce((sum, name) => sum + zlib.gzipSync(fs.readFileSync(path.join(folder, name)), { level: 9 }).length, 0)
}

/** Monaco's script and styles, which the page names. */
function monaco () {
  const names = fs.readdirSync(folder).filter(name => name.endsWith('.js'))
  const named = names.flatMap(name => [...fs.readFileSync(path.join(folder, name), 'utf8').matchAll(/="\.\/(part-\w+\.(?:js|css))"/g)].map(([, part]) => part))
  return [named.find(name => name.endsWith('.js')), named.filter(name => name.endsWith('.css'))]
}

/** Load an address, and tell when there was a picture, and when the text could be typed into. */
async function load (page, address, length) {
  await page.goto('about:blank')
  await page.goto(address)
  await page.waitForFunction(() => globalThis.typingAt !== undefined, undefined, { timeout: 120_000, polling: 10 })
  const [paint, typing] = await page.evaluate(() => [performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN, globalThis.typingAt])
  return { paint, typing }
}

/** A browser that is asked when it has the text. */
async function visitor (browser, slow) {
  const context = await browser.newContext()
  await context.addInitScript(value => {
    localStorage.setItem('converge.session', value)
    const look = () => {
      const editor = document.querySelector('.cm-content[contenteditable=true]')
      if (editor?.textContent.startsWith('The quick brown fox')) globalThis.typingAt = performance.now()
      else requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  }, JSON.stringify({ id: 'ann', name: 'Ann', token: token('ann') }))
  const page = await context.newPage()
  if (slow) await (await context.newCDPSession(page)).send('Network.emulateNetworkConditions', SLOW)
  return { context, page }
}

async function compare (browser, origin, { id, file, slow }) {
  const kinds = { page: `${origin}/?doc=${id}`, bare: `${origin}/bare?${file}` }
  const found = Object.fromEntries(Object.keys(kinds).map(kind => [kind, { paint: [], typing: [], again: [] }]))
  for (let round = 0; round < (slow ? Math.ceil(ROUNDS / 2) : ROUNDS); round++) {
    for (const [kind, address] of Object.entries(kinds)) {
      const { context, page } = await visitor(browser, slow)
      const first = await load(page, address)
      if (kind === 'page') await page.evaluate(() => navigator.serviceWorker.ready)
      const second = await load(page, address)
      found[kind].paint.push(first.paint)
      found[kind].typing.push(first.typing)
      found[kind].again.push(second.typing)
      await context.close()
    }
  }
  return Object.fromEntries(Object.entries(found).map(([kind, lists]) => [kind, Object.fromEntries(Object.entries(lists).map(([what, list]) => [what, median(list)]))]))
}

const summary = (what, text) => { if (process.env.BENCH_SUMMARY) fs.appendFileSync(process.env.BENCH_SUMMARY, `${what.padEnd(64)} ${text}\n`) }
const kilobytes = bytes => `${(bytes / 1000).toFixed(1).padStart(8)} kB`

await make()
const relay = await new Relay({ web: folder }).ready()
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(program => program && fs.existsSync(program))
const browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [] })
try {
  const parts = fs.readdirSync(folder)
  const first = weight('main.js', ['index.html', 'main.css'])
  console.log(`gzipped: all that a document needs        ${kilobytes(first)}   budget 250`)
  console.log(`         a page of CodeMirror alone       ${kilobytes(weight('bare.js'))}`)
  console.log(`         the page of operators            ${kilobytes(weight('admin.js', ['admin.html', 'admin.css']))}`)
  console.log(`         Monaco, when it is chosen        ${kilobytes(weight(...monaco()))}`)
  console.log(`         all files, ${String(parts.filter(name => !name.endsWith('.gz')).length).padStart(3)}                   ${kilobytes(parts.filter(name => !name.endsWith('.gz')).reduce((sum, name) => sum + zlib.gzipSync(fs.readFileSync(path.join(folder, name)), { level: 9 }).length, 0))}`)
  summary('page: first load, of its budget of 250 kB gzipped', `${(first / 250_000).toFixed(2)} (aim <= 1.00)`)
  console.log('\nmilliseconds, medians                    paint    typing    again     typing / bare')
  for (const [what, length, slow] of [['105 KB', 105_000, false], ['1 MB', 1_000_000, false], ['105 KB, 1.6 Mbit/s, 150 ms', 105_000, true]]) {
    const text = LINE.repeat(Math.ceil(length / LINE.length)).slice(0, length)
    const id = await sql(`BEGIN; SET LOCAL converge."user" = 'ann'; SELECT converge.create_document('Bench', repeat('${LINE.slice(0, -1)}' || chr(10), ${Math.ceil(length / LINE.length)})); COMMIT`)
    fs.writeFileSync(path.join(folder, 'text.txt'), text)
    fs.writeFileSync(path.join(folder, 'text.txt.gz'), zlib.gzipSync(text))
    const { page, bare } = await compare(browser, `http://127.0.0.1:${relay.port}`, { id, file: 'text.txt', slow })
    for (const [name, { paint, typing, again }, ratio] of [['page', page, page.typing / bare.typing], ['bare', bare, null]]) {
      console.log(`${`${what}: ${name}`.padEnd(36)} ${[paint, typing, again].map(ms => ms.toFixed(0).padStart(8)).join('  ')}  ${ratio === null ? '' : ratio.toFixed(2).padStart(12)}`)
    }
    summary(`page: time to typing, of a page of CodeMirror alone, ${what}`, (page.typing / bare.typing).toFixed(2))
  }
} finally {
  await browser.close()
  await relay.stop()
}
