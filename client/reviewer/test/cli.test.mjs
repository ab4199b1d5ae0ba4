// The command: its options, and how it ends.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { HELP, optionsOf } from '../options.js'
import { TASK } from '../prompt.js'

const DOC = '0F8E2D5C-0000-4000-8000-000000000001'
const NEEDED = ['--url', 'https://relay.example.org', '--endpoint', 'http://localhost:1/v1', '--model', 'm', DOC]
const options = (given = [], env = {}) => optionsOf([...NEEDED, ...given], { HOME: '/home/ann', ...env })

test('what is not given is as --help says', () => {
  const { task, document, maxTime, timeout, temperature, state, key, dryRun } = options()
  assert.deepEqual({ task, document, maxTime, timeout, temperature, state, key, dryRun }, {
    task: TASK, document: DOC.toLowerCase(), maxTime: 900_000, timeout: 120_000, temperature: undefined, state: '/home/ann/.local/state/converge-reviewer', key: undefined, dryRun: false
  })
  assert.equal(options([], { XDG_STATE_HOME: '/x' }).state, '/x/converge-reviewer')
  assert.equal(optionsOf(['--help'], {}), null)
})

test('the key comes from the environment, never from an argument', () => {
  assert.equal(options([], { REVIEWER_KEY: 'a', OTHER: 'b' }).key, 'a')
  assert.equal(options(['--key-env', 'OTHER'], { REVIEWER_KEY: 'a', OTHER: 'b' }).key, 'b')
  assert.throws(() => options(['--key', 'a']), { code: 'ERR_PARSE_ARGS_UNKNOWN_OPTION' })
})

test('a key is sent only over https or to this machine', () => {
  const to = (endpoint, env = { REVIEWER_KEY: 'a' }) => optionsOf(['--url', 'x', '--model', 'm', '--endpoint', endpoint, DOC], env)
  for (const good of ['https://api.example.org/v1', 'http://localhost:1/v1', 'http://127.0.0.2/v1', 'http://[::1]:1/v1']) assert.ok(to(good), good)
  for (const bad of ['http://api.example.org/v1', 'http://localhost.example.org/v1', 'http://127.0.0.1.example.org', 'http://10.0.0.1/v1']) assert.throws(() => to(bad), /only over https/, bad)
  assert.ok(to('http://10.0.0.1/v1', {}))
})

test('a wrong option is named with what it may be', () => {
  for (const [given, says] of [
    [['--budget', '0'], /--budget is a number from 1 to 1000000000, not 0/], [['--max-remarks', 'many'], /--max-remarks/], [['--part', '199'], /--part .*200/], [['--max-size', '1.5'], /--max-size/],
    [['--max-time', ''], /--max-time/], [['--temperature', '3'], /--temperature/], [['--color', 'red'], /--color/], [['--endpoint', 'ftp://x'], /ftp/], [['another'], /one document/], [['--wait', '--dry-run'], /--wait .* --dry-run/], [['--daily-reviews', '0'], /--daily-reviews/], [['--nonsense'], /nonsense/]
  ]) assert.throws(() => options(given), says)
  assert.equal(options(['--temperature', '0.3']).temperature, 0.3)
  for (const missing of ['url', 'endpoint', 'model']) assert.throws(() => optionsOf(NEEDED.filter((_, i) => NEEDED[i] !== `--${missing}` && NEEDED[i - 1] !== `--${missing}`), {}), new RegExp(`--${missing} is missing`))
  assert.throws(() => optionsOf(NEEDED.slice(0, -1), {}), /id is missing/)
  assert.equal(optionsOf([...NEEDED.slice(0, -1), '--wait'], {}).document, '')
  assert.throws(() => optionsOf([...NEEDED.slice(0, -1), '../x'], {}), /UUID/)
})

test('README.md names limits as they are', () => {
  const readme = fs.readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const rows = [...readme.matchAll(/^\| `--([\w-]+)` \| ([\d,]+) \|/gm)]
  assert.equal(rows.length, 7)
  for (const [, name, value] of rows) assert.match(HELP, new RegExp(`--${name} .*\\(${value.replaceAll(',', '')}\\)`), name)
  for (const [, name, value] of readme.matchAll(/`--(daily-[\w-]+)` \(([\d,]+)/g)) assert.match(HELP, new RegExp(`--${name} .*\\(${value.replaceAll(',', '')}\\)`), name)
  for (const [option] of readme.matchAll(/(?<![\w-])--[a-z][\w-]+/g)) assert.ok(HELP.includes(`${option} `) || ['--port', '--help'].includes(option), option)
})

const cli = fileURLToPath(new URL('../cli.js', import.meta.url))
const run = (args, env = {}) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env }, encoding: 'utf8' })
  return { status, stdout, stderr }
}

test('the command prints its help, and 2 is its status when it cannot begin', () => {
  assert.deepEqual(run(['--help']), { status: 0, stdout: HELP, stderr: '' })
  assert.deepEqual(run([]), { status: 2, stdout: '', stderr: 'converge-reviewer: --url is missing\n' })
  const { status, stderr } = run(NEEDED)
  assert.deepEqual([status, stderr], [2, 'converge-reviewer: there is no token for the relay: set CONVERGE_TOKEN or --token-file\n'])
})

test('a relay that is not there is told as such, in time', () => {
  const { status, stderr } = run(['--url', 'http://127.0.0.1:1', '--endpoint', 'http://127.0.0.1:1', '--model', 'm', '--max-time', '1', DOC], { CONVERGE_TOKEN: 'x' })
  assert.deepEqual([status, stderr], [2, 'converge-reviewer: the relay cannot be reached (connecting)\n'])
})
