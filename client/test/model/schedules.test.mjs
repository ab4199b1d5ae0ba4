// Schedules drawn from seeds: as many as go in a few seconds, the same ones each time, and
// some of a seed that no run had before.

import assert from 'node:assert/strict'
import test from 'node:test'
import { Schedule } from './schedule.mjs'
import { TalkSchedule } from './talk_schedule.mjs'

async function good (seed, options, Kind = Schedule) {
  const found = await new Kind(seed, options).run()
  assert.deepEqual(found, [], `seed ${seed} with ${JSON.stringify(options)}: node test/model/run.mjs --seed ${seed} --steps ${options.steps} ${Kind === Schedule ? '--edits' : '--talk'}`)
}

for (const [name, steps, count] of [['short', 25, 200], ['usual', 60, 150], ['long', 200, 25]]) {
  test(`${count} ${name} schedules end well`, async () => {
    for (let seed = 1; seed <= count; seed++) await good(seed, { steps })
  })
}

test('schedules in which people talk end well, with a storage and without', async () => {
  for (let seed = 1; seed <= 150; seed++) await good(seed, { steps: 40 }, TalkSchedule)
  for (let seed = 1; seed <= 10; seed++) await good(seed, { steps: 200 }, TalkSchedule)
  for (let seed = 1; seed <= 60; seed++) await good(seed, { steps: 60, storage: false }, TalkSchedule)
})

test('schedules that nobody has seen end well', async () => {
  const from = Date.now()
  for (let n = 0; n < 50; n++) await good(from + n, { steps: 60 })
  for (let n = 0; n < 50; n++) await good(from + n, { steps: 60 }, TalkSchedule)
})

test('without a storage nothing is lost but with its tab', async () => {
  for (let seed = 1; seed <= 100; seed++) await good(seed, { steps: 60, storage: false })
})

test('a schedule happens again to the letter', async () => {
  const [one, two] = [new Schedule(77), new Schedule(77)]
  await one.run()
  await two.run()
  assert.deepEqual(two.server.log, one.server.log)
  assert.deepEqual([...two.disk.records], [...one.disk.records])
  const [three, four] = [new TalkSchedule(7), new TalkSchedule(7)]
  await three.run()
  await four.run()
  assert.deepEqual(four.talk.asked, three.talk.asked)
  assert.ok(four.talk.asked.length > 0)
})
