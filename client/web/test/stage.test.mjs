// The first minute: two panes of one document, wires that are cut, what is committed, the
// past and SQL below.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { WebSocket } from 'ws'
import { Client } from '../../src/index.js'
import { serve as answer } from '../demo/sql.mjs'
import { content, sql } from '../../../test/relay/lib/pg.mjs'
import { token } from '../../../test/relay/lib/token.mjs'
import { until } from '../../../test/relay/lib/wait.mjs'
import { becomes, create, launch, serve, shows } from './lib/browser.mjs'

const ROLE = 'converge_page_visitor'
let browser, relay, id, console_, client, page, ann, ben

before(async () => {
  id = await create('ann', 'Supper', 'Soup.\nBread.\n', { '*': 'editor', [ROLE]: 'editor' })
  console_ = await create('console', 'Statements', '', { '*': 'editor' })
  await sql(`DO $$ BEGIN CREATE ROLE ${ROLE} LOGIN CONNECTION LIMIT 4; EXCEPTION WHEN duplicate_object THEN NULL; END $$`)
  const users = [['ann', 'Ann', 0], ['ben', 'Ben', 6]].map(([id, name, slot]) => ({ id, name, slot, token: token(id) }))
  relay = await serve({ demo: { users, document: id, console: console_, observer: token('visitor'), sqlUser: { id: ROLE, slot: 2 } } })
  client = new Client({ url: `http://127.0.0.1:${relay.port}/`, token: async () => token('console'), WebSocket })
  await answer(client.open(console_), { role: ROLE, document: id })
  browser = await launch()
  page = await browser.page(relay)
  ann = page.getByRole('textbox', { name: 'The document, as Ann sees it' })
  ben = page.getByRole('textbox', { name: 'The document, as Ben sees it' })
})
after(async () => {
  await browser?.close()
  await client?.close()
  await relay?.stop()
})

const pane = name => page.getByRole('region', { name: `${name}’s pane` })

test('what is typed into one pane is in the other, and in PostgreSQL, and is ticked', async () => {
  await shows(ann, 'Soup.\nBread.\n')
  await ann.click()
  await page.keyboard.press('Control+Home')
  await page.keyboard.type('Hot ')
  await shows(ben, 'Hot Soup.\nBread.\n')
  await pane('Ann').getByText('Saved').waitFor()
  await becomes(() => content(id), 'Hot Soup.\nBread.\n')
  await pane('Ann').locator('.sign.waits').waitFor({ state: 'detached' })
  await becomes(() => pane('Ann').locator('.signs .sign').first().textContent(), '✓')
  await becomes(() => pane('Ann').locator('.pending-text').count(), 0)
  browser.check()
})

test('a pane whose wire is cut goes on, shows what waits, and merges when it is joined', async () => {
  await page.getByRole('button', { name: 'Cut Ben’s wire' }).click()
  await pane('Ben').getByText('Offline').waitFor()
  await ben.click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('Salt 🧂 from Ben.')
  await pane('Ben').getByText(/edits wait here/).waitFor()
  await becomes(() => pane('Ben').locator('.pending-text').textContent(), 'Salt 🧂 from Ben.')
  await pane('Ben').locator('.sign.waits').first().waitFor()
  await ann.click()
  await page.keyboard.press('Control+Home')
  await page.keyboard.type('Very ')
  await until('ann\'s edit to be committed', async () => await content(id) === 'Very Hot Soup.\nBread.\n')
  await shows(ben, 'Hot Soup.\nBread.\nSalt 🧂 from Ben.')
  await page.getByRole('button', { name: 'Join Ben’s wire' }).click()
  for (const editor of [ann, ben]) await shows(editor, 'Very Hot Soup.\nBread.\nSalt 🧂 from Ben.')
  await pane('Ben').getByText('Saved').waitFor()
  await pane('Ben').locator('.pending-text').waitFor({ state: 'detached' })
  await becomes(() => content(id), 'Very Hot Soup.\nBread.\nSalt 🧂 from Ben.')
  browser.check()
})

