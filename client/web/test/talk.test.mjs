// Comments, suggestions and chat, as people use them: two browsers on one document.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import { sql } from '../../../test/relay/lib/pg.mjs'
import { becomes, create, launch, serve, shows, stored } from './lib/browser.mjs'

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const TEXT = 'Boil the rice.\nServe it warm.\n'
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
const threads = page => page.getByRole('list', { name: 'Threads' }).locator('> li')
const marked = page => page.locator('.sheet-live .cm-thread').allTextContents().then(parts => parts.join(''))

/** Select some text in the editor, by keys. */
async function select (page, words) {
  const from = TEXT.indexOf(words)
  await text(page).click()
  await page.keyboard.press('Control+Home')
  for (let n = 0; n < from; n++) await page.keyboard.press('ArrowRight')
  for (let n = 0; n < words.length; n++) await page.keyboard.press('Shift+ArrowRight')
}

async function two (title, members = { ben: 'editor' }, options = {}) {
  const id = await create('ann', title, TEXT, members)
  const [ann, ben] = await Promise.all(['ann', 'ben'].map(user => browser.page(relay, { user, where: `?doc=${id}`, ...options })))
  for (const page of [ann, ben]) await shows(text(page), TEXT)
  return { id, ann, ben }
}

test('a comment is made, answered, resolved; its passage goes and comes back', async () => {
  const { ann, ben, id } = await two('Comments')
  await select(ann, 'rice')
  await ann.keyboard.press('Control+Alt+m')
  await ann.getByRole('textbox', { name: 'Your comment' }).fill('Which rice?')
  await ann.keyboard.press('Control+Enter')
  await becomes(() => marked(ben), 'rice')
  await becomes(() => marked(ann), 'rice')
  await panel(ben, 'Comments').click()
  await becomes(() => threads(ben).locator('.body').allTextContents(), ['Which rice?'])
  await ben.getByRole('textbox', { name: 'Reply' }).fill('Brown.')
  await ben.getByRole('button', { name: 'Reply' }).click()
  await becomes(() => threads(ann).locator('.body').allTextContents(), ['Which rice?', 'Brown.'])

  // an orphan, with its quote and the version that it is about
  await select(ann, 'the rice')
  await ann.keyboard.press('Delete')
  await shows(text(ben), TEXT.replace('the rice', ''))
  await threads(ben).getByText('Its passage was deleted').waitFor()
  assert.equal(await threads(ben).locator('blockquote').textContent(), 'rice')
  await becomes(() => marked(ben), '')
  await threads(ben).getByRole('button', { name: 'Show that version' }).click()
  await shows(ben.locator('.past-text .cm-content'), TEXT)
  await ben.goBack()
  await ben.goto(`/?doc=${id}`)
  await shows(text(ben), TEXT.replace('the rice', ''))
  await ann.keyboard.press('Control+z')
  await becomes(() => marked(ben), 'rice')
  await becomes(() => marked(ann), 'rice')

  await threads(ann).getByRole('button', { name: 'Resolve' }).click()
  await becomes(() => marked(ben), '')
  await panel(ben, 'Comments').click()
  await ben.getByRole('button', { name: 'Resolved (1)' }).click()
  await threads(ben).getByRole('button', { name: 'Open again' }).click()
  await becomes(() => marked(ann), 'rice')
  // one's own words: others, and none
  await threads(ann).getByRole('button', { name: 'Edit' }).click()
  await ann.getByRole('textbox', { name: 'Your comment' }).fill('Which one?')
  await ann.getByRole('button', { name: 'Save' }).click()
  await becomes(() => threads(ben).locator('.body').allTextContents(), ['Which one?', 'Brown.'])
  await threads(ben).getByRole('button', { name: 'Delete' }).click()
  await becomes(() => threads(ann).locator('.body').allTextContents(), ['Which one?'])
  browser.check()
})

