// The demonstration as `make demo` starts it: it stands, people write in it, and it ends.

import test from 'node:test'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { sql } from '../../../test/relay/lib/pg.mjs'
import { until, within } from '../../../test/relay/lib/wait.mjs'
import { launch, shows } from './lib/browser.mjs'

const NAME = 'converge_page_demo_test'
const BOUND_MS = 120000

test('the demonstration prints an address, where people write and SQL edits', async () => {
  const demo = spawn(new URL('../demo/run', import.meta.url).pathname, { env: { ...process.env, DEMO_NAME: NAME, PORT: '0', DISPLAY: '', WAYLAND_DISPLAY: '' }, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise(resolve => demo.once('exit', resolve))
  let said = ''
  demo.stdout.setEncoding('utf8').on('data', data => { said += data })
  const browser = await launch()
  try {
    const [, port] = await until('the address', () => {
      assert.equal(demo.exitCode, null, said)
      return /http:\/\/127\.0\.0\.1:(\d+)\//.exec(said)
    }, BOUND_MS)
    const page = await browser.page({ port: Number(port) })
    const ann = page.getByRole('textbox', { name: 'The document, as Ann sees it' })
    await shows(ann, /Harvest supper/)
    for (const name of ['Carla', 'Dan']) await page.locator('.commits').getByText(name).first().waitFor()
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await shows(ann, /^# Hello from SQL/)
    await page.locator('.commits').getByText('SQL').or(page.locator('.answer')).first().waitFor()
    await page.goto('/?docs')
    await page.getByRole('button', { name: 'Ann' }).click()
    // the recording begins when it begins; the list follows
    await page.getByRole('link', { name: /friends forever/i }).waitFor()
    browser.check()
  } finally {
    await browser.close()
    demo.kill('SIGTERM')
    assert.equal(await within('the demonstration to end', ended), 0)
    await until('its programs to be gone', async () => await sql(`SELECT count(*) FROM pg_stat_activity WHERE datname = '${NAME}'`) === '0')
    await sql(`DROP DATABASE ${NAME} WITH (FORCE)`)
  }
})
