// The past inside the page of a document.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { sql } from '../../../test/relay/lib/pg.mjs'
import { until } from '../../../test/relay/lib/wait.mjs'
import { undoing } from '../src/past/undoing.js'
import { becomes, create, launch, serve, shows, stored } from './lib/browser.mjs'

let browser, relay, id
const as = (user, statement) => sql(`BEGIN; SET LOCAL converge."user" = '${user}'; SELECT ${statement}; COMMIT`)

before(async () => {
  id = await create('ann', 'Past', '', { ben: 'editor', dan: 'viewer' })
  for (const [user, op] of [['ann', '["One. "]'], ['ben', '[5, "Two 😀. "]'], ['ann', '[{"d": 5}, "First. "]'], ['ben', '[14, "Three."]']]) await as(user, `converge.edit('${id}', '${op}')`)
  relay = await serve()
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await relay?.stop()
})

const open = async (user, hash = '') => {
  const page = await browser.page(relay, { user, where: `?doc=${id}${hash}` })
  await page.waitForFunction(() => document.querySelector('input.title')?.value === 'Past')
  return page
}
const pastOf = page => page.getByRole('textbox', { name: 'The text as it was' })

test('a link leads to a version, and moving on changes the link', async () => {
  const page = await open('dan', '#v/2')
  await shows(pastOf(page), 'One. Two 😀. ')
  await page.getByRole('button', { name: 'Next change' }).click()
  await shows(pastOf(page), 'First. Two 😀. ')
  await until('the address to follow', () => page.url().endsWith('#v/3'))
  const names = page.getByRole('list', { name: 'Authors of this text' }).getByRole('listitem')
  await until('the authors to be told', async () => (await names.allTextContents()).sort().join() === 'ann,ben')
  assert.equal(await page.getByRole('button', { name: 'Restore this version' }).count(), 0)
  await page.getByRole('button', { name: 'Back to now' }).click()
  await shows(page.locator('.sheet-live .cm-content'), 'First. Two 😀. Three.')
  await becomes(() => page.url().includes('#v/'), false)
  browser.check()
})

test('the document stays live while the past is looked at', async () => {
  const page = await open('ann', '#v/1')
  await shows(pastOf(page), 'One. ')
  await as('ben', `converge.edit('${id}', '[20, " Four."]')`)
  await shows(page.locator('.sheet-live .cm-content'), 'First. Two 😀. Three. Four.')
  await shows(pastOf(page), 'One. ')
  await until('the slider to reach the new version', () => page.getByRole('slider').getAttribute('max').then(max => max === '5'))
  browser.check()
})

test('a version gets a name, and is gone to by it', async () => {
  const page = await open('ann')
  await page.getByRole('button', { name: 'History' }).click()
  await page.getByPlaceholder('Name this version').fill('The fifth')
  await page.getByRole('button', { name: 'Keep' }).click()
  await page.getByText('Version 5 is called “The fifth”.').waitFor()
  await as('ann', `converge.edit('${id}', '["Zero. "]')`)
  await page.getByRole('combobox', { name: 'Go to a named version' }).selectOption('The fifth')
  await shows(pastOf(page), 'First. Two 😀. Three. Four.')
  browser.check()
})

test('two moments are compared, and the older one restored', async () => {
  const page = await open('ann', '#v/2')
  await shows(pastOf(page), 'One. Two 😀. ')
  await page.getByLabel('compare with now').check()
  await page.locator('.past-text del').first().waitFor()
  await becomes(async () => (await page.locator('.past-text ins').allTextContents()).join(''), /Three/)
  await page.getByRole('button', { name: 'Restore this version' }).click()
  await shows(page.locator('.sheet-live .cm-content'), 'One. Two 😀. ')
  await becomes(() => stored('ann', id), 'One. Two 😀. ')
  browser.check()
})

test('a moment is compared with a named one', async () => {
  const page = await open('ann', '#v/1')
  await shows(pastOf(page), 'One. ')
  await page.getByLabel(/compare with/).check()
  await page.getByRole('combobox', { name: 'Compare with' }).selectOption('The fifth')
  // with now first, then with the one that was chosen
  await becomes(async () => (await page.locator('.past-text ins').allTextContents()).join(''), /^(?!.*Zero).*Two 😀/)
  browser.check()
})

test('the authors of the living text are shown, also of what is typed on', async () => {
  const page = await open('ann')
  await shows(page.locator('.sheet-live .cm-content'), 'One. Two 😀. ')
  await page.getByRole('button', { name: 'Authors' }).click()
  const legend = page.getByRole('list', { name: 'Authors of this text' })
  await legend.waitFor()
  // colours that are drawn anew take the tip with them
  await becomes(async () => {
    await page.mouse.move(1, 1)
    await page.locator('.sheet-live .by').first().hover()
    return page.locator('.who').getByText(/version \d+/).waitFor({ timeout: 2000 }).then(() => true, () => false)
  }, true)
  await page.locator('.sheet-live .cm-content').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('Typed on.')
  await until('it to be coloured', async () => (await page.locator('.sheet-live .by').allTextContents()).join('').endsWith('Typed on.'))
  await page.getByRole('button', { name: 'Authors' }).click()
  await legend.waitFor({ state: 'detached' })
  browser.check()
})