test('what a commenter types is a suggestion; it is accepted while another types inside it', async () => {
  const { id, ann, ben } = await two('Suggestions', { ben: 'commenter' })
  await panel(ben, 'Suggestions').click()
  await ben.getByRole('button', { name: 'Suggest by typing' }).click()
  await select(ben, 'rice')
  await ben.keyboard.type('pasta')
  await ben.keyboard.press('Control+Enter')
  for (const page of [ann, ben]) {
    await becomes(() => page.locator('.sheet-live ins.cm-suggested').allTextContents(), ['pasta'])
    await becomes(() => page.locator('.sheet-live del.cm-deleted').allTextContents(), ['rice'])
  }
  assert.equal(await stored('ann', id), TEXT)
  await text(ann).click()
  await ann.keyboard.press('Control+Home')
  for (let n = 0; n < 11; n++) await ann.keyboard.press('ArrowRight')
  await ann.keyboard.type('!')
  await ann.keyboard.press('Control+Alt+Enter')
  for (const page of [ann, ben]) await shows(text(page), TEXT.replace('rice', 'pasta!'))
  await becomes(() => ben.locator('.sheet-live ins.cm-suggested').count(), 0)
  // another, rejected from its panel; and one that its author takes back
  await select(ben, 'Serve')
  await ben.keyboard.press('Backspace')
  await ben.keyboard.press('Control+Home')
  await panel(ann, 'Suggestions').click()
  await ann.getByRole('list', { name: 'Suggestions' }).getByRole('button', { name: 'Reject' }).click()
  await becomes(() => ben.getByRole('list', { name: 'Suggestions' }).getByRole('listitem').count(), 0)
  await ben.keyboard.type('Now: ')
  await ben.keyboard.press('Control+Enter')
  await becomes(() => ann.locator('.sheet-live ins.cm-suggested').allTextContents(), ['Now: '])
  await ben.getByRole('button', { name: 'Withdraw' }).click()
  await becomes(() => ann.locator('.sheet-live ins.cm-suggested').count(), 0)
  assert.equal(await sql(`SELECT string_agg(status, ' ' ORDER BY created_at) FROM converge.suggestions WHERE doc_id = '${id}'`), 'accepted rejected withdrawn')
  browser.check()
})

test('"Accept all" leaves out what has become stale, and says so', async () => {
  const { id, ann, ben } = await two('All', { ben: 'commenter' })
  const suggest = (from, length, insert) => sql(`SET converge."user" = 'ben'; SELECT converge.suggest('${id}', 0, converge.replace(${from}, ${length}, '${insert}'))`)
  for (const [from, length, insert] of [[9, 4, 'pasta'], [9, 4, 'corn'], [0, 4, 'Cook'], [15, 5, 'Bring']]) await suggest(from, length, insert)
  await panel(ann, 'Suggestions').click()
  const items = page => page.getByRole('list', { name: 'Suggestions' }).getByRole('listitem')
  await becomes(() => items(ann).count(), 4)
  await ann.getByRole('button', { name: 'Accept all (4)' }).click()
  await ann.getByText('3 accepted. 1 left out: what it was about is gone.').waitFor()
  for (const page of [ann, ben]) await shows(text(page), 'Cook the pasta.\nBring it warm.\n')
  await becomes(() => items(ann).locator('.quote').allTextContents(), ['What it was about is gone.'])
  assert.equal(await ann.getByRole('alert').count(), 0)
  assert.equal(await sql(`SELECT string_agg(status, ' ' ORDER BY created_at) FROM converge.suggestions WHERE doc_id = '${id}'`), 'accepted open accepted accepted')
  browser.check()
})

test('chat: messages, what is unread, and who is meant', async () => {
  const { ann, ben } = await two('Chat')
  await panel(ann, 'Chat').click()
  const field = ann.getByRole('textbox', { name: 'Your message' })
  await field.fill('Hello @b')
  await ann.getByRole('list', { name: 'Members' }).getByRole('button', { name: '@ben' }).waitFor()
  await field.press('Tab')
  await field.press('Enter')
  await becomes(() => panel(ben, 'Chat').locator('.count').allTextContents(), ['1'])
  await panel(ben, 'Chat').click()
  await ben.getByRole('list', { name: 'Messages' }).locator('.mention.me').waitFor()
  await becomes(() => panel(ben, 'Chat').locator('.count').count(), 0)
  await ben.getByRole('textbox', { name: 'Your message' }).fill('Hello yourself')
  await ben.keyboard.press('Enter')
  await becomes(() => ann.getByRole('list', { name: 'Messages' }).locator('.body').allTextContents(), ['Hello @ben', 'Hello yourself'])
  // it was read, also for a page that is opened later
  await ben.reload()
  await shows(text(ben), TEXT)
  await panel(ben, 'Chat').click()
  await becomes(() => ben.getByRole('list', { name: 'Messages' }).locator('.body').count(), 2)
  browser.check()
})

