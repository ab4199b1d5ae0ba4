// A remark is where its quote is, exactly, or it is dropped.

import assert from 'node:assert/strict'
import test from 'node:test'
import { random } from '../../test/lib/random.mjs'
import { parse, Text } from '../../src/ot/index.js'
import { around, findAgain, place, points, replacing } from '../places.js'

const find = (text, quote, more = {}, part = { from: 0, to: text.length }) => place(text, part, { quote, before: '', after: '', occurrence: null, ...more })
const cat = 'the cat sat on the mat; the dog sat by the cat, and the cat slept'

test('a quote that is there once is its place, whatever else is said of it', () => {
  assert.deepEqual(find(cat, 'dog'), { from: 28, to: 31 })
  assert.deepEqual(find(cat, 'dog', { before: 'wrong', after: 'words', occurrence: 7 }), { from: 28, to: 31 })
})

test('only the exact quote counts', () => {
  for (const quote of ['Dog', 'd og', 'dog  sat', 'horse', 'the\ncat']) assert.match(find(cat, quote), /not in the text/, quote)
  assert.match(find('a caf\u00e9', 'cafe\u0301'), /not in the text/)
})

test('of several, what is around tells which one, spaces aside', () => {
  assert.deepEqual(find(cat, 'cat', { before: 'by the' }), { from: 43, to: 46 })
  assert.deepEqual(find(cat, 'cat', { after: 'slept' }), { from: 56, to: 59 })
  assert.deepEqual(find(cat, 'cat', { before: 'the ', after: ' sat' }), { from: 4, to: 7 })
  assert.deepEqual(find(cat, 'cat', { before: '\n by the  ' }), { from: 43, to: 46 })
})

test('of several, the number tells which one if nothing is said of what is around', () => {
  assert.deepEqual(find(cat, 'cat', { occurrence: 2 }), { from: 43, to: 46 })
  assert.match(find(cat, 'cat', { occurrence: 4 }), /3 times/)
  assert.match(find(cat, 'cat'), /3 times/)
})

test('a number does not outweigh what is around', () => {
  assert.deepEqual(find(cat, 'cat', { before: 'by the', occurrence: 1 }), { from: 43, to: 46 })
  assert.match(find(cat, 'cat', { before: 'under the', occurrence: 1 }), /around/)
  assert.deepEqual(find(cat, 'cat', { before: 'the', occurrence: 3 }), { from: 56, to: 59 })
  assert.match(find(cat, 'cat', { before: 'the' }), /3 times/)
  assert.match(find('a cat, the cat, the cat', 'cat', { before: 'the', occurrence: 1 }), /2 times/)
})

test('nothing is found outside the part that was asked about', () => {
  assert.match(find(cat, 'dog', {}, { from: 0, to: 20 }), /not in the text/)
  assert.match(find(cat, 'dog', {}, { from: 0, to: 30 }), /not in the text/)
  assert.deepEqual(find(cat, 'cat', {}, { from: 20, to: 50 }), { from: 43, to: 46 })
})

test('quotes that overlap are several', () => {
  assert.match(find('banana', 'ana'), /2 times/)
  assert.match(find('a'.repeat(5000), 'a'), /too many times/)
})

test('no place cuts a character from its marks, or an emoji in two', () => {
  assert.match(find('cafe\u0301', 'cafe'), /not in the text/)
  assert.deepEqual(find('cafe\u0301 or cafe', 'cafe'), { from: 9, to: 13 })
  assert.match(find('cafe\u0301', '\u0301'), /not in the text/)
  assert.match(find('👍🏽', '👍'), /not in the text/)
  assert.match(find('👩\u200d🔬', '👩\u200d'), /not in the text/)
  assert.match(find('👩\u200d🔬', '👩'), /not in the text/)
  assert.deepEqual(find('a 😀 b', '😀'), { from: 2, to: 4 })
})

test('the server counts in code points', () => {
  assert.deepEqual(points('😀é😀b', { from: 3, to: 5 }), { from: 2, to: 3 })
  assert.deepEqual(points('e\u0301x', { from: 2, to: 3 }), { from: 2, to: 3 })
})

test('a suggestion changes no more than it must', () => {
  const op = (text, quote, replacement) => replacing(text, find(text, quote), replacement)
  assert.deepEqual(op('a wrod here', 'wrod', 'word'), [3, 'or', { d: 2 }])
  assert.deepEqual(op('see teh cat', 'teh cat', 'the cat'), [5, 'he', { d: 2 }])
  assert.deepEqual(op('😀 is 😀', 'is 😀', 'is 😁'), [5, '😁', { d: 1 }])
  assert.deepEqual(op('one two three', ' two', ''), [3, { d: 4 }])
  assert.deepEqual(op('aaa', 'aaa', 'aa'), [2, { d: 1 }])
})

test('a suggestion makes of the text what it says, at random', () => {
  const rand = random(3)
  const sign = () => ['a', 'b', '😀', '😁', 'é', 'e\u0301'][rand.below(6)]
  const some = most => Array.from({ length: rand.below(most) }, sign).join('')
  for (let i = 0; i < 2000; i++) {
    const [left, quote, right, replacement] = [some(5), some(6) + 'x', some(5), some(6)]
    const text = left + quote + right
    const at = { from: left.length, to: left.length + quote.length }
    assert.equal(String(Text.of(text).apply(parse(replacing(text, at, replacement))).text), left + replacement + right)
  }
})

test('a passage is found again in a later text, or not taken for another', () => {
  const at = { from: 43, to: 46 }
  const again = text => findAgain(text, 'cat', around(cat, at))
  assert.deepEqual(again(cat), at)
  assert.deepEqual(again('so ' + cat), { from: 46, to: 49 })
  assert.equal(again(cat.replace('by the cat', 'by the cow')), null)
  assert.deepEqual(again('one cat'), { from: 4, to: 7 })
  assert.equal(again('no dog'), null)
  // whatever stands where what is around it begins and ends
  for (let i = 0; i < 40; i++) {
    const text = `${'e\u0301😀👍🏽'.repeat(9)}${'-'.repeat(i)}the cat${'-'.repeat(i)}${'😀e\u0301👍🏽'.repeat(9)} cat`
    const first = { from: text.indexOf('cat'), to: text.indexOf('cat') + 3 }
    assert.deepEqual(findAgain(text, 'cat', around(text, first)), first)
  }
})
