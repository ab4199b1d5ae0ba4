// What is typed without a connection outlives the tab, or is known not to.

import assert from 'node:assert/strict'
import test from 'node:test'
import { agree, Browser, until } from './lib/browser.mjs'
import { content, createDocument, sql } from '../../../test/relay/lib/pg.mjs'

const browser = await Browser.start()
test.after(() => browser.stop())

/** A profile of ann's, on a new document. */
async function alone (text, use, options) {
  const id = await createDocument(text)
  const ann = await browser.profile('ann', options)
  try {
    await use(ann, id)
  } finally {
    await ann.close()
  }
}

const STORED = 'doc.pending !== null && !doc.atRisk'

test('a tab is killed with pending edits, and opened again without a network', () => alone('The rice.', async (ann, id) => {
  const first = await ann.open('codemirror', id, { stored: true })
  ann.network.cut()
  await first.type(4, 'brown 😀 ')
  await first.until('to have stored it', STORED)
  await sql(`SELECT converge.edit('${id}', '["All. "]')`)
  await first.kill()
  const second = await ann.open('codemirror', id, { stored: true })
  await second.until('to show what was typed', 'editor.text() === "The brown 😀 rice."')
  await second.type(0, '!')
  await second.until('to have stored it', STORED)
  ann.network.mend()
  await second.until('to have saved it', 'doc.pending === null && doc.status === "connected"')
  const text = await agree([second], () => content(id))
  assert.equal([...text].sort().join(''), [...'!All. The brown 😀 rice.'].sort().join(''))
  assert.ok(text.endsWith('The brown 😀 rice.'))
}))

test('a tab is killed with pending edits, and what it had comes in by a living tab', () => alone('The rice.', async (ann, id) => {
  const first = await ann.open('codemirror', id, { stored: true })
  ann.network.cut()
  await first.type(4, 'brown ')
  await first.until('to have stored it', STORED)
  await first.kill()
  ann.network.mend()
  const second = await ann.open('codemirror', id, { stored: true })
  await until('the server to have it', async () => await content(id) === 'The brown rice.')
  assert.equal(await agree([second], () => content(id)), 'The brown rice.')
  assert.equal(await sql(`SELECT count(*) FROM converge.ops WHERE doc_id = '${id}'`), '1')
}))

test('two tabs of one user are offline at once, and both come back', () => alone('The rice.', async (ann, id) => {
  const tabs = [await ann.open('codemirror', id, { stored: true }), await ann.open('codemirror', id, { stored: true })]
  await ann.offline()
  await tabs[0].type(4, 'brown ')
  await tabs[1].type(9, '!')
  for (const tab of tabs) await tab.until('to have stored it', STORED)
  await ann.online()
  assert.equal(await agree(tabs, () => content(id)), 'The brown rice.!')
  await tabs[0].picture('two-tabs')
}))

test('two tabs are killed offline, and both tabs\' edits come back by one', () => alone('The rice.', async (ann, id) => {
  const tabs = [await ann.open('codemirror', id, { stored: true }), await ann.open('codemirror', id, { stored: true })]
  ann.network.cut()
  await tabs[0].type(4, 'brown ')
  await tabs[1].type(9, '!')
  for (const tab of tabs) await tab.until('to have stored it', STORED)
  for (const tab of tabs) await tab.kill()
  ann.network.mend()
  const last = await ann.open('codemirror', id, { stored: true })
  await until('the server to have both', async () => await content(id) === 'The brown rice.!')
  assert.equal(await agree([last], () => content(id)), 'The brown rice.!')
}))

const refusals = {
  'there is none': () => { delete Object.getPrototypeOf(self).indexedDB; delete self.indexedDB; Object.defineProperty(self, 'indexedDB', { value: undefined }) },
  'it throws': () => { IDBFactory.prototype.open = () => { throw new DOMException('The operation is insecure.', 'SecurityError') } },
  'it cannot be opened': () => {
    IDBFactory.prototype.open = () => {
      const request = { error: new DOMException('A mutation operation was attempted on a database that did not allow mutations.', 'InvalidStateError') }
      setTimeout(() => request.onerror?.({ target: request, preventDefault () {} }))
      return request
    }
  }
}
for (const [how, before] of Object.entries(refusals)) {
  test(`IndexedDB is refused (${how}): in memory, and it says so`, () => alone('The rice.', async (ann, id) => {
    const tab = await ann.open('codemirror', id, { stored: true })
    await ann.offline()
    await tab.type(4, 'brown ')
    await tab.until('to say that it is not stored', 'heard.unstored.length > 0 && doc.atRisk')
    // leaving the page is asked about
    const asked = new Promise(resolve => tab.page.once('dialog', dialog => {
      resolve(dialog.type())
      dialog.dismiss()
    }))
    await tab.page.close({ runBeforeUnload: true })
    assert.equal(await asked, 'beforeunload')
    await ann.online()
    assert.equal(await agree([tab], () => content(id)), 'The brown rice.')
  }, { before }))
}

test('the disk is full: in memory, it says so, and nothing is lost', () => alone('The rice.', async (ann, id) => {
  const tab = await ann.open('codemirror', id, { stored: true, quota: 300_000 })
  await ann.offline()
  await tab.type(4, 'brown ')
  await tab.until('to have stored it', STORED)
  // much, and nothing that could be compressed
  const much = Array.from({ length: 500_000 }, (_, i) => String.fromCharCode(0x4e00 + (i * 7919 + i * i) % 20_000)).join('')
  await tab.page.evaluate(text => self.doc.edit({ from: 0, insert: text }), much)
  await tab.until('to say that it is not stored', 'heard.unstored.length > 0 && doc.atRisk')
  await ann.online()
  assert.equal(await agree([tab], () => content(id)), `${much}The brown rice.`)
}))
