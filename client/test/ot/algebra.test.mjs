// The algebra: against saved vectors, against ot-text-unicode at random, and its laws.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import test from 'node:test'
import otText from 'ot-text-unicode'
import { compose, diff, equal, heap, invert, parse, points, print, split, Text, transform, transformPosition, untransformPosition, whole } from '../../src/ot/index.js'
import { random } from '../lib/random.mjs'

const other = otText.type
const apply = (text, op) => String(Text.of(text).apply(op).text)
const same = (a, b, message) => assert.deepEqual(print(a), print(b), message)
const inverse = (op, text) => invert(op, Text.of(text))

for (const [name, place] of [['of the repository', '../../../test/ot/vectors.jsonl'], ['shared by every implementation', '../../../../shared/vectors/textop.jsonl']]) {
  const url = new URL(place, import.meta.url)
  test(`the vectors ${name} are met`, { skip: fs.existsSync(url) ? false : `there is no ${place} here` }, () => {
    const lines = fs.readFileSync(url, 'utf8').split('\n').filter(Boolean)
    assert.ok(lines.length >= 300)
    for (const line of lines) {
      const v = JSON.parse(line)
      const [a, b, c] = [v.a, v.b, v.c].map(parse)
      assert.equal(apply(v.doc, a), v.apply_a, line)
      assert.equal(apply(v.apply_a, c), v.apply_a_c, line)
      assert.deepEqual(print(compose(a, c)), v.compose_a_c, line)
      assert.deepEqual(print(transform(a, b, 'left')), v.a_left_b, line)
      assert.deepEqual(print(transform(a, b, 'right')), v.a_right_b, line)
      assert.deepEqual(print(transform(b, a, 'left')), v.b_left_a, line)
      assert.deepEqual(print(transform(b, a, 'right')), v.b_right_a, line)
    }
  })
}

// Call with many random documents.
function many (count, seed, body) {
  for (let n = 0; n < count; n++) {
    const r = random(seed * 1_000_000 + n)
    const doc = r.text(12)
    body(r, doc, points(doc))
  }
}

test('apply, transform and transformPosition give what ot-text-unicode gives', () => {
  many(20_000, 1, (r, doc, length) => {
    const [a, b] = [r.op(length), r.op(length)]
    assert.equal(apply(doc, a), other.apply(doc, print(a)))
    for (const side of ['left', 'right']) assert.deepEqual(print(transform(a, b, side)), other.transform(print(a), print(b), side))
    const at = r.below(length + 1)
    assert.equal(transformPosition(at, a, 'left'), other.transformPosition(at, print(a)))
  })
})

test('two ops made at once lead to the same text in either order', () => {
  many(10_000, 2, (r, doc, length) => {
    const [a, b] = [r.op(length), r.op(length)]
    assert.equal(apply(apply(doc, a), transform(b, a, 'right')), apply(apply(doc, b), transform(a, b, 'left')))
  })
})

test('transforming as left over a composition is transforming over its parts, to the letter', () => {
  many(20_000, 3, (r, doc, length) => {
    const x = r.op(length)
    const b1 = r.op(length)
    const b2 = r.op(points(apply(doc, b1)))
    same(transform(transform(x, b1, 'left'), b2, 'left'), transform(x, compose(b1, b2), 'left'))
  })
  const [x, b1, b2] = [['bb'], [2, { d: 2 }], [2, 'aa']].map(parse)
  const y = parse([{ d: 2 }])
  for (const op of [x, y]) same(transform(transform(op, b1, 'left'), b2, 'left'), transform(op, compose(b1, b2), 'left'))
})

test('composing is associative, to the letter, and a pile composes to the same', () => {
  many(10_000, 4, (r, doc) => {
    const ops = []
    let text = doc
    for (let n = 0; n < 5; n++) {
      ops.push(r.op(points(text)))
      text = apply(text, ops[n])
    }
    const [a, b, c] = ops
    same(compose(compose(a, b), c), compose(a, compose(b, c)))
    assert.equal(apply(doc, ops.reduce(compose)), text)
    same(whole(ops.reduce(heap, [])), ops.reduce(compose))
  })
})

