// The folder of files for browsers: what lies in it is served, and nothing else is.

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import zlib from 'node:zlib'
import { Bytes } from './lib/bytes.mjs'
import { Relay, startRelay } from './lib/relay.mjs'
import { until, within } from './lib/wait.mjs'

let relay, place, pipe
before(async () => {
  place = fs.mkdtempSync(path.join(process.env.CONVERGE_TEST_DIR, 'web-'))
  const put = (name, text) => fs.writeFileSync(path.join(place, name), text)
  for (const folder of ['web', 'web/inner', 'web/.git', 'web-secret']) fs.mkdirSync(path.join(place, folder))
  put('web/index.html', '<p>é 😀')
  put('web/inner/index.html', 'inner')
  put('web/inner/page.js', 'export {}')
  put('web/admin.html', 'the admin page')
  put('web/bare', 'bare')
  put('web/bare.html', 'not bare')
  put('web/.htpasswd', 'secret')
  put('web/.git/config', 'secret')
  put('secret.txt', 'secret')
  put('web-secret/secret.txt', 'secret')
  put('web/two%2f.txt', 'percent')
  for (const [name, to] of [['out.txt', '../secret.txt'], ['away', '/etc'], ['passwd', '/etc/passwd'], ['beside', '../web-secret'], ['round', 'round'], ['within.js', 'inner/page.js'], ['null', '/dev/null'], ['zero', '/dev/zero']]) {
    fs.symlinkSync(to, path.join(place, 'web', name))
  }
  execFileSync('mkfifo', [path.join(place, 'web', 'pipe')])
  await new Promise(resolve => { pipe = net.createServer().listen(path.join(place, 'web', 'socket'), resolve) })
  relay = await startRelay({ web: path.join(place, 'web') })
})
after(async () => {
  await relay.stop()
  pipe.close()
  fs.rmSync(place, { recursive: true })
})

// What is answered to a path just as it stands; fetch would tidy it up.
async function ask (where, method = 'GET') {
  const client = new Bytes(relay).write(Buffer.concat([Buffer.from(`${method} `), Buffer.from(where, 'latin1'), Buffer.from(' HTTP/1.1\r\nHost: x\r\n\r\n')]))
  await client.end()
  return { status: client.statuses()[0], text: String(client.heard) }
}

test('files of the folder are served', async () => {
  for (const [where, type, text] of [['/', 'text/html', '<p>é 😀'], ['/index.html', 'text/html', '<p>é 😀'], ['/inner/', 'text/html', 'inner'], ['/inner/page.js', 'text/javascript', 'export {}'], ['/within.js', 'text/javascript', 'export {}'], ['/inner/../index.html', 'text/html', '<p>é'], ['/..', 'text/html', '<p>é']]) {
    const answer = await ask(where)
    assert.equal(answer.status, 200, where)
    assert.ok(answer.text.includes(`content-type: ${type}`) && answer.text.includes(text), where)
    assert.match(answer.text, /x-content-type-options: ?nosniff/)
  }
})

test('a name without an ending is a page, unless there is such a file', async () => {
  const page = await ask('/admin')
  assert.equal(page.status, 200)
  assert.match(page.text, /content-type: text\/html.*the admin page/s)
  const bare = await ask('/bare')
  assert.match(bare.text, /content-type: application\/octet-stream.*\r\nbare$/s)
  for (const where of ['/admin/', '/inner/admin', '/admin.', '/out', '/passwd.html', '/index.html/admin']) assert.equal((await ask(where)).status, 404, where)
})

