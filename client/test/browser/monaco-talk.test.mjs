// Talk in Monaco: what is said beside a text is drawn in it, and decided there by keys.

import assert from 'node:assert/strict'
import test from 'node:test'
import { pair } from './lib/editors.mjs'
import { content, sql } from '../../../test/relay/lib/pg.mjs'
import { until } from './lib/browser.mjs'

const TEXT = 'Boil the 😀 rice.\nServe it warm.'
const talkers = (text, use) => pair('monaco-talk', text, use)
const NAMES = ['thread', 'deleted', 'suggested', 'talk-active']
/** Wait until marks are these; the ones that are not named are not looked at. */
const marks = (tab, wanted) => until(`${JSON.stringify(wanted)} in ${tab.profile.user}'s page`, async () => {
  const found = await tab.ask(`Object.fromEntries(${JSON.stringify(NAMES)}.map(name => [name, editor.marks(name)]))`)
  return Object.entries(wanted).every(([name, text]) => found[name] === text)
})

test('passages and suggestions are drawn, and follow the text', () => talkers(TEXT, async (ann, ben, id) => {
  await ben.ask('doc.comments.add({ from: 12, to: 16, body: "which?" }).then(() => null)')
  await ben.ask('doc.suggestions.add([{ from: 0, to: 4, insert: "Cook\\nit:" }, { from: doc.length, insert: "!" }]).then(() => null)')
  for (const tab of [ann, ben]) await marks(tab, { thread: 'rice', deleted: 'Boil', suggested: 'Cook⏎it:!' })
  assert.equal(await ann.text(), TEXT, 'what is suggested is no text')
  await ann.type(14, '-')
  for (const tab of [ann, ben]) await marks(tab, { thread: 'ri-ce' })
  await ann.press('Backspace')
  for (const tab of [ann, ben]) await marks(tab, { thread: 'rice' })
  await ben.select(12, 16)
  await ben.press('Delete')
  for (const tab of [ann, ben]) await marks(tab, { thread: '', deleted: 'Boil' })
  await ben.press('Control+z')
  for (const tab of [ann, ben]) await marks(tab, { thread: 'rice' })
  await ben.ask('doc.comments.resolve(doc.comments.list[0].id)')
  await marks(ann, { thread: '' })
  await ann.ask('editor.talk.end()')
  await marks(ann, { deleted: '', suggested: '' })
  assert.equal(await ann.ask('document.adoptedStyleSheets.length'), await ben.ask('document.adoptedStyleSheets.length - 1'))
}))

test('keys go from one to the next, accept, reject and comment; a click tells', () => talkers(TEXT, async (ann, ben, id) => {
  const thread = await ben.ask('doc.comments.add({ from: 0, to: 4, body: "how?" }).then(({ id }) => id)')
  const first = await ben.ask('doc.suggestions.add({ from: 12, to: 16, insert: "pasta" }).then(({ id }) => id)')
  await ben.ask('doc.suggestions.add({ from: doc.length, insert: " Now." }).then(() => null)')
  await marks(ann, { thread: 'Boil', suggested: 'pasta Now.' })
  await ann.select(6)
  assert.deepEqual(await ann.ask('editor.looked'), [])
  await ann.press('Alt+ArrowUp')
  await marks(ann, { 'talk-active': 'Boil' })
  await ann.press('Alt+ArrowDown')
  await marks(ann, { 'talk-active': 'ricepasta' })
  assert.deepEqual(await ann.ask('editor.looked'), [thread, first])
  await ann.press('Control+Alt+Enter')
  await until('the suggestion to be accepted', async () => await content(id) === TEXT.replace('rice', 'pasta'))
  await marks(ann, { suggested: ' Now.', deleted: '' })
  await ann.press('Alt+ArrowDown')
  await ann.press('Control+Alt+Backspace')
  await marks(ann, { suggested: '' })
  assert.equal(await content(id), TEXT.replace('rice', 'pasta'))
  await until('it to be stored', async () => await sql(`SELECT string_agg(status, ' ' ORDER BY created_at) FROM converge.suggestions WHERE doc_id = '${id}'`) === 'accepted rejected')
  // one's own is withdrawn
  await ann.ask('doc.suggestions.add({ from: 5, to: 8, insert: "my" }).then(() => null)')
  await marks(ann, { suggested: 'my' })
  await ann.select(6)
  await ann.press('Control+Alt+Backspace')
  await marks(ann, { suggested: '' })
  assert.match(await sql(`SELECT string_agg(status, ' ' ORDER BY created_at) FROM converge.suggestions WHERE doc_id = '${id}'`), /withdrawn$/)
  await ann.select(9, 11)
  await ann.press('Control+Alt+m')
  assert.deepEqual(await ann.ask('editor.looked.at(-1)'), { from: 9, to: 11 })
  // a click into the passage, and one beside it
  await ann.ask('editor.looked.splice(0) && null')
  const click = async offset => {
    const { left, top, height } = await ann.ask(`editor.at(${offset})`)
    await ann.page.mouse.click(left + 1, top + height / 2)
  }
  await click(2)
  await click(20)
  await until('the click to be told', async () => (await ann.ask('editor.looked')).length === 1)
  assert.deepEqual(await ann.ask('editor.looked'), [thread])
}))

test('a commenter decides nothing, and a text with "\\r" has its marks where they belong', () => talkers('One.\n\nTwo words.', async (ann, ben, id) => {
  await sql(`SELECT converge.edit('${id}', converge.replace(4, 0, chr(13)))`) // \r\n, by SQL
  await ann.until('to have it', 'doc.text.includes("\\r")')
  await ben.ask('doc.comments.add({ from: 11, to: 16, body: "which?" }).then(() => null)')
  const made = await ben.ask('doc.suggestions.add({ from: 7, to: 10, insert: "Three" }).then(({ id }) => id)')
  await marks(ann, { thread: 'words', deleted: 'Two', suggested: 'Three' })
  await ann.select(6, 9) // of what is shown
  await ann.press('Control+Alt+m')
  assert.deepEqual(await ann.ask('editor.looked.at(-1)'), { from: 7, to: 10 })
  await sql(`SELECT converge.share('${id}', '*', 'commenter')`)
  await ann.until('to comment only', 'doc.role === "commenter"')
  await ann.select(7)
  await ann.press('Control+Alt+Enter')
  await ann.press('Control+Alt+Backspace')
  await ann.press('Alt+ArrowDown')
  await marks(ann, { 'talk-active': 'words', suggested: 'Three' })
  assert.equal(await sql(`SELECT status FROM converge.suggestions WHERE doc_id = '${id}' AND id = '${made}'`), 'open')
}))
