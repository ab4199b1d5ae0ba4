// Break each rule once and see schedules find it:
//
//   node test/model/mutate.mjs [--seconds 60] [PART OF A NAME OR FILE]

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { MUTANTS, ofTalk } from './mutants.mjs'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { seconds: { type: 'string', default: '60' } } })
const top = fileURLToPath(new URL('../..', import.meta.url))
const place = fs.mkdtempSync(path.join(os.tmpdir(), 'converge-mutants-'))

/** A copy of the client with one thing broken. */
function copy (number, [name, file, text, broken]) {
  const home = path.join(place, String(number))
  fs.cpSync(path.join(top, 'src'), path.join(home, 'src'), { recursive: true })
  for (const folder of ['model', 'lib']) fs.cpSync(path.join(top, 'test', folder), path.join(home, 'test', folder), { recursive: true })
  fs.copyFileSync(path.join(top, 'package.json'), path.join(home, 'package.json'))
  const source = path.join(home, 'src', file)
  const parts = fs.readFileSync(source, 'utf8').split(text)
  fs.writeFileSync(source, parts.join(broken))
  return home
}

/** Run schedules until one fails; what was said. */
function run (home, file) {
  return new Promise(resolve => {
    const child = spawn(process.execPath, ['test/model/run.mjs', '--seconds', values.seconds, '--no-shrink', ofTalk(file) ? '--talk' : '--edits'], { cwd: home })
    let said = ''
    child.stdout.on('data', data => { said += data })
    child.stderr.on('data', data => { said += data })
    child.once('close', code => resolve({ found: code !== 0, said }))
  })
}

for (const [name, file, text] of MUTANTS) {
  const times = fs.readFileSync(path.join(top, 'src', file), 'utf8').split(text).length - 1
  if (times !== 1) throw new Error(`${name}: its text stands ${times} times in ${file}`)
}

let missed = 0
let number = 0
console.log(`1..${MUTANTS.length}`)
for (const mutant of MUTANTS) {
  number++
  if (positionals.length > 0 && !mutant.slice(0, 2).some(each => each.includes(positionals[0]))) continue
  const started = Date.now()
  const { found, said } = await run(copy(number, mutant), mutant[1])
  const [, count = '?'] = /(\d+) schedules/.exec(said) ?? []
  if (!found) missed++
  console.log(`${found ? 'ok' : 'not ok'} ${number} - ${mutant[0]}: ${found ? 'found' : 'not found'} in ${count} schedules, ${((Date.now() - started) / 1000).toFixed(1)} s`)
}
fs.rmSync(place, { recursive: true, force: true })
process.exitCode = missed > 0 ? 1 : 0
