// Chromium, and pages in it that complain of everything they should not meet.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { chromium } from 'playwright-core'
import { sql, quote } from '../../../../test/relay/lib/pg.mjs'
import { Relay } from '../../../../test/relay/lib/relay.mjs'
import { token } from '../../../../test/relay/lib/token.mjs'

const PROGRAMS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
/** How long a page may take to show something; a busy machine is slow. */
const BOUND_MS = Number(process.env.BOUND_MS ?? 30000)

const DIR = process.env.CONVERGE_TEST_DIR
let count = 0

// The built page in a folder of its own, which says what config says.
export function folder (config = {}) {
  const place = path.join(DIR, `${process.pid}-web-${++count}`)
  fs.cpSync(path.join(DIR, 'web'), place, { recursive: true })
  fs.writeFileSync(path.join(place, 'config.json'), JSON.stringify(config))
  return place
}

// A relay that serves it.
export function serve (config = {}, options = {}, env = process.env) {
  return new Relay({ web: folder(config), 'login-rate': 0, ...options }, env).ready()
}

// A document of a user's, perhaps with others in it.
export async function create (owner, title, content = '', members = {}, env = process.env) {
  const id = await sql(`BEGIN; SET LOCAL converge."user" = ${quote(owner)}; SELECT converge.create_document(${quote(title)}, ${quote(content)}); COMMIT`, env)
  for (const [user, role] of Object.entries(members)) await sql(`BEGIN; SET LOCAL converge."user" = ${quote(owner)}; SELECT converge.share('${id}', ${quote(user)}, '${role}'); COMMIT`, env)
  return id
}

// A document's text, as one of its members reads it.
export const stored = (user, id, env = process.env) => sql(`BEGIN; SET LOCAL converge."user" = ${quote(user)}; SELECT converge.content('${id}'); COMMIT`, env)

export async function launch () {
  const executablePath = PROGRAMS.find(program => program && fs.existsSync(program))
  assert.ok(executablePath, 'chromium is installed')
  const browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [] })
  return new Browser(browser)
}

class Browser {
  constructor (browser) {
    this.browser = browser
    this.complaints = []
  }

  // A page of a user's own browser. What the network does is no fault of the page's where
  // the test breaks it.
  async page (relay, { user, name = user, where = '', scheme = 'light', width = 1280, height = 900, brokenNetwork = false, reducedMotion = 'no-preference' } = {}) {
    const origin = `http://127.0.0.1:${relay.port}`
    const context = await this.browser.newContext({ colorScheme: scheme, viewport: { width, height }, reducedMotion, baseURL: origin })
    context.setDefaultTimeout(BOUND_MS)
    if (user !== undefined) {
      await context.addInitScript(value => {
        if (localStorage.getItem('converge.session') === null) localStorage.setItem('converge.session', value)
      }, JSON.stringify({ id: user, name, token: token(user) }))
    }
    const page = await context.newPage()
    const complain = what => this.complaints.push(what)
    page.on('request', request => { if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== origin) complain(`a request to ${request.url()}`) })
    page.on('websocket', socket => { if (new URL(socket.url()).host !== new URL(origin).host) complain(`a socket to ${socket.url()}`) })
    page.on('pageerror', error => complain(error.stack))
    page.on('console', message => {
      const network = /Failed to load resource|WebSocket connection to/.test(message.text())
      if (message.type() === 'error' && !(network && brokenNetwork)) complain(message.text())
    })
    await page.goto(`/${where}`)
    return page
  }

  // Nothing went wrong in any page.
  check () {
    assert.deepEqual(this.complaints.splice(0), [])
  }

  close () {
    return this.browser.close()
  }
}

// The text of an editor, as CodeMirror shows it.
export const textOf = editor => editor.evaluate(content => [...content.querySelectorAll('.cm-line')].map(line => line.querySelector('.cm-placeholder') ? '' : line.textContent).join('\n'))

// Wait until an editor shows a text, or one that fits.
export async function shows (editor, wanted, boundMs = BOUND_MS) {
  const end = Date.now() + boundMs
  let text
  do {
    text = await textOf(editor)
    if (wanted instanceof RegExp ? wanted.test(text) : text === wanted) return text
    await new Promise(resolve => setTimeout(resolve, 20))
  } while (Date.now() < end)
  assert.fail(`the editor shows ${JSON.stringify(text)}, not ${wanted}`)
}

// Wait until what is read is what is wanted; what a page shows follows what was done by a moment.
export async function becomes (read, wanted, boundMs = BOUND_MS) {
  const end = Date.now() + boundMs
  for (;;) {
    const found = await read()
    if (wanted instanceof RegExp ? wanted.test(found) : isDeepStrictEqual(found, wanted)) return found
    if (Date.now() > end) return wanted instanceof RegExp ? assert.match(found, wanted) : assert.deepEqual(found, wanted)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
