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

test('a copy is made, of now or of a version, with its history or without', async () => {
  const id = await create('ann', 'Origin', 'One.', { dan: 'viewer' })
  await as('ann', `converge.edit('${id}', '[4, " Two."]')`)
  await as('ann', `converge.edit('${id}', '[9, " Three."]')`)
  const page = await browser.page(relay, { user: 'dan', where: `?doc=${id}#v/1` })
  const copy = async choose => {
    await page.goto('/?docs')
    await page.goto(`/?doc=${id}#v/1`)
    await shows(pastOf(page), 'One. Two.')
    await page.getByRole('button', { name: 'More' }).click()
    const dialog = page.getByRole('dialog', { name: 'More' })
    await choose(dialog)
    await dialog.getByRole('button', { name: 'Make a copy' }).click()
    await becomes(() => page.getByRole('textbox', { name: 'Title', exact: true }).inputValue(), 'Copy of Origin')
    return new URL(page.url()).searchParams.get('doc')
  }
  const short = await copy(() => {})
  await shows(liveOf(page), 'One. Two.')
  assert.equal(await as('dan', `(SELECT version || ' ' || role FROM converge.document('${short}'))`), '0 owner')
  const whole = await copy(async dialog => {
    await dialog.getByRole('radio', { name: 'as it is now' }).check()
    await dialog.getByRole('checkbox', { name: 'with its history' }).check()
  })
  await shows(liveOf(page), 'One. Two. Three.')
  assert.equal(await as('dan', `(SELECT string_agg(user_id, ',') FROM converge.history('${whole}'))`), 'ann,ann')
  assert.equal(await stored('dan', id), 'One. Two. Three.')
  browser.check()
})

test('a document is exported to a file, and imported from it by another user', async () => {
  const id = await create('ann', 'Trip: 1/2', 'Über 😀')
  await as('ann', `converge.edit('${id}', '["Go. "]')`)
  const page = await browser.page(relay, { user: 'ann', where: `?doc=${id}` })
  await shows(liveOf(page), 'Go. Über 😀')
  await page.getByRole('button', { name: 'More' }).click()
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export to a file' }).click()])
  assert.equal(file.suggestedFilename(), 'Trip_ 1_2.converge')
  const ben = await browser.page(relay, { user: 'ben', where: '?docs', brokenNetwork: true })
  const bring = async given => {
    const [chooser] = await Promise.all([ben.waitForEvent('filechooser'), ben.getByRole('button', { name: 'Import' }).click()])
    await chooser.setFiles(given)
  }
  await bring({ name: 'x.converge', mimeType: '', buffer: Buffer.from('no document') })
  await becomes(() => ben.getByRole('alert').textContent(), /\w/)
  await bring(await file.path())
  await shows(liveOf(ben), 'Go. Über 😀')
  const made = new URL(ben.url()).searchParams.get('doc')
  assert.notEqual(made, id)
  assert.equal(await as('ben', `(SELECT version || ' ' || role || ' ' || title FROM converge.document('${made}'))`), '1 owner Trip: 1/2')
  browser.check()
})

test('what lies between two moments is undone, and what was deleted there can be restored by itself', async () => {
  const id = await create('ann', 'Stretch', 'One. Two. Three.', { ben: 'editor' })
  await as('ben', `converge.edit('${id}', '[5, {"d": 5}, 6]')`)
  await as('ben', `converge.edit('${id}', '["Zero. "]')`)
  await as('ann', `converge.edit('${id}', '[17, " Four."]')`)
  const page = await browser.page(relay, { user: 'ann', where: `?doc=${id}#v/0` })
  await shows(pastOf(page), 'One. Two. Three.')
  await page.getByLabel('compare with now').check()
  const other = page.getByRole('combobox', { name: 'Compare with' })
  await page.getByRole('button', { name: 'Undo versions 1 to 3' }).waitFor()
  // the first moment is kept, and the second one gone to
  await other.selectOption('version 0, this one')
  await page.getByRole('button', { name: /^Undo version/ }).waitFor({ state: 'detached' })
  await page.getByRole('slider').focus()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowRight')
  await becomes(() => page.locator('.past-text ins').allTextContents(), ['Two. '])
  await page.getByText('only in version 0').waitFor()
  await page.getByRole('button', { name: 'Undo versions 1 to 2' }).click()
  await page.getByText('What versions 1 to 2 did is undone; what came after them stays.').waitFor()
  await shows(liveOf(page), 'One. Two. Three. Four.')
  await page.getByRole('button', { name: 'Undo versions 1 to 2' }).click()
  await page.getByText('Nothing of versions 1 to 2 is left to undo.').waitFor()
  // a passage that is deleted, in the comparison with now
  await as('ben', `converge.edit('${id}', '["😀 ", 5, {"d": 5}, 12]')`)
  await shows(liveOf(page), '😀 One. Three. Four.')
  await page.getByRole('button', { name: 'Back to now' }).click()
  await page.goto(`/?doc=${id}#v/0`)
  await page.reload()
  await shows(pastOf(page), 'One. Two. Three.')
  await page.getByLabel('compare with now').check()
  await becomes(() => page.locator('.past-text del').allTextContents(), ['Two. '])
  await pastOf(page).focus()
  await page.keyboard.press('Control+Home')
  for (let i = 0; i < 7; i++) await page.keyboard.press('ArrowRight')
  for (let i = 0; i < 5; i++) await page.keyboard.press('Shift+ArrowRight')
  await page.getByRole('button', { name: 'Restore the selection' }).click()
  await shows(liveOf(page), '😀 One. Two. Three. Four.')
  assert.equal(await stored('ann', id), '😀 One. Two. Three. Four.')
  browser.check()
})
