// The panel of a reviewer: a converge-reviewer that waits, with a stand-in for its endpoint, is
// asked by people in a browser, and what it says is decided there.

import test, { after, afterEach, before } from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { comment, completion, partOf, StandIn, suggestion, wishOf } from '../../reviewer/test/lib/standin.mjs'
import { sql } from '../../../test/relay/lib/pg.mjs'
import { token } from '../../../test/relay/lib/token.mjs'
import { becomes, create, launch, serve, shows, stored } from './lib/browser.mjs'

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const CLI = fileURLToPath(new URL('../../reviewer/cli.js', import.meta.url))
const TEXT = 'Boil teh rice. 😀\nServe it wram, and bring teh bread.\n'
const REMARKS = [suggestion('teh rice', 'the rice'), suggestion('wram', 'warm'), suggestion('teh bread', 'the bread'), comment('Boil', 'For how long?')]
const says = question => completion({ remarks: REMARKS.filter(({ quote }) => partOf(question).includes(quote)) })
let browser, relay
before(async () => {
  relay = await serve({ reviewer: { id: 'rita', name: 'Rita' } })
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await relay?.stop()
})
const ends = []
afterEach(async () => { while (ends.length > 0) await ends.pop()() })

/** A reviewer that waits at a document. */
async function reviewer (id, answer = says) {
  const standin = await new StandIn(answer).start()
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reviewer-'))
  const child = spawn(process.execPath, [CLI, '--wait', '--url', `http://127.0.0.1:${relay.port}`, '--endpoint', standin.url, '--model', 'stand-in', '--name', 'Rita', '--state', folder, id], { env: { ...process.env, CONVERGE_TOKEN: token('rita') }, stdio: 'ignore' })
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    await standin.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  }
  ends.push(stop)
  return { standin, stop }
}

