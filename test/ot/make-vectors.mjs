// Writes vectors.jsonl to standard output: random cases that the C core, the SQL
// functions and the JavaScript client must all answer alike.
//
//   node make-vectors.mjs [count [seed]] > vectors.jsonl
//
// A line is a JSON object:
//   doc, a, b             a document, and two ops made against it
//   apply_a               the document after a
//   c, apply_a_c          an op made against apply_a, and the document after it
//   compose_a_c           a, then c, as one op
//   a_left_b, a_right_b   a transformed over b, going before or after it at a tie
//   b_left_a, b_right_a   b transformed over a, likewise
//
// The model is plain: an op is a list of single characters that are kept, deleted
// or inserted. Where the package ot-text-unicode can be found from the working
// directory, its apply and transform must agree; standard error says whether they
// were asked.

import { createRequire } from 'node:module'

const count = Number(process.argv[2] ?? 300)
let state = Number(process.argv[3] ?? 20260131) >>> 0

// mulberry32: the same numbers everywhere.
function random() {
  state = (state + 0x6d2b79f5) >>> 0
  let t = state
  t = Math.imul(t ^ (t >>> 15), t | 1)
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}
const below = (n) => Math.floor(random() * n)
const pick = (list) => list[below(list.length)]

// Every width, combining marks, a joiner, and what JSON escapes.
const ALPHABET = ['a', 'b', 'z', ' ', '"', '\\', '/', '\n', '\t', '\u0001', '\u007f',
  '\u00e9', '\u00df', '\u0301', '\u0308', '\u0416', '\u200d', '\u2028', '\u6f22', '\u5b57',
  '\uffff', '\u{1d4b3}', '\u{1f469}', '\u{1f600}', '\u{10ffff}']

const KEEP = { kind: 'keep' }
const DELETE = { kind: 'delete' }
const insertion = (text) => ({ kind: 'insert', text })

// ---- characters and ops ----

const charsOf = (text) => Array.from(text)

// Characters, one by one, to the public form with its components merged.
function toOp(chars) {
  const op = []
  for (const char of chars) {
    const last = op[op.length - 1]
    if (char.kind === 'keep') {
      if (typeof last === 'number') op[op.length - 1]++
      else op.push(1)
    } else if (char.kind === 'delete') {
      if (typeof last === 'object') last.d++
      else op.push({ d: 1 })
    } else if (typeof last === 'string') op[op.length - 1] += char.text
    else op.push(char.text)
  }
  if (typeof op[op.length - 1] === 'number') op.pop()
  return op
}

function apply(doc, chars) {
  const rest = charsOf(doc)
  let out = ''
  for (const char of chars) {
    if (char.kind === 'insert') out += char.text
    else {
      const next = rest.shift()
      if (char.kind === 'keep') out += next
    }
  }
  return out + rest.join('')
}

function transform(mine, theirs, side) {
  const rest = mine.slice()
  const out = []
  const putInserts = () => {
    while (rest.length > 0 && rest[0].kind === 'insert') out.push(rest.shift())
  }
  for (const their of theirs) {
    if (their.kind === 'insert') {
      if (side === 'left') putInserts()
      out.push(KEEP)
    } else {
      putInserts()
      const next = rest.shift() ?? KEEP
      if (their.kind === 'keep') out.push(next)
    }
  }
  return out.concat(rest)
}

function compose(first, second) {
  const earlier = first.slice()
  const later = second.slice()
  const out = []
  while (earlier.length > 0 || later.length > 0) {
    if (earlier[0]?.kind === 'delete') out.push(earlier.shift())
    else if (later[0]?.kind === 'insert') out.push(later.shift())
    else {
      const made = earlier.shift() ?? KEEP
      const wish = later.shift() ?? KEEP
      if (wish.kind === 'keep') out.push(made)
      else if (made.kind === 'keep') out.push(DELETE)
    }
  }
  return out
}

// ---- random cases ----

const randomText = (length, ascii) =>
  Array.from({ length }, () => (ascii ? pick(['a', 'b', 'c', ' ']) : pick(ALPHABET))).join('')

// Few ops that do nothing: they have little to show.
function randomOp(doc, longest) {
  let chars
  do chars = randomChars(doc, longest)
  while (toOp(chars).length === 0 && random() < 0.9)
  return chars
}

function randomChars(doc, longest) {
  const chars = []
  const calm = 1 + below(4)
  let left = charsOf(doc).length
  do {
    const choice = below(2 + calm)
    const run = 1 + below(longest)
    if (choice === 0) {
      chars.push(...charsOf(randomText(run, random() < 0.4)).map(insertion))
    } else {
      for (let i = 0; i < run && left > 0; i++, left--) chars.push(choice === 1 ? DELETE : KEEP)
    }
  } while (left > 0 || random() < 0.4)
  return chars
}

// Short documents meet at ties; long ones need more than a byte for a length.
function randomSizes(number) {
  if (number % 30 === 29) return { document: 200 + below(400), longest: 150 }
  if (number % 5 === 4) return { document: below(40), longest: 12 }
  return { document: below(6), longest: 3 }
}

const resolve = () => {
  try {
    return createRequire(process.cwd() + '/')('ot-text-unicode').type
  } catch {
    return null
  }
}
const reference = resolve()

function agree(what, mine, theirs) {
  if (JSON.stringify(mine) !== JSON.stringify(theirs)) {
    throw new Error(`${what}: ${JSON.stringify(mine)} here, ${JSON.stringify(theirs)} there`)
  }
}

function vector(number) {
  const sizes = randomSizes(number)
  const doc = randomText(sizes.document, random() < 0.2)
  const a = randomOp(doc, sizes.longest)
  const b = randomOp(doc, sizes.longest)
  const applied = apply(doc, a)
  const c = randomOp(applied, sizes.longest)
  const result = {
    doc,
    a: toOp(a),
    b: toOp(b),
    c: toOp(c),
    apply_a: applied,
    a_left_b: toOp(transform(a, b, 'left')),
    a_right_b: toOp(transform(a, b, 'right')),
    b_left_a: toOp(transform(b, a, 'left')),
    b_right_a: toOp(transform(b, a, 'right')),
    apply_a_c: apply(applied, c),
    compose_a_c: toOp(compose(a, c))
  }
  if (reference) {
    agree('apply', result.apply_a, reference.apply(doc, result.a))
    agree('apply', result.apply_a_c, reference.apply(applied, result.c))
    for (const side of ['left', 'right']) {
      agree('transform', result[`a_${side}_b`], reference.transform(result.a, result.b, side))
      agree('transform', result[`b_${side}_a`], reference.transform(result.b, result.a, side))
    }
  }
  return JSON.stringify(result)
}

for (let number = 0; number < count; number++) process.stdout.write(vector(number) + '\n')
process.stderr.write(reference ? 'ot-text-unicode agrees\n' : 'ot-text-unicode was not asked\n')