test('one goes on over a version that left little of a long text', async () => {
  const short = await create('ann', 'Past', 'A long text that ends with xyz')
  await as('ann', `converge.edit('${short}', '["1"]')`)
  await as('ann', `converge.edit('${short}', '[{"d": 20}, 8, {"d": 3}]')`)
  const page = await browser.page(relay, { user: 'ann', where: `?doc=${short}#v/1` })
  await shows(pastOf(page), '1A long text that ends with xyz')
  await page.getByRole('button', { name: 'Next change' }).click()
  await shows(pastOf(page), 'ds with ')
  await page.getByRole('button', { name: 'One change back' }).click()
  await shows(pastOf(page), '1A long text that ends with xyz')
  browser.check()
})

test('who goes on before the colours have come gets them all the same', async () => {
  const page = await browser.page(relay, { user: 'ann' })
  // the authors of version 1 are never told
  await page.route(/blame\?version=1$/, () => {})
  await page.goto(`/?doc=${id}#v/1`)
  await shows(pastOf(page), 'One. ')
  await page.getByRole('button', { name: 'Next change' }).click()
  await shows(pastOf(page), 'One. Two 😀. ')
  await becomes(async () => (await page.locator('.past-text .by').allTextContents()).join('|'), 'One. |Two 😀. ')
  await page.unroute(/blame\?version=1$/)
  // nor does one who plays wait for them
  await page.goto('/?docs')
  await page.goto(`/?doc=${id}#v/1`)
  await shows(pastOf(page), 'One. ')
  await page.getByRole('combobox', { name: 'Speed of playing' }).selectOption('64')
  await page.getByRole('button', { name: 'Play', exact: true }).click()
  await becomes(() => page.locator('.past-text .by').count().then(count => count > 1), true)
  browser.check()
})

test('what is selected in the past is restored, and the rest stays as it is today', async () => {
  const part = await create('ann', 'Past', 'Soup is hot. Rice is white. Tea is green.')
  await as('ann', `converge.edit('${part}', '[13, {"d": 4}, "Bread", 24, " Water too."]')`)
  await as('ann', `converge.edit('${part}', '["😀 "]')`)
  const page = await browser.page(relay, { user: 'ann', where: `?doc=${part}#v/0` })
  await shows(pastOf(page), 'Soup is hot. Rice is white. Tea is green.')
  assert.equal(await page.getByRole('button', { name: 'Restore the selection' }).count(), 0)
  await pastOf(page).focus()
  await page.keyboard.press('Control+Home')
  for (let i = 0; i < 13; i++) await page.keyboard.press('ArrowRight')
  for (let i = 0; i < 14; i++) await page.keyboard.press('Shift+ArrowRight')
  await page.getByRole('button', { name: 'Restore the selection' }).click()
  await page.getByText('What you selected is as it was in version 0.').waitFor()
  await shows(page.locator('.sheet-live .cm-content'), '😀 Soup is hot. Rice is white. Tea is green. Water too.')
  await page.getByRole('button', { name: 'Restore the selection' }).click()
  await page.getByText('is the same today').waitFor()
  assert.equal(await stored('ann', part), '😀 Soup is hot. Rice is white. Tea is green. Water too.')
  browser.check()
})

test('taking back what became of a part gives the part, and changes nothing else', () => {
  const apply = (text, changes) => changes.toReversed().reduce((text, { from, to, insert }) => text.slice(0, from) + insert + text.slice(to), text)
  let seed = 7
  const random = n => (seed = (seed * 48271) % 2147483647) % n
  for (let round = 0; round < 3000; round++) {
    const text = Array.from({ length: random(12) }, () => 'abcdef'[random(6)]).join('')
    const changes = []
    for (let at = random(3); at <= text.length; at += 1 + random(3)) {
      const to = Math.min(text.length, at + random(4))
      changes.push({ from: at, to, insert: 'XYZ'.slice(0, random(4)) })
      at = to
    }
    const from = random(text.length + 1)
    const to = from + random(text.length - from + 1)
    const now = apply(text, changes)
    const back = apply(now, undoing(text, changes, { from, to }))
    if (from === to) continue
    assert.ok(back.includes(text.slice(from, to)), JSON.stringify({ text, changes, from, to, back }))
    const outside = changes.filter(change => change.from >= to || change.to <= from)
    for (const { insert } of outside) assert.ok(back.includes(insert))
  }
})
