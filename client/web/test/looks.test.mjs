// For everybody: axe finds nothing in light or dark, wide or narrow; keys are enough; text
// from right to left; and what is loaded stays small.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import zlib from 'node:zlib'
import { sql } from '../../../test/relay/lib/pg.mjs'
import { token } from '../../../test/relay/lib/token.mjs'
import { until } from '../../../test/relay/lib/wait.mjs'
import { becomes, create, launch, serve, shows, stored } from './lib/browser.mjs'

/** What a browser loads before it shows a document, gzipped. */
const BUDGET_BYTES = 250_000
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
let browser, relay, id, code
before(async () => {
  id = await create('ann', 'Menu', '# Menu\n\nSoup with **rice** and `salt`.\n', { '*': 'editor' })
  await sql(`BEGIN; SET LOCAL converge."user" = 'ben'; SELECT converge.edit('${id}', '[6, "!"]'); COMMIT`)
  const users = [['ann', 'Ann', 0], ['ben', 'Ben', 6]].map(([id, name, slot]) => ({ id, name, slot, token: token(id) }))
  relay = await serve({ demo: { users, document: id, console: id, observer: token('visitor'), sqlUser: { id: 'sql', slot: 2 } } }, { operator: 'ann' })
  code = await create('ann', 'tool.py', '# what it does\ndef tool(path: str) -> int:\n    return len(path) + 12 if path != "x" else None\n')
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await relay?.stop()
})

async function findings (page) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
  return violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.target.join(' ')}: ${node.failureSummary.split('\n').slice(1, 2).join('').trim()}`))
}

const VIEWS = {
  async 'the first minute' (page) {
    await page.locator('.commits, .version b').first().waitFor()
    await shows(page.getByRole('textbox', { name: 'The document, as Ann sees it' }), /Soup/)
    await page.getByRole('slider').focus()
    await page.keyboard.press('Home')
    await shows(page.getByRole('textbox', { name: 'The text as it was' }), /Soup/)
  },
  async 'logging in' (page) {
    await page.goto('/?docs')
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
  },
  async 'the list of documents' (page) {
    await page.goto('/?docs')
    await page.getByRole('button', { name: 'Ann' }).click()
    await page.getByRole('link', { name: 'Menu' }).waitFor()
  },
  async 'a document, its authors and its past' (page) {
    await page.goto(`/?doc=${id}`)
    await page.getByRole('textbox', { name: 'Menu' }).waitFor()
    await page.getByRole('button', { name: 'Authors' }).click()
    await page.locator('.sheet-live .by').first().waitFor()
    await page.getByRole('button', { name: 'History' }).click()
    await page.getByRole('slider').waitFor()
  },
  async 'a part of its past' (page) {
    await page.getByRole('slider').focus()
    await page.keyboard.press('Home')
    await page.getByRole('textbox', { name: 'The text as it was' }).focus()
    await page.keyboard.press('Control+a')
    await page.getByRole('button', { name: 'Restore the selection' }).waitFor()
  },
  async 'sharing it' (page) {
    await page.getByRole('button', { name: 'Share' }).click()
    await page.getByRole('dialog').getByText('Everyone with the link').waitFor()
  },
  async 'settings' (page) {
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Ann: settings' }).click()
    await page.getByRole('dialog').waitFor()
  },
  async 'a document of code' (page) {
    await page.goto(`/?doc=${code}`)
    await page.locator('.cm-line span').getByText('def', { exact: true }).waitFor()
  },
  async 'one that is not there' (page) {
    await page.goto(`/?doc=${crypto.randomUUID()}`)
    await page.getByRole('link', { name: 'All documents' }).waitFor()
  },
  async 'the operators\' page' (page) {
    await page.goto('/admin')
    await page.getByRole('region', { name: 'Documents by size' }).getByText('Menu').waitFor()
  }
}

for (const [scheme, width] of [['light', 1280], ['dark', 1280], ['light', 360], ['dark', 360]]) {
  test(`axe finds nothing, and nothing is wider than the page, in ${scheme} at ${width} pixels`, async () => {
    const page = await browser.page(relay, { scheme, width, reducedMotion: 'reduce' })
    for (const [name, go] of Object.entries(VIEWS)) {
      await go(page)
      assert.deepEqual(await findings(page), [], name)
      await becomes(() => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true).catch(() => assert.fail(`${name} does not fit into ${width} pixels`))
    }
    browser.check()
  })
}

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
  await shows(page.getByRole('textbox', { name: 'Menu' }), /Soup/)
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
