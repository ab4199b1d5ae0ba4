// Long lists: what a page draws of them at once is bounded, and the rest can be reached.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { sql } from '../../../test/relay/lib/pg.mjs'
import { becomes, create, launch, serve, shows } from './lib/browser.mjs'

const MANY = 1000
let browser, relay
before(async () => {
  relay = await serve()
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await relay?.stop()
})
const text = page => page.locator('.sheet-live .cm-content')
const panel = (page, name) => page.locator('.doc-head').getByRole('button', { name })
const as = (user, id, statement, many = MANY) => sql(`DO $$ BEGIN PERFORM set_config('converge.user', '${user}', true); FOR n IN 0..${many - 1} LOOP PERFORM ${statement.replaceAll('$id', `'${id}'`)}; END LOOP; END $$`)

test('more than a thousand members, which come in pages: a hundred are shown, more by a button, one by a search', async () => {
  const id = await create('ann', 'Members', 'Text.')
  await as('ann', id, 'converge.share($id, \'member\' || n, \'editor\')', MANY + 50)
  const page = await browser.page(relay, { user: 'ann', where: `?doc=${id}` })
  await shows(text(page), 'Text.')
  await page.getByRole('button', { name: 'Share' }).click()
  const members = page.getByRole('list', { name: 'Members' }).getByRole('combobox', { name: /^Role of member/ })
  await becomes(() => members.count(), 99) // and oneself
  await page.getByRole('button', { name: /^Show more/ }).click()
  await becomes(() => members.count(), 199)
  const search = page.getByRole('searchbox', { name: 'Find a member' })
  await search.fill('MEMBER104')
  await becomes(() => members.count(), 11)
  await search.fill('member123')
  await page.getByRole('combobox', { name: 'Role of member123', exact: true }).selectOption('viewer')
  await page.getByText('Saved: member123 may read.').waitFor()
  assert.equal(await sql(`SELECT role FROM converge.members WHERE doc_id = '${id}' AND user_id = 'member123'`), 'viewer')
  browser.check()
})

test('a thousand threads and suggestions: the one that is looked at is among those shown', async () => {
  const id = await create('ann', 'Talk', Array.from({ length: MANY }, (_, n) => `Line ${String(n).padStart(3, '0')}.`).join('\n'), { ben: 'commenter' })
  await as('ben', id, 'converge.comment($id, \'about \' || n, n * 10, n * 10 + 4)')
  await as('ben', id, 'converge.suggest($id, 0, converge.replace(n * 10 + 5, 3, \'x\'))')
  const page = await browser.page(relay, { user: 'ann', where: `?doc=${id}` })
  await text(page).getByText(/^Line 000/).first().waitFor() // also with what is suggested there
  for (const [name, list] of [['Comments', 'Threads'], ['Suggestions', 'Suggestions']]) {
    await panel(page, name).click()
    const items = page.getByRole('list', { name: list }).locator('> li')
    await becomes(() => items.count(), 100)
    await text(page).click()
    await page.keyboard.press('Control+End')
    await page.keyboard.press('Home')
    if (name === 'Suggestions') for (let n = 0; n < 7; n++) await page.keyboard.press('ArrowRight')
    await becomes(() => page.locator('.margin .thread.active').count(), 1)
    await becomes(() => items.count(), 101)
    await page.getByRole('button', { name: 'Show more (899)' }).click()
    await becomes(() => items.count(), 201)
    await panel(page, name).click()
  }
  browser.check()
})
