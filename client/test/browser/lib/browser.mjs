// Chromium with pages that run page.js, a relay behind a network that can be cut, and ways
// to wait for what pages show.

import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { startRelay } from '../../../../test/relay/lib/relay.mjs'
import { token } from '../../../../test/relay/lib/token.mjs'
import { until } from '../../../../test/relay/lib/wait.mjs'

export { until }

// broken off, it takes its relay along
process.once('SIGTERM', () => process.exit(1))

const here = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const SWITCHES = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
  '--disable-features=StaticStorageQuota,PredictableReportedQuota'] // or no quota can be set
const HTML = `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="stylesheet" href="page.css">
<style>
  body { margin: 16px; font: 15px/1.4 system-ui, sans-serif; }
  #editor { height: 300px; border: 1px solid #888; }
  #editor > textarea { width: 100%; height: 100%; box-sizing: border-box; }
  .cm-editor { height: 100%; }
</style><p id="status"></p><div id="editor"></div><script type="module" src="page.js"></script></html>`

/** A network in front of a port: cut, nothing goes through, and no new connection comes up. */
class Network {
  static async before (port) {
    const network = new Network()
    Object.assign(network, { sockets: new Set(), down: false })
    network.server = net.createServer(client => {
      if (network.down) return client.destroy()
      const server = net.connect(port, '127.0.0.1')
      for (const [one, other] of [[client, server], [server, client]]) {
        network.sockets.add(one)
        one.pipe(other)
        one.on('error', () => {})
        one.on('close', () => {
          network.sockets.delete(one)
          other.destroy()
        })
      }
    })
    await new Promise(resolve => network.server.listen(0, '127.0.0.1', resolve))
    network.url = `ws://127.0.0.1:${network.server.address().port}`
    return network
  }

  cut () {
    this.down = true
    for (const socket of this.sockets) socket.destroy()
  }

  mend () {
    this.down = false
  }

  end () {
    this.cut()
    this.server.close()
  }
}

export class Browser {
  /** Bundle the page, start a relay and a browser. */
  static async start () {
    const self = new Browser()
    self.home = path.join(process.env.CONVERGE_TEST_DIR, String(process.pid))
    fs.rmSync(self.home, { recursive: true, force: true })
    await build({
      entryPoints: [path.join(here, 'page.js')], outdir: self.home, bundle: true, splitting: true, format: 'esm', minify: true, loader: { '.ttf': 'dataurl' }, logLevel: 'error'
    })
    fs.writeFileSync(path.join(self.home, 'page.html'), HTML)
    if (!fs.existsSync(path.join(self.home, 'page.css'))) fs.writeFileSync(path.join(self.home, 'page.css'), '')
    self.server = http.createServer((request, response) => self.serve(request, response))
    await new Promise(resolve => self.server.listen(0, '127.0.0.1', resolve))
    self.origin = `http://localhost:${self.server.address().port}`
    self.relay = await startRelay()
    self.chromium = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: SWITCHES })
    return self
  }

  serve ({ url }, response) {
    const file = path.join(this.home, path.basename(url))
    const type = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }[path.extname(file)]
    if (type === undefined || !fs.existsSync(file)) return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': type }).end(fs.readFileSync(file))
  }

  /** A profile of a user's, in which tabs are opened: what they store is the same for all of them. */
  async profile (user, { color, before } = {}) {
    const context = await this.chromium.newContext({ viewport: { width: 800, height: 400 } })
    if (before !== undefined) await context.addInitScript(before)
    return new Profile(this, context, user, color, await Network.before(this.relay.port))
  }

  async stop () {
    await this.chromium.close()
    this.server.close()
    await this.relay.stop()
    fs.rmSync(this.home, { recursive: true, force: true })
  }
}

class Profile {
  constructor (browser, context, user, color, network) {
    Object.assign(this, { browser, context, user, color, network })
  }

  /** A tab with an editor on a document. */
  async open (kind, id, { stored = false, quota } = {}) {
    const tab = new Tab(this, await this.context.newPage())
    await tab.begin(kind, id, stored, quota)
    return tab
  }

  /** Without a network, as the browser sees it too. */
  async offline () {
    await this.context.setOffline(true)
    this.network.cut()
  }

  async online () {
    this.network.mend()
    await this.context.setOffline(false)
  }

  async close () {
    await this.context.close()
    this.network.end()
  }
}

class Tab {
  constructor (profile, page) {
    Object.assign(this, { profile, page, errors: [] })
    page.on('pageerror', error => this.errors.push(error))
  }

  async begin (kind, id, stored, quota) {
    const { browser: { origin }, user, color, network: { url } } = this.profile
    await this.page.goto(`${origin}/page.html`)
    await this.page.waitForFunction('self.begin !== undefined')
    // before anything is stored: Chromium remembers for a while that there is room
    if (quota !== undefined) await (await this.devtools()).send('Storage.overrideQuotaForOrigin', { origin: `${origin}/`, quotaSize: quota })
    this.options = { kind, url, token: token(user), id, name: user, color, stored }
    const begun = this.page.evaluate(options => self.begin(options), this.options)
    // a tab without a network and with nothing stored waits for one
    this.begun = begun.catch(error => { this.errors.push(error) })
    if (!this.profile.network.down || stored) await begun
  }

  /** Evaluate something in the page, where `editor`, `doc`, `client` and `heard` are. */
  ask (expression) {
    return this.page.evaluate(expression)
  }

  text () {
    return this.ask('editor.text()')
  }

  async focus () {
    await this.page.bringToFront()
    await this.ask('editor.focus()')
  }

  /** Select something, as the user. */
  async select (anchor, head = anchor) {
    await this.focus()
    await this.ask(`editor.select(${anchor}, ${head})`)
  }

  /** Type at an offset. */
  async type (offset, text) {
    await this.select(offset)
    for (const letter of new Intl.Segmenter().segment(text)) {
      if (letter.segment === '\n') await this.page.keyboard.press('Enter')
      else if (/^[ -~]$/.test(letter.segment)) await this.page.keyboard.type(letter.segment)
      else await this.page.keyboard.insertText(letter.segment)
    }
  }

  press (key) {
    return this.page.keyboard.press(key)
  }

  /** What DevTools can do. */
  async devtools () {
    return (this.session ??= await this.page.context().newCDPSession(this.page))
  }

  /** Wait until the page has something to say that is true. */
  until (what, expression) {
    return until(`${this.profile.user}: ${what}`, () => this.ask(expression))
  }

  /** The tab dies as when its process is killed. */
  async kill () {
    const session = await this.devtools()
    const crashed = new Promise(resolve => this.page.once('crash', resolve))
    session.send('Page.crash').catch(() => {})
    await crashed
    await this.page.close()
  }

  /** Keep a picture, if there is a folder for pictures. */
  async picture (name) {
    if (process.env.CONVERGE_PICTURES) await this.page.screenshot({ path: path.join(process.env.CONVERGE_PICTURES, `${name}.png`) })
  }
}

/** All tabs show the same text, and it is saved. */
export async function agree (tabs, server) {
  await until('all to be saved', async () => (await Promise.all(tabs.map(tab => tab.ask('doc.pending === null && doc.status === "connected"')))).every(Boolean))
  const text = await server()
  for (const tab of tabs) await until(`${tab.profile.user} to show the server's text`, async () => await tab.text() === text)
  return text
}
