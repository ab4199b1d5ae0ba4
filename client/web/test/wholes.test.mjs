// Whole documents and their whole past: searched, copied, taken along, taken back, forgotten.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { sql } from '../../../test/relay/lib/pg.mjs'
import { becomes, create, launch, serve, shows, stored } from './lib/browser.mjs'

let browser, relay
const as = (user, statement) => sql(`BEGIN; SET LOCAL converge."user" = '${user}'; SELECT ${statement}; COMMIT`)

before(async () => {
  relay = await serve()
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await relay?.stop()
})

const pastOf = page => page.getByRole('textbox', { name: 'The text as it was' })
const liveOf = page => page.locator('.sheet-live .cm-content')

test('a text is searched in the past: when it came and went, by whom, and one goes there', async () => {
  const id = await create('ann', 'Sought', '😀 Soup. ', { ben: 'editor' })
  await as('ben', `converge.edit('${id}', '[8, "sa"]')`)
  await as('ben', `converge.edit('${id}', '[10, "lt"]')`)
  await as('ann', `converge.edit('${id}', '[8, {"d": 4}]')`)
  const page = await browser.page(relay, { user: 'ann', where: `?doc=${id}` })
  await page.getByRole('button', { name: 'History' }).click()
  const field = page.getByRole('searchbox', { name: 'Search in the past' })
  await field.fill('salt')
  await field.press('Enter')
  const list = page.getByRole('list', { name: 'When it came and went' })
  const came = list.getByRole('button', { name: /^Came in version 2 by ben/ })
  await list.getByRole('button', { name: /^Went in version 3 by ann/ }).waitFor()
  await came.focus()
  await page.keyboard.press('Enter')
  await shows(pastOf(page), '😀 Soup. salt')
  // it is selected, so that it can be restored at once
  await page.getByRole('button', { name: 'Restore the selection' }).click()
  await shows(liveOf(page), '😀 Soup. salt')
  await list.getByRole('button', { name: /^Went in version 3/ }).click()
  await shows(pastOf(page), '😀 Soup. ')
  await field.fill('pepper')
  await field.press('Enter')
  await page.getByText('“pepper” never stood here.').waitFor()
  assert.equal(await list.count(), 0)
  browser.check()
})
