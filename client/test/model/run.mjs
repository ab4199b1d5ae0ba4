// Run schedules:
//
//   node test/model/run.mjs [--seconds 10] [--from SEED] [--seed SEED] [--steps 60]
//
// A seed that fails is made as short as it goes, and said.

import { parseArgs } from 'node:util'

import { Schedule } from './schedule.mjs'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' }, from: { type: 'string', default: '1' }, seed: { type: 'string' }, steps: { type: 'string', default: '60' }, 'no-shrink': { type: 'boolean' } } })

/** @returns {Promise<string[]>} */
export async function problems (seed, options) {
  const schedule = new Schedule(seed, options)
  try {
    return await schedule.run()
  } catch (error) {
    return [error.stack]
  }
}

/** The fewest steps after which a seed still fails. */
export async function shrink (seed, { steps, ...options }) {
  let least = steps
  for (let n = 1; n < steps; n++) {
    if ((await problems(seed, { ...options, steps: n })).length > 0) {
      least = n
      break
    }
  }
  return least
}

const steps = Number(values.steps)
const started = Date.now()
let seed = Number(values.seed ?? values.from)
let count = 0
do {
  const found = await problems(seed, { steps })
  count++
  if (found.length > 0) {
    const least = values['no-shrink'] ? steps : await shrink(seed, { steps })
    console.log(`seed ${seed} fails, in ${least} steps:`)
    console.log((await problems(seed, { steps: least })).join('\n'))
    process.exitCode = 1
    if (values.seed === undefined) break
  }
  seed++
} while (values.seed === undefined && Date.now() - started < 1000 * Number(values.seconds))
console.log(`${count} schedules in ${((Date.now() - started) / 1000).toFixed(1)} s`)