test('a page runs no script but its own, is in no frame of others, and tells nobody where it was', async () => {
  for (const where of ['/', '/index.html', '/inner/page.js', '/admin']) {
    const head = (await ask(where)).text.split('\r\n\r\n')[0]
    const policy = Object.fromEntries(/content-security-policy: ?(.*)\r\n/.exec(head)[1].split('; ').map(part => [part.split(' ')[0], part.split(' ').slice(1).join(' ')]))
    assert.equal(policy['default-src'], "'self'", where)
    assert.equal(policy['script-src'], "'self'", where)
    assert.equal(policy['frame-ancestors'], "'self'", where)
    for (const [name, value] of [['object-src', "'none'"], ['base-uri', "'none'"], ['form-action', "'self'"]]) assert.equal(policy[name], value, where)
    assert.ok(!policy['connect-src'].includes('http'), where)
    assert.match(head, /x-content-type-options: ?nosniff/)
    assert.match(head, /referrer-policy: ?no-referrer/)
    assert.match(head, /cross-origin-opener-policy: ?same-origin/)
  }
  // also of what is not sent again
  const etag = /etag: ?(.*)\r\n/.exec((await ask('/')).text)[1]
  const held = await relay.get('/', { headers: { 'if-none-match': etag } })
  assert.equal(held.status, 304)
  assert.match(held.headers.get('content-security-policy'), /frame-ancestors/)
})

test('and nothing outside, hidden, or special', async () => {
  for (const where of [
    // up
    '/../secret.txt', '/..%2fsecret.txt', '/%2e%2e/secret.txt', '/%2e%2e%2fsecret.txt', '/.%2e/secret.txt', '/inner/../../secret.txt', '/inner/%2e%2e/%2e%2e/secret.txt',
    '/%252e%252e/secret.txt', '/..%252fsecret.txt', '/..;/secret.txt', '/inner/..../secret.txt', '/inner/..%00/secret.txt', '/%c0%ae%c0%ae/secret.txt', '/..%c0%afsecret.txt',
    // the other slash, and absolute
    '/..\\secret.txt', '/..%5csecret.txt', '\\..\\secret.txt', '//etc/passwd', '/%2fetc/passwd', '/etc/passwd', 'file:///etc/passwd', 'http://x/../secret.txt',
    // a folder whose name begins alike
    '/../web-secret/secret.txt', '-secret/secret.txt',
    // links that lead out, or round
    '/out.txt', '/passwd', '/away/passwd', '/beside/secret.txt', '/round', '/round/x',
    // what is no file
    '/inner', '/null', '/zero', '/pipe', '/socket', '/index.html/', '/index.html/x',
    // hidden
    '/.htpasswd', '/.git/config', '/inner/../.htpasswd', '/%2ehtpasswd', '/.git/',
    // NUL and its like
    '/index.html\0', '/index.html%00', '/index.html%00.js', '/secret.txt%00', '/\x01', '/%', '/%z', `/${'a/'.repeat(400)}`, `/${'x'.repeat(3000)}`, `/${'x'.repeat(300)}`
  ]) {
    const answer = await ask(where)
    assert.ok(answer.status === undefined || answer.status >= 400, `${where}: ${answer.status}`)
    assert.ok(!/root:|secret\b(?!\.txt)/.test(answer.text), `${where}: ${answer.text}`)
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) assert.ok((await ask('/index.html', method)).status >= 400)
  assert.ok(!(await ask('/index.html', 'HEAD')).text.includes('<p>'))
})

// What a client that takes some encodings is sent, as it stands on the wire.
async function askPacked (where, accept) {
  const client = new Bytes(relay).write(Buffer.from(`GET ${where} HTTP/1.1\r\nHost: x\r\n${accept === undefined ? '' : `Accept-Encoding: ${accept}\r\n`}\r\n`))
  await client.end()
  const at = client.heard.indexOf('\r\n\r\n')
  return { status: client.statuses()[0], head: String(client.heard.subarray(0, at)), content: client.heard.subarray(at + 4) }
}
const isPacked = ({ head }) => /content-encoding: ?gzip/.test(head)

