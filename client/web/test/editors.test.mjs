// The editor one chooses, the language of a text, and following someone in it.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { sql } from '../../../test/relay/lib/pg.mjs'
import { until } from '../../../test/relay/lib/wait.mjs'
import { becomes, create, launch, serve, shows, stored } from './lib/browser.mjs'

let browser, relay
before(async () => {
  relay = await serve()
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await relay?.stop()
})

test('Monaco is an editor to choose, with all that others do, and is fetched only then', async () => {
  const id = await create('ann', 'Choice', 'First 😀 line.\nSecond.\n', { ben: 'editor' })
  const ann = await browser.page(relay, { user: 'ann', where: `?doc=${id}` })
  const ben = await browser.page(relay, { user: 'ben', where: `?doc=${id}` })
  const parts = []
  ann.on('request', request => parts.push(request.url()))
  await shows(ann.locator('.sheet-live .cm-content'), 'First 😀 line.\nSecond.\n')
  await ann.reload()
  await shows(ann.locator('.sheet-live .cm-content'), 'First 😀 line.\nSecond.\n')
  assert.equal(await ann.locator('.monaco-editor').count(), 0)
  const before = parts.length
  await ann.getByRole('button', { name: 'ann: settings' }).click()
  await ann.getByRole('radio', { name: 'Monaco' }).check()
  await ann.getByRole('button', { name: 'Close' }).click()
  const monaco = ann.locator('.monaco-editor').first()
  await monaco.locator('.view-line').first().waitFor()
  assert.ok(parts.length > before, 'it was fetched')
  const lines = () => monaco.locator('.view-line').evaluateAll(list => list.sort((a, b) => a.offsetTop - b.offsetTop).map(line => line.textContent.replaceAll('\u00a0', ' ')).join('\n'))
  await becomes(lines, 'First 😀 line.\nSecond.\n')
  await monaco.click()
  await ann.keyboard.press('Control+End')
  await ann.keyboard.type('By Monaco.')
  await shows(ben.locator('.sheet-live .cm-content'), 'First 😀 line.\nSecond.\nBy Monaco.')
  await ben.locator('.sheet-live .cm-content').click()
  await ben.keyboard.press('Control+Home')
  await ben.keyboard.type('By ben. ')
  await becomes(lines, 'By ben. First 😀 line.\nSecond.\nBy Monaco.')
  await ann.getByRole('button', { name: 'Authors' }).click()
  await becomes(() => ann.getByRole('list', { name: 'Authors of this text' }).getByRole('listitem').allTextContents().then(list => list.sort()), ['ann', 'ben'])
  await monaco.locator('.by').first().waitFor()
  // one's own edits are undone, not the other's
  await monaco.click()
  await ann.keyboard.press('Control+z')
  await until('it to be undone', async () => !(await stored('ann', id)).includes('By Monaco.'))
  assert.match(await stored('ann', id), /^By ben\. /)
  await ann.reload()
  await ann.locator('.monaco-editor .view-line').first().waitFor()
  browser.check()
})

test('a text is highlighted as its title ends, or as one chooses', async () => {
  const id = await create('ann', 'tool.py', 'def tool():\n    return "x"\n')
  const page = await browser.page(relay, { user: 'ann', where: `?doc=${id}` })
  const line = page.locator('.sheet-live .cm-line').first()
  await shows(page.locator('.sheet-live .cm-content'), 'def tool():\n    return "x"\n')
  const keyword = line.locator('span').getByText('def', { exact: true })
  await keyword.waitFor()
  await page.locator('.cm-editor.code').first().waitFor()
  await page.getByRole('combobox', { name: 'Language of the text' }).selectOption('Plain text')
  await keyword.waitFor({ state: 'detached' })
  await page.getByRole('combobox', { name: 'Language of the text' }).selectOption('Rust')
  await page.locator('.cm-line span').getByText('return', { exact: true }).waitFor()
  await page.reload()
  await page.locator('.cm-line span').getByText('return', { exact: true }).waitFor()
  // another document is Markdown, with code in it
  const other = await create('ann', 'Notes', '# Notes\n\n```sql\nSELECT 1;\n```\n\n```klingon\nHegh\n```\n')
  await page.goto(`/?doc=${other}`)
  await page.locator('.cm-line span').getByText('SELECT', { exact: true }).waitFor()
  browser.check()
})

