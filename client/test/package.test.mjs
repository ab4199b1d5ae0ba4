// The package as it is published: what is in it, that others' tools find everything in it,
// and that API.md says what the types say.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const top = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(fs.readFileSync(path.join(top, 'package.json'), 'utf8'))
const sources = Object.entries(manifest.exports).filter(([name]) => name !== './package.json')
let place

before(() => {
  place = fs.mkdtempSync(path.join(os.tmpdir(), 'converge-client-'))
  for (const name of ['src', 'reviewer', 'README.md', 'API.md', 'LICENSE', 'package.json', 'tsconfig.json', 'tsconfig.pack.json']) fs.cpSync(path.join(top, name), path.join(place, name), { recursive: true })
  fs.symlinkSync(path.join(top, 'node_modules'), path.join(place, 'node_modules'))
  execFileSync(path.join(top, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.pack.json'], { cwd: place })
})
after(() => fs.rmSync(place, { recursive: true, force: true }))

test('API.md is what the types say', () => {
  const made = execFileSync(process.execPath, [path.join(top, 'tools/api.mjs'), path.join(place, 'types')]).toString()
  assert.equal(fs.readFileSync(path.join(top, 'API.md'), 'utf8'), made, 'npm run api makes it anew')
})

test('everything that the entries export is explained or explains itself', () => {
  const text = fs.readFileSync(path.join(top, 'API.md'), 'utf8')
  for (const name of ['Client', 'Document', 'Presence']) {
    const [, part] = new RegExp(`### class ${name}\n([^#]*)`).exec(text)
    for (const line of part.split('\n').filter(line => line.startsWith('- '))) assert.match(line, /`: ./, line)
  }
})

test('what is packed is the sources, their types and the documentation', () => {
  const [{ files, unpackedSize }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'], { cwd: place, stdio: ['ignore', 'pipe', 'ignore'] }).toString())
  const names = files.map(file => file.path)
  assert.deepEqual(names.filter(name => !/^(src\/.*\.js|types\/.*\.d\.ts|reviewer\/(\w+\.js|README\.md)|README\.md|API\.md|LICENSE|package\.json)$/.test(name)), [])
  for (const name of ['README.md', 'API.md', 'LICENSE', 'src/index.js', 'types/index.d.ts', 'reviewer/cli.js', 'reviewer/README.md']) assert.ok(names.includes(name), name)
  assert.ok(unpackedSize < 1_000_000, `${unpackedSize} bytes`)
})

test('the reviewer runs from the package alone', t => {
  const packed = fs.mkdtempSync(path.join(os.tmpdir(), 'converge-packed-'))
  t.after(() => fs.rmSync(packed, { recursive: true, force: true }))
  const [{ files }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'], { cwd: place, stdio: ['ignore', 'pipe', 'ignore'] }).toString())
  for (const { path: name } of files) fs.cpSync(path.join(place, name), path.join(packed, name))
  assert.match(execFileSync(path.join(packed, manifest.bin['converge-reviewer']), ['--help']).toString(), /^Usage: converge-reviewer /)
})

test('publint finds nothing', async () => {
  const { messages } = await publint({ pkgDir: place, pack: false, strict: true })
  // an entry whose source is not written yet is no fault of the package's form
  const missing = sources.filter(([, { default: file }]) => !fs.existsSync(path.join(top, file))).map(([name]) => name)
  const found = messages.filter(message => !missing.includes(message.path[1]))
  assert.deepEqual(found.map(message => formatMessage(message, manifest)), [])
})