test('a packed copy goes to those who take it', async () => {
  const text = 'export const many = 1 // '.repeat(100)
  const put = (name, content) => fs.writeFileSync(path.join(place, 'web', name), content)
  for (const name of ['packed.js', 'inner/index.html', 'manual.html']) {
    put(name, text)
    put(`${name}.gz`, zlib.gzipSync(text))
  }
  for (const [where, type] of [['/packed.js', 'text/javascript'], ['/inner/', 'text/html'], ['/manual', 'text/html'], ['/manual.html', 'text/html']]) {
    const packed = await askPacked(where, 'gzip')
    assert.equal(packed.status, 200, where)
    assert.ok(isPacked(packed) && packed.head.includes(`content-type: ${type}`), packed.head)
    assert.match(packed.head, /vary: ?accept-encoding/)
    assert.match(packed.head, /content-security-policy: ?default-src 'self'/)
    assert.equal(String(zlib.gunzipSync(packed.content)), text)
    const plain = await askPacked(where)
    assert.ok(!isPacked(plain) && String(plain.content) === text, plain.head)
    assert.match(plain.head, /vary: ?accept-encoding/)
    // each is another content to a cache
    const [packedTag, plainTag] = [packed, plain].map(({ head }) => /etag: ?(.*)\r\n/.exec(head)[1])
    assert.notEqual(packedTag, plainTag)
    for (const [tag, accept, status] of [[packedTag, 'gzip', 304], [plainTag, 'gzip', 200], [plainTag, 'identity', 304], [packedTag, 'identity', 200]]) {
      const answer = await relay.get(where, { headers: { 'if-none-match': tag, 'accept-encoding': accept } })
      assert.equal(answer.status, status, `${tag} ${accept}`)
      await answer.arrayBuffer()
    }
  }
  for (const accept of ['gzip', 'GZip', 'x-gzip', 'deflate, gzip', 'br;q=1.0, gzip;q=0.5', 'gzip ; q=0.001', '*', 'identity;q=0, *', 'br,gzip', ' , gzip', 'gzip;q=1', 'zstd,\tgzip']) assert.ok(isPacked(await askPacked('/packed.js', accept)), accept)
  for (const accept of ['', 'identity', 'br', 'gzip;q=0', 'gzip; q=0.000', 'gzip;Q=0.', '*;q=0', 'gzip;q=0, *', '*, gzip;q=0', 'gzipped', 'br, xgzip', 'x;gzip', 'br;q=gzip']) assert.ok(!isPacked(await askPacked('/packed.js', accept)), accept)
})

test('a packed copy that is not of the file as it is, or lies outside, is not sent', async () => {
  const put = (name, content) => fs.writeFileSync(path.join(place, 'web', name), content)
  const plain = async (where, text) => {
    const answer = await askPacked(where, 'gzip')
    assert.ok(!isPacked(answer), where)
    assert.equal(String(answer.content), text, where)
  }
  const old = Date.now() / 1000 - 60
  put('stale.js.gz', zlib.gzipSync('first text'))
  fs.utimesSync(path.join(place, 'web', 'stale.js.gz'), old, old)
  put('stale.js', 'other text') // as long as the first
  await plain('/stale.js', 'other text')
  put('longer.js', 'a longer text')
  put('longer.js.gz', zlib.gzipSync('a text'))
  await plain('/longer.js', 'a longer text')
  for (const [name, content] of [['empty', ''], ['short', Buffer.from([1, 2, 3])], ['noise', 'not packed at all, though long enough']]) {
    put(`${name}.js`, name)
    put(`${name}.js.gz`, content)
    await plain(`/${name}.js`, name)
  }
  fs.writeFileSync(path.join(place, 'out.gz'), zlib.gzipSync('secret'))
  put('link.js', 'public')
  fs.symlinkSync('../out.gz', path.join(place, 'web', 'link.js.gz'))
  await plain('/link.js', 'public')
  put('folder.js', 'public')
  fs.mkdirSync(path.join(place, 'web', 'folder.js.gz'))
  await plain('/folder.js', 'public')
  // a packed copy alone is no page
  put('alone.js.gz', zlib.gzipSync('alone'))
  assert.equal((await askPacked('/alone.js', 'gzip')).status, 404)
})

test('a relay goes no further for a request than its folder', async () => {
  assert.equal((await ask('/healthz')).status, 200)
  assert.equal(fs.readFileSync(path.join(place, 'web', 'index.html'), 'utf8'), '<p>é 😀')
  const own = new Relay({ web: path.join(place, 'secret.txt') })
  assert.equal((await within('the relay to end', own.ended)).code, 2)
  assert.match(own.log(), /could not read folder/)
  await until('it to have ended', () => own.exit)
})