const text = page => page.locator('.sheet-live .cm-content')
const panel = page => page.locator('.doc-head').getByRole('button', { name: 'Reviewer' })
const state = page => page.locator('.reviewer .state').textContent()
const theirs = (page, what) => page.getByRole('list', { name: `${what} of the reviewer` }).locator('> li')
const answers = page => page.getByRole('region', { name: 'How it went' }).locator('.body').allTextContents()
const open = async (id, user = 'ann', look = {}) => {
  const page = await browser.page(relay, { user, where: `?doc=${id}`, ...look })
  await shows(text(page), /Boil/)
  await panel(page).click()
  return page
}
async function findings (page) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
  return violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.target.join(' ')}: ${node.failureSummary}`))
}

test('it is asked, says what it does and how it went, and its suggestions are decided one by one and all', async () => {
  const id = await create('ann', 'Reviewed', TEXT, { rita: 'commenter', ben: 'editor' })
  let release
  const { standin, stop } = await reviewer(id, async question => {
    await new Promise(resolve => { release = resolve })
    return says(question)
  })
  const ann = await open(id)
  await becomes(() => state(ann), 'Rita is here, and waits to be asked.')
  // by keys alone
  await ann.getByRole('textbox', { name: 'What to look for (optional)' }).focus()
  await ann.keyboard.type('spelling')
  await ann.keyboard.press('Tab')
  await ann.keyboard.press('Tab')
  await ann.keyboard.press('Enter')
  await ann.getByText('You asked for a review of the text.').waitFor()
  await becomes(() => state(ann), 'Rita is reading …')
  await ann.getByText('Your request has no answer yet.').waitFor()
  await becomes(() => release !== undefined, true)
  release()
  await becomes(() => answers(ann), ['Reviewed for you: 4 remarks.'])
  await becomes(() => state(ann), 'Rita is here, and waits to be asked.')
  assert.equal(wishOf(standin.asked[0].body), 'spelling')
  await becomes(() => theirs(ann, 'Suggestions').count(), 3)
  assert.deepEqual(await theirs(ann, 'Comments').locator('.comments .body').allTextContents(), ['For how long?'])
  // what others suggest is not among them
  await sql(`SET converge."user" = 'ben'; SELECT converge.suggest('${id}', 0, converge.replace(0, 4, 'Cook'))`)
  await becomes(() => ann.locator('.sheet-live ins.cm-suggested').count(), 4)
  assert.equal(await theirs(ann, 'Suggestions').count(), 3)
  await theirs(ann, 'Suggestions').filter({ hasText: 'wram' }).or(theirs(ann, 'Suggestions').nth(1)).first().getByRole('button', { name: 'Reject' }).click()
  await becomes(() => theirs(ann, 'Suggestions').count(), 2)
  await ann.getByRole('button', { name: 'Accept all (2)' }).click()
  await ann.getByText('2 accepted.').waitFor()
  await becomes(() => theirs(ann, 'Suggestions').count(), 0)
  assert.equal((await stored('ann', id)).match(/teh|wram/g).length, 1)
  await stop()
  await becomes(() => state(ann), 'Rita is not here. What you ask is answered if it comes within an hour.')
  browser.check()
})

test('a passage alone is reviewed, of a text that was just typed; a commenter may ask, a viewer not', async () => {
  const id = await create('ann', 'A passage', TEXT, { rita: 'commenter', ben: 'commenter', cy: 'viewer' })
  const { standin } = await reviewer(id)
  const ben = await open(id, 'ben')
  const ann = await open(id)
  await becomes(() => state(ben), 'Rita is here, and waits to be asked.')
  await ben.getByLabel('Only what is selected in the text').check()
  await ben.getByRole('button', { name: 'Ask for a review' }).click()
  await ben.getByText('Select a passage of the text first.').waitFor()
  // what ann types pushes what ben has selected
  await text(ben).click()
  await ben.keyboard.press('Control+End')
  await ben.keyboard.press('ArrowUp')
  await ben.keyboard.press('Home')
  await ben.keyboard.press('Shift+End')
  await text(ann).click()
  await ann.keyboard.press('Control+Home')
  await ann.keyboard.type('😀 First: ')
  await shows(text(ben), `😀 First: ${TEXT}`)
  await ben.getByRole('button', { name: 'Ask for a review' }).click()
  await becomes(() => answers(ben), ['Reviewed for you: 2 remarks.'])
  assert.equal(partOf(standin.asked[0].body), 'Serve it wram, and bring teh bread.')
  // what they say is not the commenter's to decide
  await becomes(() => theirs(ben, 'Suggestions').count(), 2)
  assert.equal(await theirs(ben, 'Suggestions').getByRole('button', { name: 'Accept' }).count(), 0)
  await becomes(() => theirs(ann, 'Suggestions').getByRole('button', { name: 'Accept' }).count(), 2)
  await ann.getByRole('button', { name: 'Reject all (2)' }).click()
  await becomes(() => theirs(ben, 'Suggestions').count(), 0)
  const cy = await open(id, 'cy')
  await becomes(() => state(cy), 'Rita is here, and waits to be asked.')
  assert.equal(await cy.getByRole('button', { name: 'Ask for a review' }).count(), 0)
  browser.check()
})

test('an owner lets it in; without one in config.json there is no such panel', async () => {
  const id = await create('ann', 'Alone', TEXT, { ben: 'editor' })
  const ann = await open(id)
  await ann.getByRole('button', { name: 'Let Rita comment here' }).click()
  await ann.getByRole('button', { name: 'Let Rita comment here' }).waitFor({ state: 'detached' })
  assert.equal(await sql(`SELECT role FROM converge.members WHERE doc_id = '${id}' AND user_id = 'rita'`), 'commenter')
  await reviewer(id)
  await becomes(() => state(ann), 'Rita is here, and waits to be asked.')
  browser.check()
  const plain = await serve()
  try {
    const page = await browser.page(plain, { user: 'ben', where: `?doc=${id}` })
    await shows(text(page), TEXT)
    await page.locator('.doc-head').getByRole('button', { name: 'Chat' }).waitFor()
    assert.equal(await panel(page).count(), 0)
    await page.context().close()
    browser.check()
  } finally {
    await plain.stop()
  }
})

for (const [name, look] of [['light and wide', {}], ['dark and narrow', { width: 360, height: 740, scheme: 'dark' }]]) {
  test(`${name}: axe finds nothing in the reviewer's panel, and it fits`, async () => {
    const id = await create('ann', 'Looks', TEXT, { rita: 'commenter' })
    await reviewer(id)
    const page = await open(id, 'ann', { reducedMotion: 'reduce', ...look })
    await page.getByRole('button', { name: 'Ask for a review' }).click()
    await becomes(() => answers(page), ['Reviewed for you: 4 remarks.'])
    await becomes(() => theirs(page, 'Suggestions').count(), 3)
    await becomes(() => state(page), 'Rita is here, and waits to be asked.')
    assert.deepEqual(await findings(page), [])
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/reviewer-${look.width ?? 1280}.png` })
    browser.check()
  })
}
