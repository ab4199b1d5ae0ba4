// Texts in chunks, and changes in UTF-16 offsets, against plain strings.

import assert from 'node:assert/strict'
import test from 'node:test'
import { clean, parse, points, print, Text, toOp } from '../../src/ot/index.js'
import { random } from '../lib/random.mjs'

test('a text that is edited for long is what a string would be, and its chunks stay of a good size', () => {
  for (const seed of [1, 2, 3]) {
    const r = random(seed)
    let plain = seed === 1 ? '' : r.text(20_000)
    let text = Text.of(plain)
    for (let n = 0; n < 3_000; n++) {
      const from = r.below(plain.length + 1)
      const to = Math.min(plain.length, from + (r.below(3) ? r.below(4) : r.below(n % 500 ? 300 : 6_000)))
      const change = { from, to, insert: r.below(3) ? r.text(n % 400 ? 4 : 12_000) : '' }
      const op = toOp(text, [change])
      const after = text.apply(op)
      // the changes told, made on the string, give the text
      for (const { from, to, insert } of after.changes.reverse()) plain = plain.slice(0, from) + insert + plain.slice(to)
      text = after.text
      if (n % 100 === 0) assert.equal(String(text), plain)
      assert.equal(text.length, plain.length)
    }
    assert.equal(new Text(text.chunks, 0, 0).toString(), plain)
    assert.equal(text.points, points(plain))
    text.chunks.forEach(chunk => assert.ok(chunk.text.length <= 8192 + 4096 && chunk.length === points(chunk.text)))
    assert.ok(text.chunks.length <= 2 + plain.length / 500, `${text.chunks.length} chunks for ${plain.length}`)
    for (let n = 0; n < 500; n++) {
      const at = r.below(plain.length + 1)
      const point = text.point(at)
      assert.equal(point, points(clean(plain.slice(0, at)).length === at && /[\ud800-\udbff]$/.test(plain.slice(0, at)) ? plain.slice(0, at - 1) : plain.slice(0, at)))
      const offset = text.offset(point)
      assert.ok(offset === at || offset === at - 1)
      const end = r.below(plain.length + 1)
      assert.equal(text.slice(at, end), plain.slice(at, Math.max(at, end)))
    }
  }
})

test('several changes at once are all of the text before', () => {
  const text = Text.of('one 😀 two')
  const op = toOp(text, [{ from: 7, to: 10, insert: 'zwei' }, { from: 0, to: 3, insert: 'eins' }, { from: 4, to: 6, insert: '' }])
  assert.equal(String(text.apply(op).text), 'eins  zwei')
  assert.deepEqual(print(op), ['eins', { d: 3 }, 1, { d: 1 }, 1, 'zwei', { d: 3 }])
})

test('half a character that is changed is the whole of it', () => {
  const text = Text.of('a😀b')
  const changed = (...changes) => String(text.apply(toOp(text, changes)).text)
  // 😀 is d83d de00, 😁 d83d de01: an editor that compares units changes only the second
  assert.equal(changed({ from: 2, to: 3, insert: '\ude01' }), 'a😁b')
  assert.equal(changed({ from: 1, to: 2, insert: '\ud83e' }), 'a\u{1fa00}b')
  assert.equal(changed({ from: 2, to: 3, insert: '' }), 'a\ufffdb')
  assert.equal(changed({ from: 2, to: 2, insert: '-' }), 'a\ufffd-\ufffdb')
  assert.equal(changed({ from: 1, to: 2, insert: '' }, { from: 2, to: 3, insert: '' }), 'ab')
  assert.equal(changed({ from: 1, to: 1, insert: '\ud83d' }, { from: 1, to: 1, insert: '\ude01' }), 'a😁😀b')
})

test('what is typed is cleaned: line ends, lone surrogates, U+0000', () => {
  assert.equal(clean('a\r\nb\rc\nd'), 'a\nb\nc\nd')
  assert.equal(clean('\ud800a\udc00😀\ud83d'), '\ufffda\ufffd😀\ufffd')
  assert.equal(clean('a\0b'), 'a\ufffdb')
  assert.equal(clean('plain 漢 e\u0301'), 'plain 漢 e\u0301')
  const text = Text.of('x\r\ny')
  assert.equal(String(text.apply(toOp(text, [{ from: 1, to: 3, insert: '\r\n' }])).text), 'x\ny')
})

test('changes that cannot be are refused, with the numbers', () => {
  const text = Text.of('abc')
  assert.throws(() => toOp(text, [{ from: 0, to: 4, insert: '' }]), /from 0 to 4.*length is 3/)
  assert.throws(() => toOp(text, [{ from: -1, to: 1, insert: '' }]), RangeError)
  assert.throws(() => toOp(text, [{ from: 2, to: 1, insert: '' }]), RangeError)
  assert.throws(() => toOp(text, [{ from: 0.5, to: 1, insert: '' }]), RangeError)
  assert.throws(() => toOp(text, [{ from: 0, to: 2, insert: '' }, { from: 1, to: 3, insert: '' }]), /overlap/)
  assert.throws(() => toOp(text, [{ from: 0, to: 0, insert: 5 }]), TypeError)
  assert.deepEqual(parse([]), toOp(text, []))
})

test('typing at the end, at the beginning and about leaves no crumbs', () => {
  for (const at of [length => length, () => 0, (length, n) => n * 7919 % (length + 1)]) {
    let text = Text.of('a line 😀\n'.repeat(1000))
    for (let n = 0; n < 5000; n++) ({ text } = text.apply(toOp(text, [{ from: at(text.length, n), insert: 'x' }])))
    assert.ok(text.chunks.length < 40, `${text.chunks.length} chunks of ${text.length} units`)
  }
})