test('one who is followed stays in sight, until one types, scrolls or presses Escape', async () => {
  const id = await create('ann', 'Long walk', Array.from({ length: 400 }, (_, n) => `Line ${n}.`).join('\n'), { ben: 'editor' })
  const [ann, ben] = await Promise.all(['ann', 'ben'].map(user => browser.page(relay, { user, where: `?doc=${id}` })))
  const theirs = ben.locator('.sheet-live .cm-content')
  await theirs.getByText('Line 0.').waitFor()
  await theirs.click()
  await ben.keyboard.press('Control+End')
  const button = ann.getByRole('button', { name: 'Follow ben' })
  const seen = text => ann.locator('.sheet-live .cm-line').getByText(text, { exact: true })
  const inSight = async text => until(`${text} to be in sight`, () => seen(text).evaluateAll(([line]) => {
    const box = line?.getBoundingClientRect()
    return box !== undefined && box.top > 0 && box.bottom < innerHeight
  }))
  const follow = async () => {
    await button.click()
    await becomes(() => button.getAttribute('aria-pressed'), 'true')
  }
  await follow()
  await ann.getByRole('status').getByText('You follow ben, until').waitFor({ state: 'attached' })
  await inSight('Line 399.')
  await ben.keyboard.press('Control+Home')
  await inSight('Line 0.')
  await ben.keyboard.press('Control+End')
  await ben.keyboard.type('x')
  await inSight('Line 399.x')
  for (const stop of [() => ann.keyboard.press('Escape'), () => ann.getByRole('button', { name: 'Stop' }).click(), () => button.click(), async () => {
    await ann.locator('.sheet-live .cm-content').hover()
    await ann.mouse.wheel(0, -50)
  }, async () => {
    await ann.locator('.sheet-live .cm-content').focus()
    await ann.keyboard.press('ArrowUp')
  }]) {
    await stop()
    await becomes(() => button.getAttribute('aria-pressed'), 'false')
    await follow()
  }
  await ann.keyboard.press('Escape')
  await ann.getByText('You no longer follow ben.').waitFor({ state: 'attached' })
  await follow()
  await ben.close()
  await ann.getByText('ben has left.').waitFor({ state: 'attached' })
  await ann.locator('.following').waitFor({ state: 'detached' })
  browser.check()
})

test('colours of authors fade with the age of what they wrote', async () => {
  const id = await create('ann', 'Ages', '', { ben: 'editor' })
  await sql(`DO $$ BEGIN FOR i IN 0..299 LOOP PERFORM set_config('converge.user', CASE WHEN i % 2 = 0 THEN 'ann' ELSE 'ben' END, true);
    PERFORM converge.edit('${id}', converge.replace(i * 2, 0, 'a ')); END LOOP; END $$`)
  const page = await browser.page(relay, { user: 'ann', where: `?doc=${id}` })
  await page.getByRole('button', { name: 'Authors' }).click()
  const marks = page.locator('.sheet-live .by')
  await becomes(() => marks.count(), 300)
  const classes = await marks.evaluateAll(list => list.map(mark => Number(/age-(\d)/.exec(mark.className)?.[1] ?? 0)))
  assert.deepEqual([classes[0], classes.at(-1)], [3, 0])
  assert.deepEqual(classes, classes.toSorted((a, b) => b - a), 'the older, the fainter')
  assert.equal(new Set(classes).size, 4)
  const tints = await marks.evaluateAll(list => [list[0], list.at(-1)].map(mark => getComputedStyle(mark).backgroundColor))
  assert.notEqual(tints[0], tints[1])
  // what was new fades while a past that grows is played
  await page.goto(`/?doc=${id}#v/1`)
  await page.getByRole('textbox', { name: 'The text as it was' }).waitFor()
  await page.getByRole('combobox', { name: 'Speed of playing' }).selectOption('64')
  await page.getByRole('button', { name: 'Play', exact: true }).click()
  await page.locator('.past-text .age-3').first().waitFor()
  browser.check()
})

test('one with the link and no login reads as a guest, where the operator lets guests in', async () => {
  const { token } = await import('../../../test/relay/lib/token.mjs')
  const own = await serve({ guest: { id: 'guest', name: 'Guest', token: token('guest') } })
  try {
    const id = await create('ann', 'Open house', 'Come in.', { '*': 'viewer' })
    const closed = await create('ann', 'Closed house', 'Stay out.')
    const ann = await browser.page(own, { user: 'ann', where: `?doc=${id}` })
    await ann.getByRole('button', { name: 'Share' }).click()
    await ann.getByText('also without logging in').waitFor()
    await ann.keyboard.press('Escape')
    const page = await browser.page(own, { where: `?doc=${id}`, brokenNetwork: true })
    await shows(page.getByRole('textbox', { name: 'Open house' }), 'Come in.')
    await page.getByText('You may read', { exact: true }).waitFor()
    await ann.getByRole('list', { name: 'Also here' }).getByRole('button', { name: 'Follow Guest' }).waitFor()
    // nothing of it is kept, and nothing but what the link leads to is shown
    assert.equal(await page.evaluate(() => localStorage.getItem('converge.session')), null)
    await page.goto('/?docs')
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    await page.goto(`/?doc=${closed}`)
    await page.getByRole('heading', { name: 'This document asks for a login' }).waitFor()
    await page.goto(`/?doc=${id}`)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    browser.check()
  } finally {
    await own.stop()
  }
})