test('others see who is typing in the chat, until they pause, send, or go; three have names', async () => {
  const { id, ann, ben } = await two('Typing', { ben: 'editor', cy: 'commenter', dee: 'commenter', eve: 'commenter' })
  await panel(ann, 'Chat').click()
  const line = ann.locator('.chat .typing')
  assert.equal(await line.getAttribute('aria-live'), 'polite')
  await panel(ben, 'Chat').click()
  const field = page => page.getByRole('textbox', { name: 'Your message' })
  await field(ben).pressSequentially('Hello')
  await becomes(() => line.textContent(), 'ben is typing …')
  // the name of their cursor and picture stays theirs
  assert.deepEqual(await ann.getByRole('list', { name: 'Also here' }).getByRole('button').evaluateAll(list => list.map(button => button.title)), ['Follow ben'])
  await becomes(() => line.textContent(), '') // no key for a while
  await field(ben).press('!')
  await becomes(() => line.textContent(), 'ben is typing …')
  await field(ben).press('Enter')
  await becomes(() => line.textContent(), '')
  await field(ben).pressSequentially('And')
  await becomes(() => line.textContent(), 'ben is typing …')
  await ben.getByRole('button', { name: 'Close Chat' }).click()
  await becomes(() => line.textContent(), '')
  const more = await Promise.all(['cy', 'dee', 'eve'].map(user => browser.page(relay, { user, where: `?doc=${id}` })))
  const pages = [ben, ...more]
  await panel(ben, 'Chat').click()
  for (const page of more) {
    await shows(text(page), TEXT)
    await panel(page, 'Chat').click()
  }
  let keys = true
  const typed = Promise.all(pages.map(async page => {
    while (keys) await field(page).press('x')
  }))
  await becomes(() => line.textContent(), /^\w+, \w+, \w+,? and others are typing …$/)
  keys = false
  await typed
  // one whose page is gone
  await Promise.all(pages.map(page => page.close()))
  await becomes(() => line.textContent(), '')
  browser.check()
})

test('a panel that follows the cursor leaves the focus in the text', async () => {
  const { id, ann } = await two('Focus')
  await sql(`SET converge."user" = 'ben'; SELECT converge.comment('${id}', 'Which rice?', 9, 13); SELECT converge.suggest('${id}', 0, converge.replace(15, 5, 'Bring'))`)
  await becomes(() => marked(ann), 'rice')
  await panel(ann, 'Comments').click()
  await becomes(() => ann.evaluate(() => document.activeElement.id), 'margin')
  await text(ann).click()
  await ann.keyboard.press('Control+Home')
  await ann.keyboard.press('Alt+ArrowDown')
  await ann.keyboard.press('Alt+ArrowDown')
  await becomes(() => ann.locator('.margin h2').textContent(), 'Suggestions')
  await ann.keyboard.press('Control+Alt+Enter')
  await becomes(() => stored('ann', id), TEXT.replace('Serve', 'Bring'))
  browser.check()
})

