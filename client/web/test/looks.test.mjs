// For everybody: keys are enough; text from right to left; a long one; and what is loaded
// stays small.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import zlib from 'node:zlib'
import { sql } from '../../../test/relay/lib/pg.mjs'
import { token } from '../../../test/relay/lib/token.mjs'
import { until } from '../../../test/relay/lib/wait.mjs'
import { becomes, create, launch, serve, shows, stored } from './lib/browser.mjs'

/** What a browser loads before it shows a document, gzipped. */
const BUDGET_BYTES = 250_000
let browser, relay, id
before(async () => {
  id = await create('ann', 'Card', '# Menu\n\nSoup with **rice** and `salt`.\n', { '*': 'editor' })
  await sql(`BEGIN; SET LOCAL converge."user" = 'ben'; SELECT converge.edit('${id}', '[6, "!"]'); COMMIT`)
  const users = [['ann', 'Ann', 0], ['ben', 'Ben', 6]].map(([id, name, slot]) => ({ id, name, slot, token: token(id) }))
  relay = await serve({ demo: { users, document: id, console: id, observer: token('visitor'), sqlUser: { id: 'sql', slot: 2 } } })
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await relay?.stop()
})

test('the keyboard alone reaches everything of the first minute', async () => {
  const page = await browser.page(relay)
  await shows(page.getByRole('textbox', { name: 'The document, as Ann sees it' }), /Soup/)
  const seen = new Set()
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab')
    seen.add(await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent?.trim().slice(0, 40)))
    // a tab in an editor is a tab: Escape, then Tab, leaves it
    await page.keyboard.press('Escape')
  }
  for (const name of ['Settings', 'The document, as Ann sees it', 'Cut Ann’s wire', 'Cut Ben’s wire', 'The document, as Ben sees it', 'Version of the text', 'Play', 'Statement', 'Run']) assert.ok(seen.has(name), `${name} in ${[...seen].join(', ')}`)
  await page.getByRole('button', { name: 'Cut Ann’s wire' }).focus()
  await page.keyboard.press('Space')
  await page.getByRole('button', { name: 'Join Ann’s wire' }).waitFor()
  await page.keyboard.press('Space')
  browser.check()
})

test('a line begins on the right where its text does', async () => {
  const hebrew = await create('ann', 'שלום', 'שלום עולם\nplain\n')
  const page = await browser.page(relay, { user: 'ann', where: `?doc=${hebrew}` })
  const text = page.getByRole('textbox', { name: 'שלום', exact: true })
  await shows(text, 'שלום עולם\nplain\n')
  await becomes(() => text.locator('.cm-line').evaluateAll(lines => lines.slice(0, 2).map(line => getComputedStyle(line).direction)), ['rtl', 'ltr'])
  await text.click()
  await page.keyboard.press('Control+Home')
  await page.keyboard.type('א')
  await until('it to be stored', async () => await stored('ann', hebrew) === 'אשלום עולם\nplain\n')
  browser.check()
})

test('a text of a megabyte is opened and typed into', async () => {
  const long = await create('ann', 'Long', '')
  await sql(`BEGIN; SET LOCAL converge."user" = 'ann'; SELECT converge.edit('${long}', converge.replace(0, 0, repeat('A line of a long text, with é and 😀 in it.' || chr(10), 25000))); COMMIT`)
  const page = await browser.page(relay, { user: 'ann', where: `?doc=${long}` })
  const text = page.getByRole('textbox', { name: 'Long' })
  await text.getByText('A line of a long text').first().waitFor()
  await text.click()
  await page.keyboard.press('Control+Home')
  await page.keyboard.type('Here: ')
  await until('it to be stored', async () => /^Here: A line/.test(await stored('ann', long)))
  assert.ok(await text.locator('.cm-line').count() < 500, 'only what is in sight is drawn')
  browser.check()
})

test(`what is loaded first has at most ${BUDGET_BYTES / 1000} kB, gzipped`, async () => {
  const page = await browser.page(relay, { user: 'ann' })
  const loaded = []
  page.on('response', response => loaded.push(new URL(response.url()).pathname))
  await page.goto(`/?doc=${id}`)
  await shows(page.getByRole('textbox', { name: 'Card' }), /Soup/)
  const place = path.join(process.env.CONVERGE_TEST_DIR, 'web')
  // Markdown's highlighting comes after the text
  const entry = fs.readFileSync(path.join(place, 'main.js'), 'utf8')
  const first = new Set(['index.html', 'main.css', 'main.js', ...[...entry.matchAll(/(?:from|import)\s*"\.\/(part-\w+\.js)"/g)].map(([, part]) => part)])
  for (const name of first) assert.ok(name === 'index.html' || loaded.includes(`/${name}`), `${name} is loaded`)
  const sizes = Object.fromEntries([...first].map(name => [name, zlib.gzipSync(fs.readFileSync(path.join(place, name)), { level: 9 }).length]))
  const total = Object.values(sizes).reduce((sum, size) => sum + size)
  assert.ok(total <= BUDGET_BYTES, `${total}: ${JSON.stringify(sizes)}`)
  assert.ok(total > 50_000, 'it was measured')
  browser.check()
})
