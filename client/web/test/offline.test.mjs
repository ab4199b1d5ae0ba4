// The page without a relay: it opens, is typed into, and nothing is lost; and a new version of
// it is never kept away by the old one.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { Relay } from '../../../test/relay/lib/relay.mjs'
import { until } from '../../../test/relay/lib/wait.mjs'
import { seal } from '../seal.mjs'
import { becomes, create, folder, launch, shows, stored } from './lib/browser.mjs'

let browser, relay
const start = async (place, port = 0) => {
  relay = await new Relay({ web: place, listen: `127.0.0.1:${port}`, 'login-rate': 0 }).ready()
}
before(async () => { browser = await launch() })
after(async () => {
  await browser?.close()
  await relay?.stop()
})

/** The page is kept: its worker has all of it. */
const isKept = page => becomes(() => page.evaluate(async () => (await navigator.serviceWorker.ready).active.state), 'activated')

/** All that was typed is stored: the editor has it, and the page lets its user go without a warning. */
const mayBeLeft = async (page, typed) => {
  await becomes(async () => (await page.locator('.pending-text').allTextContents()).join(''), typed)
  await becomes(() => page.evaluate(() => dispatchEvent(new Event('beforeunload', { cancelable: true }))), true)
}

test('a document opens without a relay, with what was typed into it, and that is saved later', async () => {
  const place = folder()
  await start(place)
  const { port } = relay
  const id = await create('ann', 'Journey', 'Text.')
  const page = await browser.page(relay, { user: 'ann', where: `?doc=${id}`, brokenNetwork: true })
  const text = page.locator('.sheet-live .cm-content')
  await shows(text, 'Text.')
  await isKept(page)
  await relay.stop()
  await page.getByText(/Reconnecting|Offline/).first().waitFor()
  await text.click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type(' On the train.')
  await page.getByText(/wait here/).waitFor()
  await mayBeLeft(page, ' On the train.')
  await page.reload()
  await shows(text, 'Text. On the train.')
  await becomes(() => page.getByRole('textbox', { name: 'Title', exact: true }).inputValue(), 'Journey')
  await text.click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type(' In the tunnel.')
  await mayBeLeft(page, /In the tunnel\.$/)
  await page.reload()
  await shows(text, 'Text. On the train. In the tunnel.')
  // what only the relay knows is not made up
  assert.equal(await page.evaluate(() => fetch('/v1/docs').then(() => 'an answer', () => 'none')), 'none')
  await start(place, port)
  await page.locator('.badge.saved').waitFor()
  await until('it to be stored', async () => await stored('ann', id) === 'Text. On the train. In the tunnel.')
  browser.check()
})

test('a document that this browser does not keep says so', async () => {
  const place = folder()
  await start(place)
  const page = await browser.page(relay, { user: 'ann', brokenNetwork: true })
  await page.getByRole('heading', { name: 'Documents' }).waitFor()
  await isKept(page)
  await relay.stop()
  await page.goto(`/?doc=${crypto.randomUUID()}`)
  await page.getByText('The server cannot be reached').waitFor()
  browser.check()
})

test('a new version of the page is shown at once, and kept in place of the old one', async () => {
  const place = folder()
  await start(place)
  const page = await browser.page(relay, { user: 'ann', brokenNetwork: true })
  await isKept(page)
  const versions = () => page.evaluate(() => caches.keys())
  const [first, ...others] = await versions()
  assert.deepEqual(others, [])
  fs.appendFileSync(path.join(place, 'main.js'), '\ndocument.documentElement.dataset.build = "second"\n')
  await seal(place)
  await page.reload()
  const build = () => page.evaluate(() => document.documentElement.dataset.build)
  await becomes(build, 'second')
  await until('the new version to be kept', async () => {
    const found = await versions()
    return found.length === 1 && found[0] !== first
  })
  await relay.stop()
  await page.reload()
  await becomes(build, 'second')
  browser.check()
})

test('a page that was changed by hand is shown as it is, and the one that is kept stays whole', async () => {
  const place = folder()
  await start(place)
  const { port } = relay
  const page = await browser.page(relay, { user: 'ann', brokenNetwork: true })
  await isKept(page)
  fs.appendFileSync(path.join(place, 'main.js'), '\ndocument.documentElement.dataset.build = "by hand"\n')
  await page.reload()
  const build = () => page.evaluate(() => document.documentElement.dataset.build ?? 'first')
  await becomes(build, 'by hand')
  await relay.stop()
  await page.reload()
  await becomes(build, 'first')
  await start(place, port)
  await page.reload()
  await becomes(build, 'by hand')
  browser.check()
})
