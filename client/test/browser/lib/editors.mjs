// Two pages on one document over a real relay and PostgreSQL, for each kind of editor.

import assert from 'node:assert/strict'
import test from 'node:test'
import { agree, Browser, until } from './browser.mjs'
import { content, createDocument, sql } from '../../../../test/relay/lib/pg.mjs'

const browser = await Browser.start()
test.after(() => browser.stop())

const near = (a, b, by = 2) => Math.abs(a - b) <= by

/** Two users' pages on a new document. */
export async function pair (kind, text, use) {
  const id = await createDocument(text)
  const profiles = [await browser.profile('ann', { color: '#b3261e' }), await browser.profile('ben', { color: '#1f63b5' })]
  try {
    const [ann, ben] = await Promise.all(profiles.map(profile => profile.open(kind, id)))
    for (const tab of [ann, ben]) await tab.until('to show the text', `editor.text() === ${JSON.stringify(text)}`)
    await use(ann, ben, id, profiles)
    for (const tab of [ann, ben]) assert.deepEqual(tab.errors, [])
    for (const tab of [ann, ben]) assert.deepEqual(await tab.ask('heard.diverged'), [])
  } finally {
    for (const profile of profiles) await profile.close()
  }
}

/** Others' carets, where an editor shows them at an offset. */
async function caretAt (tab, name, offset) {
  await until(`${name}'s caret at ${offset} in ${tab.profile.user}'s page`, async () => {
    const { carets, at } = await tab.ask(`({ carets: editor.carets(), at: editor.at(${offset}) })`)
    const caret = carets.find(one => one.name === name)
    return caret && near(caret.left, at.left) && near(caret.top, at.top, 4)
  })
}

