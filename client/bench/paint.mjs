// What people see, in Chromium over a real relay and PostgreSQL:
//
//   paint    from a key in one page until the other page has painted it, by the way that makes
//            it durable
//   typing   from a key until its own page has painted it, in a text of 1 MB, alone and while
//            20 others type
//
//   client/test/browser/run --bench [keys]

import WebSocket from 'ws'
import { Client } from '../src/index.js'
import { Browser, until } from '../test/browser/lib/browser.mjs'
import { random } from '../test/lib/random.mjs'
import { createDocument, quote, sql } from '../../test/relay/lib/pg.mjs'
import { token } from '../../test/relay/lib/token.mjs'

const KEYS = Number(process.argv[2] ?? 100)
const OTHERS = 20
const { below } = random(1)
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
const quantile = (list, q) => list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))]
const say = (what, times) => console.log(`${what.padEnd(48)} p50 ${quantile(times, 0.5).toFixed(1).padStart(7)} ms   p99 ${quantile(times, 0.99).toFixed(1).padStart(7)} ms   (${times.length} keys)`)

/** In a page: note by their count when keys were pressed and when what they did was painted. */
const WATCH = `(() => {
  const now = () => performance.timeOrigin + performance.now()
  self.pressed = []
  self.painted = {}
  addEventListener('keydown', event => { if (event.key === 'x') pressed.push(performance.timeOrigin + event.timeStamp) }, true)
  doc.on('change', () => {
    const count = [...doc.slice(0, 20_000)].filter(letter => letter === 'x').length
    requestAnimationFrame(() => setTimeout(() => { painted[count] ??= now() }))
  })
})()`

/** Type x's at the beginning, one after the other; how long each took to be painted in a page. */
async function keys (from, to, ms) {
  await from.select(0)
  for (let n = 0; n < KEYS; n++) {
    await from.page.keyboard.type('x')
    await pause(ms)
  }
  await until('all keys to be painted', () => to.ask(`painted[${KEYS}] !== undefined`))
  const [pressed, painted] = [await from.ask('pressed'), await to.ask('painted')]
  return pressed.map((at, n) => painted[n + 1] - at).filter(each => each >= 0)
}

const browser = await Browser.start()

async function pages (lines, names, use) {
  const id = await createDocument('')
  await sql(`SELECT converge.edit('${id}', jsonb_build_array(repeat(${quote(LINE)}, ${lines})))`)
  const profiles = await Promise.all(names.map(name => browser.profile(name)))
  const tabs = await Promise.all(profiles.map(profile => profile.open('codemirror', id)))
  for (const tab of tabs) {
    await tab.until('to show the text', `editor.text().length === ${LINE.length * lines}`)
    await tab.ask(WATCH)
  }
  await use(tabs, id)
  for (const profile of profiles) await profile.close()
}

const LINE = 'The quick brown fog jumps over the lazy dog, and so on and on.\n' // without an x
try {
  await pages(1, ['ann', 'ben'], async ([ann, ben]) => say('paint: a key, until the other page shows it', await keys(ann, ben, 60)))
  await pages(16_000, ['ann'], async ([ann]) => say('typing in 1 MB, alone', await keys(ann, ann, 60)))
  await pages(16_000, ['ann'], async ([ann], id) => {
    const clients = Array.from({ length: OTHERS }, (_, n) => new Client({ url: `ws://127.0.0.1:${browser.relay.port}`, token: () => token(`other ${n}`), WebSocket }))
    const documents = clients.map(client => client.open(id))
    await Promise.all(documents.map(document => document.loaded))
    const typing = documents.map((document, n) => {
      let at = below(document.length - 30_000) + 30_000
      return setInterval(() => document.canEdit && document.edit({ from: at++, insert: String.fromCharCode(97 + n) }), 200 + 5 * n)
    })
    say(`typing in 1 MB, while ${OTHERS} others type`, await keys(ann, ann, 60))
    for (const each of typing) clearInterval(each)
    await Promise.all(clients.map(client => client.close()))
  })
} finally {
  await browser.stop()
}
process.exit()
