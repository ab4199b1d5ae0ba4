// Where passages go: carried over ops one by one they are where they are carried over their
// composition, and they return with their text.

import assert from 'node:assert/strict'
import test from 'node:test'
import { compose, parse, Text, transformPosition, untransformPosition } from '../src/ot/index.js'
import { after, before, points } from '../src/talk/kit.js'
import { carry, find } from '../src/talk/place.js'
import { random } from './lib/random.mjs'

const at = (from, to, alive = to > from) => ({ from, to, alive })

test('a passage begins with its first character and ends before an insert at its end', () => {
  for (const [op, place] of [
    [['x'], at(3, 5)], [[2, 'x'], at(3, 5)], [[3, 'x'], at(2, 5)], [[4, 'x'], at(2, 4)], [[5, 'x'], at(2, 4)],
    [[{ d: 2 }], at(0, 2)], [[2, { d: 1 }], at(2, 3, false)], [[3, { d: 1 }], at(2, 3)], [[1, { d: 4 }], at(1, 1)], [[2, { d: 2 }], at(2, 2)],
    [[1, { d: 2 }, 'x'], at(1, 3, false)], [[1, 'x', { d: 2 }], at(2, 3, false)]
  ]) assert.deepEqual(carry(at(2, 4), parse(op)), place, JSON.stringify(op))
  // its first character is gone: what is inserted there is part of it
  assert.deepEqual(carry(at(2, 3, false), parse([2, 'x'])), at(2, 4, false))
})

test('carried over a composition it is where it is after one op after the other', () => {
  const chance = random(7)
  let orphans = 0
  for (let n = 0; n < 20_000; n++) {
    const length = 1 + chance.below(12)
    const from = chance.below(length)
    const place = at(from, from + 1 + chance.below(length - from))
    const first = chance.op(length)
    const second = chance.op(Text.of('.'.repeat(length)).apply(first).text.points)
    const stepwise = carry(carry(place, first), second)
    assert.deepEqual(carry(place, compose(first, second)), stepwise, JSON.stringify({ place, first, second }))
    // by the rule as it is written: the end is a left position, the start that of the first character
    assert.equal(carry(place, first).to, transformPosition(place.to, first, 'left'))
    if (stepwise.from === stepwise.to) orphans++
  }
  assert.ok(orphans > 100, `${orphans} orphans`)
})

test('positions are those of the algebra', () => {
  const chance = random(8)
  for (let n = 0; n < 20_000; n++) {
    const op = chance.op(9)
    const position = chance.below(10)
    assert.equal(after(position, op), transformPosition(position, op, 'left'), JSON.stringify({ position, op }))
    assert.equal(before(position, op), untransformPosition(position, op), JSON.stringify({ position, op }))
  }
  for (const text of ['', 'a', '😀a', 'é']) assert.equal(points(text), [...text].length)
})

test('an empty passage returns where its quote is inserted, and nowhere else', () => {
  const quoted = { quote: 'rice', length: 4, prefix: 'the ', suffix: '.' }
  const gone = carry(at(9, 13), parse([9, { d: 4 }]), quoted)
  assert.deepEqual(gone, at(9, 9))
  assert.deepEqual(carry(gone, parse([9, 'rice']), quoted), at(9, 13))
  assert.deepEqual(carry(gone, parse([9, '😀 rice']), quoted), at(11, 15))
  assert.deepEqual(carry(gone, parse([8, 'rice']), quoted), at(13, 13))
  assert.deepEqual(carry(gone, parse([9, 'ric']), quoted), at(9, 9))
  // what is there when its text is deleted was never its
  assert.deepEqual(carry(at(9, 13), parse([9, 'rice', { d: 4 }]), quoted), at(13, 13))
  assert.deepEqual(carry(at(9, 13), parse([9, { d: 4 }, 'rice']), quoted), at(9, 13))
  assert.deepEqual(carry(at(9, 13), parse([9, { d: 4 }, 'rice'])), at(9, 9))
  // of several the one with most of what stood around it; of a long one only the beginning is known
  assert.equal(find('rice, the rice.', quoted), 10)
  assert.equal(find('rice', { ...quoted, length: 5 }), -1)
  assert.equal(find('anything', { ...quoted, quote: '' }), -1)
})