test('undo takes back one\'s own edit, not what the other wrote meanwhile', async () => {
  await ann.click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('!')
  await shows(ben, /Ben\.!$/)
  await ben.click()
  await page.keyboard.press('Control+Home')
  await page.keyboard.type('X')
  await shows(ann, /^XVery/)
  await ann.click()
  await page.keyboard.press('Control+z')
  await shows(ben, /^XVery(.|\n)*Ben\.$/)
  browser.check()
})

test('SQL edits the document, and harms nothing', async () => {
  const box = page.getByRole('textbox', { name: 'Statement' })
  const said = page.locator('.answer')
  const run = async statement => {
    await box.fill(statement)
    await box.press('Control+Enter')
    await page.getByRole('button', { name: 'Run', exact: true }).and(page.locator(':enabled')).waitFor()
    return said.textContent()
  }
  await run("SELECT converge.edit(:doc, converge.replace(0, 1, 'From SQL: '));")
  for (const editor of [ann, ben]) await shows(editor, /^From SQL: Very/)
  assert.match(await run('SELECT user_id FROM converge.ops WHERE doc_id = :doc ORDER BY version DESC LIMIT 1'), new RegExp(ROLE))
  // neither psql's commands nor what only others may do
  for (const [statement, says] of [
    ['\\! touch /tmp/harm', /syntax error/], [' \\! touch /tmp/harm', /syntax error/], ['\\copy converge.ops to program \'cat\'', /syntax error/],
    ["COPY (SELECT 1) TO PROGRAM 'cat'", /must be superuser/], ['DELETE FROM converge.ops', /permission denied/], ['DROP SCHEMA converge CASCADE', /must be owner/],
    ['SET ROLE postgres', /permission denied/], ['SET SESSION AUTHORIZATION postgres', /permission denied/], ['SELECT pg_sleep(60)', /statement timeout/],
    [`SELECT converge.content('${console_}'), converge.delete_document(:doc)`, /permission denied|may not/]
  ]) {
    assert.match(await run(statement), says, statement)
    await page.locator('.answer.failed').waitFor()
  }
  assert.equal(await sql(`SELECT count(*) FROM converge.documents WHERE id = '${id}'`), '1')
  browser.check()
})

test('the slider shows what was, with its authors; playing leads back to now', async () => {
  // how keystrokes were put together is the network's affair
  const at = version => sql(`SELECT converge.content_at('${id}', ${version})`)
  const past = page.getByRole('textbox', { name: 'The text as it was' })
  const slider = page.getByRole('slider', { name: 'Version of the text' })
  await slider.focus()
  await page.keyboard.press('Home')
  await shows(past, 'Soup.\nBread.\n')
  await page.keyboard.press('ArrowRight')
  await shows(past, await at(1))
  await page.locator('.past-text .by').first().waitFor()
  await becomes(() => page.getByRole('list', { name: 'Authors of this text' }).getByRole('listitem').allTextContents(), ['Ann'])
  await page.getByRole('button', { name: 'Next change' }).click()
  await shows(past, await at(2))
  await page.getByRole('button', { name: 'One change back' }).click()
  await shows(past, await at(1))
  await page.getByRole('combobox', { name: 'Speed of playing' }).selectOption('64')
  await page.getByRole('button', { name: 'Play', exact: true }).click()
  await shows(past, await content(id))
  await page.getByRole('button', { name: 'Play', exact: true }).waitFor()
  // one who types meanwhile is not disturbed
  await ann.click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('.')
  await shows(ben, /\.\.$/)
  await page.getByRole('button', { name: 'Back to now' }).click()
  await page.getByRole('textbox', { name: 'Statement' }).waitFor()
  browser.check()
})

test('comparing shows what came and what went, and restoring brings it back', async () => {
  const slider = page.getByRole('slider', { name: 'Version of the text' })
  await slider.focus()
  await page.keyboard.press('Home')
  await page.getByLabel('compare with now').check()
  await page.locator('.past-text ins').first().waitFor()
  await becomes(async () => (await page.locator('.past-text ins').allTextContents()).join(''), /From SQL/)
  await becomes(() => page.locator('.past-text del').allTextContents(), [])
  await page.getByRole('button', { name: 'Restore this version' }).click()
  for (const editor of [ann, ben]) await shows(editor, 'Soup.\nBread.\n')
  await becomes(() => content(id), 'Soup.\nBread.\n')
  browser.check()
})