test('an inverse undoes', () => {
  many(10_000, 5, (r, doc, length) => {
    const a = r.op(length)
    assert.equal(apply(apply(doc, a), inverse(a, doc)), doc)
  })
})

test('a position after an op is taken back to where it was', () => {
  many(10_000, 6, (r, doc, length) => {
    const a = r.op(length)
    const at = r.below(length + 1)
    const after = transformPosition(at, a, 'right')
    const back = untransformPosition(after, a)
    // it comes back, but to an end of what was deleted around it
    assert.equal(transformPosition(back, a, 'right'), after)
  })
})

test('an op is cut into pieces that say the same and are short enough', () => {
  many(5_000, 7, (r, doc, length) => {
    const a = r.op(length, 12)
    const limit = 30 + r.below(60)
    const pieces = []
    for (let rest = a; rest.length > 0;) {
      const [first, second] = split(rest, limit)
      assert.ok(first.length > 0)
      assert.ok(first.length <= 2 || Buffer.byteLength(JSON.stringify(print(first))) <= limit)
      pieces.push(first)
      rest = second
    }
    same(pieces.reduce(compose, []), a)
  })
  const long = parse(['漢\u0001"😀'.repeat(100_000)])
  let [piece, rest] = split(long, 200_000)
  const size = Buffer.byteLength(JSON.stringify(print(piece)))
  assert.ok(size <= 200_000 && size > 100_000, String(size))
  same(compose(piece, rest), long)
})

// The length of the shortest difference, by the book.
function shortest (a, b) {
  const rows = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0))
  for (let i = 1; i <= a.length; i++) for (let j = 1; j <= b.length; j++) rows[i][j] = a[i - 1] === b[j - 1] ? rows[i - 1][j - 1] + 1 : Math.max(rows[i - 1][j], rows[i][j - 1])
  return a.length + b.length - 2 * rows[a.length][b.length]
}

test('the difference of two texts is right, and the shortest', () => {
  many(10_000, 8, (r, doc) => {
    const to = r.below(2) ? r.text(12) : apply(doc, r.op(points(doc), 6))
    const op = diff(doc, to)
    assert.equal(apply(doc, op), to)
    assert.equal(op.reduce((sum, part) => sum + (part.kind === 0 ? 0 : part.length), 0), shortest([...doc], [...to]), `${JSON.stringify(doc)} ${JSON.stringify(to)}`)
  })
})

test('the difference of long texts that have nothing in common is found in time', () => {
  const r = random(9)
  const a = Array.from({ length: 300_000 }, () => r.pick('abcdef')).join('')
  const b = Array.from({ length: 300_000 }, () => r.pick('defghi')).join('')
  assert.equal(apply(a, diff(a, b)), b)
})

test('what is no op is refused with a reason', () => {
  for (const bad of [null, 5, 'x', {}, [0], [-1], [1.5], [{}], [{ d: 0 }], [{ d: '1' }], [null], [[1]], [2 ** 53]]) assert.throws(() => parse(bad), TypeError)
  assert.throws(() => parse(['a\0b']), /U\+0000/)
  assert.throws(() => parse(['a\ud800']), /lone surrogates/)
  assert.throws(() => parse(['\udc00']), /lone surrogates/)
  same(parse([1, 2, 'a', 'b', { d: 1 }, { d: 2 }, 4]), parse([3, 'ab', { d: 3 }]))
  assert.ok(equal(parse([1, 'a']), parse([1, 'a'])) && !equal(parse([1, 'a']), parse([1, 'b'])))
  assert.throws(() => Text.of('ab').apply(parse([3, 'x'])), RangeError)
})
