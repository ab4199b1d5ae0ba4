// Long texts are cut into parts that are asked about one by one.

import assert from 'node:assert/strict'
import test from 'node:test'
import { random } from '../../test/lib/random.mjs'
import { cut, halve } from '../parts.js'

const strings = (text, parts) => parts.map(({ from, to }) => text.slice(from, to))

test('a short text is one part, an empty one none', () => {
  assert.deepEqual(cut('one line', 100), [{ from: 0, to: 8 }])
  assert.deepEqual(cut('', 100), [])
})

test('a part ends after an empty line, else a line, a sentence, a word', () => {
  const cuts = text => strings(text, cut(text, 20))[0]
  assert.equal(cuts('a first one\n\nb c. d\ne f g h i j'), 'a first one\n\n')
  assert.equal(cuts('a first one b\nc. d e f g h i j'), 'a first one b\n')
  assert.equal(cuts('a first one b. c d e f g h i j'), 'a first one b. ')
  assert.equal(cuts('a first one bcdefghijklmnopqrstu'), 'a first one ')
  assert.equal(cuts('abcdefghijklmnopqrstuvwxyz'), 'abcdefghijklmnopqrst')
})

test('parts are the whole text, none too long, and cut no character in two', () => {
  const rand = random(7)
  const signs = ['a', 'é', '漢', '😀', ' ', '. ', '\n', '\n\n', 'e\u0301']
  for (let i = 0; i < 500; i++) {
    const text = Array.from({ length: rand.below(200) }, () => signs[rand.below(signs.length)]).join('')
    const most = 2 + rand.below(40)
    const parts = strings(text, cut(text, most))
    assert.equal(parts.join(''), text)
    for (const part of parts) assert.ok(part.length > 0 && part.length <= most && part.isWellFormed(), JSON.stringify([text, most, part]))
  }
})

test('a part is cut in two inside itself', () => {
  const text = 'before. ' + 'some words '.repeat(10) + 'after'
  const halves = halve(text, { from: 8, to: 8 + 110 })
  assert.ok(halves.length >= 2 && halves.length <= 3)
  assert.equal(strings(text, halves).join(''), text.slice(8, 118))
})