test('Monaco: comments, suggestions and another wording, by keys', async () => {
  const { id, ann, ben } = await two('Monaco', { ben: 'commenter' })
  await sql(`SET converge."user" = 'ann'; SELECT converge.suggest('${id}', 0, converge.replace(0, 4, 'Cook'))`)
  for (const page of [ann, ben]) {
    await page.evaluate(() => localStorage.setItem('converge.settings', JSON.stringify({ editor: 'monaco' })))
    await page.reload()
    await page.locator('.monaco-editor .view-line').first().waitFor()
  }
  const drawn = (page, name) => page.locator(`.monaco-editor .converge-${name}`).allTextContents().then(parts => parts.join(''))
  const monaco = page => page.locator('.monaco-editor').first()
  const choose = async (page, words) => {
    const from = TEXT.indexOf(words)
    await monaco(page).click()
    await page.keyboard.press('Control+Home')
    for (let n = 0; n < from; n++) await page.keyboard.press('ArrowRight')
    for (let n = 0; n < words.length; n++) await page.keyboard.press('Shift+ArrowRight')
  }
  await becomes(() => drawn(ben, 'suggested'), 'Cook')
  await choose(ben, 'rice')
  await ben.keyboard.press('Control+Alt+m')
  await ben.getByRole('textbox', { name: 'Your comment' }).fill('Which rice?')
  await ben.keyboard.press('Control+Enter')
  for (const page of [ann, ben]) await becomes(() => drawn(page, 'thread'), 'rice')
  // what a commenter's Monaco cannot take for a suggestion is written beside it
  await choose(ben, 'warm')
  await panel(ben, 'Suggestions').click()
  assert.equal(await ben.getByRole('button', { name: 'Suggest by typing' }).count(), 0)
  await ben.getByRole('button', { name: 'Suggest another wording of the selection' }).click()
  const wording = ben.getByRole('textbox', { name: 'The other wording' })
  assert.equal(await wording.inputValue(), 'warm')
  await ben.evaluate(axe)
  const { violations } = await ben.evaluate(() => globalThis.axe.run('.margin', { resultTypes: ['violations'] }))
  assert.deepEqual(violations.map(({ id }) => id), [])
  if (process.env.SHOTS) {
    await ben.emulateMedia({ colorScheme: 'dark' })
    await ben.setViewportSize({ width: 360, height: 740 })
    await ben.screenshot({ path: `${process.env.SHOTS}/wording-360.png` })
    await ben.setViewportSize({ width: 1280, height: 900 })
  }
  await ben.keyboard.press('Control+a')
  await ben.keyboard.type('hot')
  await sql(`SET converge."user" = 'ann'; SELECT converge.edit('${id}', '[13, "!"]')`)
  await becomes(() => monaco(ben).locator('.view-line').first().textContent(), /rice!/)
  await ben.keyboard.press('Control+Enter')
  await becomes(() => drawn(ann, 'suggested').then(text => [text.includes('hot'), text.includes('Cook')]), [true, true])
  assert.equal(await drawn(ann, 'deleted'), 'Boilwarm')
  // Monaco is as wide as it was, until it looks: the page does not scroll aside for it
  for (const page of [ann, ben]) assert.equal(await page.evaluate(() => scrollX + document.documentElement.scrollWidth), 1280)
  // to the thread, and to the suggestions
  await panel(ann, 'Comments').click()
  await monaco(ann).click()
  await ann.keyboard.press('Control+Home')
  await becomes(() => ann.locator('.margin h2').textContent(), 'Suggestions')
  await ann.keyboard.press('Control+Alt+Backspace')
  await becomes(() => drawn(ann, 'deleted'), 'warm')
  await ann.keyboard.press('Alt+ArrowDown')
  await becomes(() => ann.locator('.margin h2').textContent(), 'Comments')
  await ann.locator('.thread.active').getByText('Which rice?').waitFor()
  await ann.keyboard.press('Alt+ArrowDown')
  await ann.keyboard.press('Control+Alt+Enter')
  await becomes(() => stored('ann', id), TEXT.replace('warm', 'hot').replace('rice', 'rice!'))
  await becomes(() => drawn(ann, 'suggested'), '')
  // and from the panel to the text
  await panel(ann, 'Comments').click()
  await ann.getByRole('button', { name: 'Show in the text: rice' }).click()
  await becomes(() => drawn(ann, 'talk-active'), 'rice')
  if (process.env.SHOTS) await ann.screenshot({ path: `${process.env.SHOTS}/monaco.png` })
  browser.check()
})

for (const [name, look] of [['wide and light', {}], ['narrow and dark', { width: 360, height: 740, scheme: 'dark' }]]) {
  test(`talk, ${name}: axe finds nothing, and nothing is wider than the window`, async () => {
    const id = await create('ann', 'Looks', TEXT, { ben: 'commenter' })
    const as = (user, statement) => sql(`SET converge."user" = '${user}'; ${statement}`)
    await as('ben', `SELECT converge.comment('${id}', 'Which rice?', 9, 13); SELECT converge.suggest('${id}', 0, converge.replace(15, 5, 'Bring'), 'A better word.')`)
    await as('ben', `SELECT converge.comment('${id}', 'And how long?', 0, 4); SELECT converge.say('${id}', 'Hello @ann, a word about the rice')`)
    await as('ann', `SELECT converge.edit('${id}', '[{"d":5}]')`)
    const page = await browser.page(relay, { user: 'ann', where: `?doc=${id}`, ...look })
    await shows(text(page), /rice/)
    for (const which of ['Comments', 'Suggestions', 'Chat']) {
      await panel(page, which).click()
      await page.locator('.margin .body').first().waitFor()
      await page.evaluate(axe)
      const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
      assert.deepEqual(violations.flatMap(({ id, nodes }) => nodes.map(node => `${which}: ${id}: ${node.target.join(' ')}: ${node.failureSummary}`)), [])
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${which} fits`)
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${which}-${look.width ?? 1280}.png` })
      await page.locator('.margin').getByRole('button', { name: `Close ${which}` }).click()
    }
    browser.check()
  })
}
