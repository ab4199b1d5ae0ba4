// A page that is typed into while relays and PostgreSQL end and come back.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { Cluster } from '../../../test/relay/lib/cluster.mjs'
import { Relay } from '../../../test/relay/lib/relay.mjs'
import { until } from '../../../test/relay/lib/wait.mjs'
import { create, folder, launch, shows, stored, textOf } from './lib/browser.mjs'

let cluster, browser, relay, place
const start = async port => {
  relay = await new Relay({ web: place, listen: `127.0.0.1:${port}` }, cluster.env).ready()
}
before(async () => {
  cluster = await Cluster.make()
  place = folder()
  await start(0)
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await relay?.stop()
  await cluster?.remove()
})

test('nothing that is typed is lost or doubled when the relay and PostgreSQL are killed', async () => {
  const id = await create('ann', 'Storm', '', { ben: 'editor' }, cluster.env)
  const pages = await Promise.all(['ann', 'ben'].map(user => browser.page(relay, { user, where: `?doc=${id}`, brokenNetwork: true })))
  const editors = pages.map(page => page.getByRole('textbox', { name: 'Storm' }))
  const words = ['before ', 'relay gone ', 'relay back ', 'database gone ', 'database back ', 'both gone ', 'both back ']
  await Promise.all(editors.map(editor => shows(editor, '')))
  // each types lines of their own, told apart by a letter
  const type = async word => {
    for (const [i, page] of pages.entries()) {
      await editors[i].focus()
      await page.keyboard.press('Control+End')
      await page.keyboard.type(`${'ab'[i]}:${word}\n`)
    }
  }
  const { port } = relay
  await type(words[0])
  await relay.crash()
  await type(words[1])
  for (const page of pages) await page.getByText(/Reconnecting|Offline/).first().waitFor()
  await start(port)
  await type(words[2])
  await cluster.crash()
  await type(words[3])
  await cluster.start()
  await type(words[4])
  await relay.crash()
  await cluster.crash()
  await type(words[5])
  await cluster.start()
  await start(port)
  await type(words[6])
  for (const page of pages) await page.locator('.badge.saved').waitFor({ timeout: 90000 })
  await until('both to show the same', async () => await textOf(editors[0]) === await textOf(editors[1]))
  const text = await stored('ann', id, cluster.env)
  await shows(editors[0], text)
  // every word whole or cut by the other's, but each letter once
  const typed = words.flatMap(word => [`a:${word}\n`, `b:${word}\n`]).join('')
  assert.equal([...text].sort().join(''), [...typed].sort().join(''))
  browser.check()
})
