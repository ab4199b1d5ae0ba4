// For everybody: axe finds nothing in any view, in light or dark, wide or narrow.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import { sql } from '../../../test/relay/lib/pg.mjs'
import { token } from '../../../test/relay/lib/token.mjs'
import { becomes, create, launch, serve, shows } from './lib/browser.mjs'

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

// Move the slider to the beginning, once there is a past to move in.
const toTheBeginning = page => becomes(async () => {
  await page.getByRole('slider').focus()
  await page.keyboard.press('Home')
  return page.getByRole('textbox', { name: 'The text as it was' }).count()
}, 1)

const VIEWS = {
  async 'the first minute' (page) {
    await page.locator('.commits, .version b').first().waitFor()
    await shows(page.getByRole('textbox', { name: 'The document, as Ann sees it' }), /Soup/)
    await toTheBeginning(page)
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
    await toTheBeginning(page)
    await page.getByRole('textbox', { name: 'The text as it was' }).focus()
    await page.keyboard.press('Control+a')
    await page.getByRole('button', { name: 'Restore the selection' }).waitFor()
  },
  async 'a comparison' (page) {
    await page.getByLabel('compare with now').check()
    await page.getByRole('button', { name: 'Undo version 1' }).waitFor()
  },
  async 'a search in its past' (page) {
    await page.getByRole('searchbox', { name: 'Search in the past' }).fill('!')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: /^Came in version 1/ }).waitFor()
  },
  async 'more of it' (page) {
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Export to a file' }).waitFor()
  },
  async 'forgetting a text' (page) {
    await page.getByLabel(/such as a password/).fill('a secret')
    await page.getByRole('button', { name: 'Forget it everywhere' }).click()
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByRole('button', { name: 'Replace it for good' }).waitFor()
  },
  async 'sharing it' (page) {
    await page.keyboard.press('Escape')
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
