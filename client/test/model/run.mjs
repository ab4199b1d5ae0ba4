// Run schedules, on every core:
//
//   node test/model/run.mjs [--seconds 10] [--from SEED] [--seed SEED] [--steps N] [--threads N] [--talk | --edits]
//
// In every third schedule people talk, too; with --talk in all, with --edits in none.
// Without --steps most schedules are short, and some of the usual length or long: of short
// ones there go many in a second, and most faults need few steps. A seed that fails is made as
// short as it goes, and said.

import os from 'node:os'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Schedule } from './schedule.mjs'
import { TalkSchedule } from './talk_schedule.mjs'

const { values } = parseArgs({ args: isMainThread ? process.argv.slice(2) : [], options: { seconds: { type: 'string', default: '10' }, from: { type: 'string', default: '1' }, seed: { type: 'string' }, steps: { type: 'string' }, threads: { type: 'string', default: String(os.availableParallelism()) }, 'no-shrink': { type: 'boolean' }, talk: { type: 'boolean' }, edits: { type: 'boolean' } } })

/** How many steps a seed's schedule has. */
const length = seed => seed % 40 === 0 ? 200 : seed % 8 === 0 ? 60 : 12

/** What kind of schedule a seed's is. */
const kind = seed => isMainThread ? kindOf(seed, values) : kindOf(seed, workerData)
const kindOf = (seed, { talk, edits }) => talk || (!edits && seed % 3 === 0) ? TalkSchedule : Schedule

/** @returns {Promise<string[]>} */
async function problems (seed, steps) {
  try {
    return await new (kind(seed))(seed, { steps }).run()
  } catch (error) {
    return [error.stack]
  }
}

/** The fewest steps after which a seed still fails. */
async function shrink (seed, steps) {
  for (let n = 1; n < steps; n++) if ((await problems(seed, n)).length > 0) return n
  return steps
}

/** Run every so many a seed until one fails, or it is time. */
async function some ({ from, every, until, steps }) {
  let count = 0
  for (let seed = from; Date.now() < until; seed += every) {
    count++
    if ((await problems(seed, steps ?? length(seed))).length > 0) return { count, seed }
  }
  return { count }
}

async function main () {
  const started = Date.now()
  const steps = values.steps === undefined ? undefined : Number(values.steps)
  const threads = Number(values.threads)
  const runs = values.seed !== undefined ? [{ count: 1, seed: Number(values.seed) }] : await new Promise((resolve, reject) => {
    const done = []
    const workers = Array.from({ length: threads }, (_, n) => {
      const workerData = { from: Number(values.from) + n, every: threads, until: started + 1000 * Number(values.seconds), steps, talk: values.talk, edits: values.edits }
      const worker = new Worker(new URL(import.meta.url), { workerData, resourceLimits: { maxYoungGenerationSizeMb: 64 } })
      worker.once('error', reject)
      worker.once('message', found => {
        done.push(found)
        if (found.seed === undefined && done.length < threads) return
        for (const each of workers) each.terminate()
        resolve(done)
      })
      return worker
    })
  })
  const ms = Date.now() - started
  const failed = runs.find(({ seed }) => seed !== undefined)?.seed
  if (failed !== undefined) {
    const whole = steps ?? length(failed)
    const found = await problems(failed, whole)
    if (found.length > 0) {
      const least = values['no-shrink'] ? whole : await shrink(failed, whole)
      console.log(`seed ${failed} fails, in ${least} steps (--seed ${failed} --steps ${least}${kind(failed) === TalkSchedule ? ' --talk' : ' --edits'}):`)
      console.log((await problems(failed, least)).join('\n'))
      process.exitCode = 1
    }
  }
  const count = runs.reduce((sum, each) => sum + each.count, 0)
  console.log(`${count} schedules in ${(ms / 1000).toFixed(1)} s, ${Math.round(1000 * count / ms)} a second on ${threads} threads`)
}

if (isMainThread) await main()
else parentPort.postMessage(await some(workerData))
