// The page of operators: what the relay says of itself, and how large documents are.

import test, { after, before } from 'node:test'
import { sql } from '../../../test/relay/lib/pg.mjs'
import { becomes, create, launch, serve } from './lib/browser.mjs'

let browser, relay, operator
before(async () => {
  const idOf = async (name, address) => {
    await sql(`SELECT converge.sign_up('${name}', '${address}', 'a good password')`)
    return sql(`SELECT user_id FROM converge.search_users('${address}')`)
  }
  operator = await idOf('Olga', 'olga@example.org')
  await idOf('Paul', 'paul@example.org')
  relay = await serve({}, { operator })
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await relay?.stop()
})

test('an operator logs in, and sees the largest documents of all; others do not', async () => {
  await create('max', 'Encyclopedia', 'A long text. '.repeat(5000))
  await create('max', 'Note', 'x')
  const page = await browser.page(relay, { where: 'admin', brokenNetwork: true })
  await page.getByRole('heading', { name: 'Edits committed' }).waitFor()
  await page.getByText('Operators who have logged in').waitFor()
  const logIn = async address => {
    await page.getByRole('link', { name: /Log in/ }).click()
    await page.getByLabel('E-mail address').fill(address)
    await page.getByLabel('Password').fill('a good password')
    await page.getByRole('button', { name: 'Log in' }).click()
  }
  await logIn('paul@example.org')
  await page.getByText('is no operator of this relay').waitFor()
  await logIn('olga@example.org')
  const table = page.getByRole('region', { name: 'Documents by size' })
  await table.waitFor()
  const titles = () => table.getByRole('rowheader').locator('bdi').allTextContents()
  await becomes(async () => (await titles()).filter(title => ['Encyclopedia', 'Note'].includes(title)), ['Encyclopedia', 'Note'])
  await create('max', 'Dictionary', 'Another long text. '.repeat(6000))
  await page.getByRole('button', { name: 'Look again' }).click()
  await becomes(async () => (await titles()).includes('Dictionary'), true)
  browser.check()
})
