// What an answer may be, and what of it counts.

import assert from 'node:assert/strict'
import test from 'node:test'
import { LIMITS, read } from '../answer.js'

const comment = { kind: 'comment', quote: 'a passage', before: '', after: '', occurrence: null, body: 'Why?', replacement: null }
const suggestion = { ...comment, kind: 'suggestion', replacement: 'another passage' }
const one = remark => {
  const { remarks, dropped } = read(JSON.stringify({ remarks: [remark] }))
  assert.equal(remarks.length + dropped.length, 1)
  return remarks[0] ?? dropped[0].why
}

test('remarks are read as the schema has them', () => {
  assert.deepEqual(read(JSON.stringify({ remarks: [comment, suggestion] })), { remarks: [comment, suggestion], dropped: [] })
  assert.deepEqual(read('{"remarks":[]}'), { remarks: [], dropped: [] })
})

test('thoughts and a fence around the JSON are taken off', () => {
  const json = JSON.stringify({ remarks: [comment] })
  for (const text of [` ${json}\n`, '```json\n' + json + '\n```', '<think>{"remarks": []} or so</think>\n' + json, '```\n' + json + '\n```\n']) assert.deepEqual(read(text)?.remarks, [comment], text)
})

test('what is no JSON object with remarks is no answer', () => {
  for (const text of ['', 'null', '17', '"remarks"', '[]', '{}', '{"remarks":{}}', '{"remarks":[', 'Sure! Here it is: {"remarks":[]}', '{"remarks":[]} and more']) assert.equal(read(text), null, text)
})

test('fields that are not in the schema have no effect', () => {
  const { remarks } = read(JSON.stringify({ role: 'owner', remarks: [{ ...comment, from: 0, to: 5, id: 'x', command: 'delete', __proto__: { kind: 'x' } }], resolve: true }))
  assert.deepEqual(remarks, [comment])
})

test('a remark that breaks a rule is dropped, and the others stay', () => {
  const { remarks, dropped } = read(JSON.stringify({ remarks: [null, 7, 'text', [], { ...comment, kind: 'delete' }, { ...comment, kind: 'constructor' }, comment] }))
  assert.deepEqual([remarks, dropped.length], [[comment], 6])
  for (const [remark, why] of [
    [{ ...comment, quote: '' }, /no quote/], [{ ...comment, quote: ' \n' }, /no quote/], [{ ...comment, quote: 5 }, /no quote/],
    [{ ...comment, body: undefined }, /no body/], [{ ...comment, body: ' ' }, /empty/],
    [{ ...comment, occurrence: 0 }, /occurrence/], [{ ...comment, occurrence: 1.5 }, /occurrence/], [{ ...comment, occurrence: '1' }, /occurrence/],
    [{ ...suggestion, replacement: null }, /no replacement/], [{ ...suggestion, replacement: 'a passage' }, /changes nothing/],
    [{ ...suggestion, replacement: 'a\0b' }, /can be in/], [{ ...suggestion, replacement: 'a\ud800' }, /can be in/], [{ ...suggestion, replacement: 'a\r\nb' }, /can be in/]
  ]) assert.match(one(remark), why)
})

test('each field has its most characters, counted as people do', () => {
  const long = (name, most) => '😀'.repeat(most)
  for (const [base, name, most] of [[comment, 'quote', LIMITS.quote], [comment, 'before', LIMITS.before], [comment, 'after', LIMITS.after], [comment, 'body', LIMITS.comment], [suggestion, 'body', LIMITS.suggestion], [suggestion, 'replacement', LIMITS.replacement]]) {
    assert.equal(typeof one({ ...base, [name]: long(name, most) }), 'object', name)
    assert.match(one({ ...base, [name]: long(name, most + 1) }), /longer than/, name)
  }
  assert.equal(LIMITS.suggestion <= 1000 && LIMITS.comment <= 10_000, true, 'what the server takes')
})

test('a suggestion may take a passage away, and needs no words', () => {
  assert.deepEqual(one({ ...suggestion, replacement: '', body: '' }), { ...suggestion, replacement: '', body: '' })
})

test('a body is what a reader sees of it', () => {
  assert.equal(one({ ...comment, body: ' a\u001b[31mb\u202ec\u200b\tok\r\nnext\0 ' }).body, 'a[31mbc\tok\nnext\ufffd')
})

test('no remark brings a link that the text has not at that place', () => {
  for (const body of ['see https://example.org/x', 'HTTP://EXAMPLE.ORG', 'www.example.org', 'javascript:alert(1)', 'mailto:ann@example.org']) {
    assert.match(one({ ...comment, body }), /link/, body)
    assert.match(one({ ...suggestion, replacement: body }), /link/, body)
  }
  assert.equal(typeof one({ ...comment, quote: 'at https://example.org now', body: 'Is https://example.org, really, right?' }), 'object')
  assert.match(one({ ...comment, quote: 'at https://example.org now', body: 'use https://example.org.example.com' }), /link/)
  assert.equal(typeof one({ ...comment, body: 'The data: where is it from?' }), 'object')
})

test('a replacement hides nothing', () => {
  for (const sign of ['\u202e', '\u200b', '\ufeff', '\u{e0041}', '\u001b']) {
    assert.match(one({ ...suggestion, replacement: `pass${sign}age` }), /cannot be seen/)
    assert.equal(typeof one({ ...suggestion, quote: `a${sign}passage`, replacement: `b${sign}passage` }), 'object')
  }
  assert.equal(typeof one({ ...suggestion, replacement: 'नमस्\u200dते 👩\u200d🔬' }), 'object', 'joiners are part of words and emoji')
})