/** The tests of one kind of editor. @param {'codemirror' | 'monaco' | 'textarea'} kind */
export function testEditor (kind) {
  test(`${kind}: both type, emoji and combining marks too`, () => pair(kind, 'One.\n\nTwo.', async (ann, ben, id) => {
    const family = '👩‍👩‍👧'
    await Promise.all([ann.type(4, ` Grüße e\u0301 ${family}!`), ben.ask('doc.edit({ from: doc.length, insert: " 🍚🍚" })')])
    await ben.type(0, 'x')
    const text = await agree([ann, ben], () => content(id))
    assert.equal(text, `xOne. Grüße e\u0301 ${family}!\n\nTwo. 🍚🍚`)
    await ben.type(text.length, '\ny')
    await ann.press('Backspace')
    assert.equal(await agree([ann, ben], () => content(id)), `xOne. Grüße e\u0301 ${family}\n\nTwo. 🍚🍚\ny`)
  }))

  test(`${kind}: Japanese is composed while the other types in the same line`, () => pair(kind, 'The rice.\nThe pot.', async (ann, ben, id) => {
    await ann.select(4)
    const devtools = await ann.devtools()
    const say = text => devtools.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length })
    await say('に')
    await ann.until('to compose', 'editor.text().includes("に")')
    // a textarea gives nothing away until it is composed
    if (kind !== 'textarea') await ben.until('to see it', 'editor.text().includes("に")')
    await ben.type(0, 'A')
    await ben.type(await ben.ask('doc.length'), '!')
    await say('にほ')
    await ann.until('to have heard', 'doc.text.startsWith("A") && doc.text.endsWith("!")')
    await ann.picture(`${kind}-composing`)
    await say('にほんご')
    // the others hold back what is composed once others have written
    if (kind === 'codemirror') await ben.until('to see what is composed', 'doc.text.includes("にほんご")')
    await ben.type(await ben.ask('editor.text().indexOf("rice") + 4'), 's')
    await ann.until('to have heard', 'doc.text.includes("rices")')
    await devtools.send('Input.insertText', { text: '日本語' })
    await ann.until('to have composed', 'editor.text().includes("日本語")')
    assert.equal(await agree([ann, ben], () => content(id)), 'AThe 日本語rices.\nThe pot.!')
  }))

  test(`${kind}: a megabyte is pasted`, () => pair(kind, 'ab', async (ann, ben, id, [profile]) => {
    const line = 'Zwölf Boxkämpfer jagen 😀 quer über den Sylter Deich.\r\n'
    const paste = line.repeat(Math.ceil(1e6 / Buffer.byteLength(line)))
    await profile.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: browser.origin })
    await ann.select(1)
    await ann.page.evaluate(text => navigator.clipboard.writeText(text), paste)
    await ann.press('Control+V')
    const text = await agree([ann, ben], () => content(id))
    assert.equal(text, `a${paste.replaceAll('\r\n', '\n')}b`)
  }))

  test(`${kind}: undo takes one's own, and leaves the other's`, () => pair(kind, 'The rice.', async (ann, ben, id) => {
    await ann.type(4, 'brown ')
    await agree([ann, ben], () => content(id))
    await ben.type(7, 'XYZ')
    await agree([ann, ben], () => content(id))
    // what is typed slowly is undone in several steps
    const all = async (can, keys) => {
      await ann.focus()
      while (await ann.ask(can)) await ann.press(keys)
    }
    await all('doc.canUndo', 'Control+z')
    assert.equal(await agree([ann, ben], () => content(id)), 'The XYZrice.')
    await all('doc.canRedo', kind === 'monaco' ? 'Control+Shift+z' : 'Control+y')
    const again = await agree([ann, ben], () => content(id))
    assert.equal(again.replace('XYZ', ''), 'The brown rice.')
    assert.ok(again.includes('XYZ'))
    await all('doc.canUndo', 'Control+z')
    assert.equal(await agree([ann, ben], () => content(id)), 'The XYZrice.')
  }))

  test(`${kind}: a viewer reads on, and cannot type`, () => pair(kind, 'The rice.', async (ann, ben, id) => {
    await sql(`SELECT converge.share('${id}', '*', 'viewer')`)
    await ben.until('to be read-only', 'doc.role === "viewer" && editor.readOnly()')
    await ben.focus()
    await ben.page.keyboard.type('x')
    assert.equal(await ben.text(), 'The rice.')
    await sql(`SELECT converge.edit('${id}', '["All. "]')`)
    await ben.until('to read on', 'editor.text() === "All. The rice."')
    await sql(`SELECT converge.share('${id}', '*', 'editor')`)
    await ben.until('to be an editor', 'doc.role === "editor" && !editor.readOnly()')
    await ben.type(0, 'y')
    assert.equal(await agree([ann, ben], () => content(id)), 'yAll. The rice.')
  }))

  test(`${kind}: both are offline, write, and come back`, () => pair(kind, 'The rice.', async (ann, ben, id, profiles) => {
    for (const profile of profiles) await profile.offline()
    await ann.until('to be offline', 'doc.status === "offline"')
    await ann.type(4, 'brown ')
    await ben.type(4, 'wild ')
    await ben.type(14, '!')
    await ben.until('to have it pending', 'doc.pending !== null')
    await sql(`SELECT converge.edit('${id}', '["All. "]')`)
    for (const profile of profiles) await profile.online()
    const text = await agree([ann, ben], () => content(id))
    assert.match(text, /^All\. The (brown wild|wild brown) rice\.!$/)
  }))

  if (kind === 'textarea') return // its text is what a program gives it, and it shows no carets

  test(`${kind}: what is not text comes in as U+FFFD, in both pages`, () => pair(kind, 'ab', async (ann, ben, id) => {
    await ann.ask('editor.replace(1, 1, "x\\ud83dy\\0")')
    assert.equal(await agree([ann, ben], () => content(id)), 'ax\ufffdy\ufffdb')
  }))

  test(`${kind}: carets and selections of others are where they are, also after edits`, () => pair(kind, 'The rice.\nThe pot of brown clay.\n\nThe end.', async (ann, ben, id) => {
    await ann.select(14, 17) // "pot", backward from its end
    await caretAt(ben, 'ann', 17)
    const selected = async (from, to) => until(`ann's selection from ${from} to ${to}`, async () => {
      const { selections: [box], start, end } = await ben.ask(`({ selections: editor.selections(), start: editor.at(${from}), end: editor.at(${to}) })`)
      return box && near(box.left, start.left) && near(box.right, end.left) && near(box.top, start.top, 4)
    })
    await selected(14, 17)
    await ben.picture(`${kind}-selection`)
    // ben types before it, and sees it move at once
    await ben.type(4, 'wild 😀 ')
    await caretAt(ben, 'ann', 25)
    await selected(22, 25)
    await ann.until('to have heard', 'doc.text.includes("wild 😀 ")')
    await until('her selection to have moved along', async () => String(await ann.ask('editor.selection()')) === '22,25')
    // ann sees ben where he types, and after her own edits too
    await caretAt(ann, 'ben', 12)
    await ann.type(0, 'Now: ')
    await caretAt(ann, 'ben', 17)
    await caretAt(ben, 'ann', 5)
    await agree([ann, ben], () => content(id))
    await caretAt(ben, 'ann', 5)
    await ann.picture(`${kind}-carets`)
    await ann.ask('client.close()')
    await ben.until('to be alone', 'editor.carets().length === 0')
  }))
}
