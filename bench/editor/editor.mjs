#!/usr/bin/env node
// The client with its CodeMirror binding beside a bare CodeMirror state and Yjs with its
// own binding, in one process, on states without a page:
//
//   arrival     a recorded text arrives, an edit a message, until the editor has it
//   open        the whole text arrives, until the editor has it
//   keystroke   one's own in a text of 10 MB, without the editor's part
//
//   node editor.mjs trace.json.gz [rounds]
//
// Contestants take turns; a figure is the median of the rounds, a ratio the median of the
// rounds' ratios.

import fs from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { EditorState as YState } from '@codemirror/state'
import * as Y from 'yjs'
import { ySync, ySyncFacet, YSyncConfig } from 'y-codemirror.next'
import { ChangeSet, EditorState } from '../../client/node_modules/@codemirror/state/dist/index.js'
import { converge } from '../../client/src/codemirror.js'
import { Client } from '../../client/src/index.js'

const [file, rounds = '3'] = process.argv.slice(2)
const { startContent, endContent, txns } = JSON.parse(gunzipSync(fs.readFileSync(file)))
const patches = txns.flatMap(txn => txn.patches)

/** A view without a page: a state, and the plugin that binds it. */
class View {
  constructor (state) {
    Object.assign(this, { state, plugin: null, hasFocus: false, composing: false, compositionStarted: false })
  }

  dispatch (spec) {
    const transaction = this.state.update(spec)
    this.state = transaction.state
    this.plugin.update({ view: this, state: transaction.state, startState: transaction.startState, transactions: [transaction], changes: transaction.changes, docChanged: transaction.docChanged, focusChanged: false })
  }
}

// ---- the contestants ----

let documents = 0

/** A document that is joined, and what comes for it. */
function joined (content, withView) {
  const client = new Client({ url: 'http://relay.example.org', token: () => null, WebSocket: class { readyState = 0; close () {} } })
  const doc = client.open(`document-${++documents}`)
  let view = null
  if (withView) {
    const extensions = converge(doc, { cursors: false })
    view = new View(EditorState.create({ extensions }))
    view.plugin = extensions[0].create(view)
  }
  const take = message => doc.sync.receive(message)
  const open = () => {
    take({ type: 'joined', userId: 'ann', clientId: 'one', role: 'editor', title: '', version: 0, sequenceId: 0 })
    take({ type: 'snapshot', content, version: 0, sequenceId: 0 })
  }
  return { doc, view, take, open, close: () => client.close() }
}

const entries = patches.map(([at, gone, text], i) => ({
  type: 'ops',
  ops: [{ version: i + 1, sequenceId: i + 1, operationId: `op-${i}`, userId: 'ben', op: [...(at > 0 ? [at] : []), ...(text === '' ? [] : [text]), ...(gone > 0 ? [{ d: gone }] : [])] }]
}))

async function convergeArrival () {
  const { view, take, open, close } = joined(startContent, true)
  open()
  await null
  await null
  for (const message of entries) {
    take(message)
    await null
  }
  await null
  if (view.state.doc.toString() !== endContent) throw new Error('converge ends with another text')
  await close()
}

async function bareArrival () {
  let state = EditorState.create({ doc: startContent })
  for (const [from, gone, insert] of patches) {
    state = state.update({ changes: ChangeSet.of({ from, to: from + gone, insert }, state.doc.length), filter: false }).state
    await null
  }
  if (state.doc.toString() !== endContent) throw new Error('CodeMirror ends with another text')
}

/** Yjs' updates, an edit each. */
const updates = []
const source = new Y.Doc()
source.getText().insert(0, startContent)
const begun = Y.encodeStateAsUpdate(source)
source.on('update', update => updates.push(update))
for (const [at, gone, text] of patches) {
  source.transact(() => {
    if (gone > 0) source.getText().delete(at, gone)
    if (text !== '') source.getText().insert(at, text)
  })
}
const whole = Y.encodeStateAsUpdate(source)

function yjs () {
  const doc = new Y.Doc()
  const view = new View(YState.create({ extensions: [ySyncFacet.of(new YSyncConfig(doc.getText(), null)), ySync] }))
  view.plugin = ySync.create(view)
  return { doc, view }
}

async function yjsArrival () {
  const { doc, view } = yjs()
  Y.applyUpdate(doc, begun)
  for (const update of updates) {
    Y.applyUpdate(doc, update)
    await null
  }
  if (view.state.doc.toString() !== endContent) throw new Error('Yjs ends with another text')
}

async function convergeOpen () {
  const { doc, view, open, close } = joined(endContent, true)
  const started = performance.now()
  open()
  await doc.loaded
  while (view.state.doc.length !== endContent.length) await null
  const took = performance.now() - started
  await close()
  return took
}

async function yjsOpen () {
  const { doc, view } = yjs()
  const started = performance.now()
  Y.applyUpdate(doc, whole)
  if (view.state.doc.length !== endContent.length) throw new Error('Yjs opened another text')
  return performance.now() - started
}

// ---- keystrokes ----

const LARGE = 10_000_000
const KEYS = 2000
const large = endContent.repeat(Math.ceil(LARGE / endContent.length)).slice(0, LARGE)
/** Runs of keys at one place, as people type. */
const places = Array.from({ length: KEYS }, (_, i) => (Math.floor(i / 20) * 99_991) % LARGE + i % 20)

/** Times of keys: the one that 99 of 100 take less than. */
function slow (press) {
  const times = places.map(at => {
    const started = performance.now()
    press(at)
    return performance.now() - started
  })
  return times.sort((a, b) => a - b)[Math.floor(KEYS * 0.99)]
}

async function convergeKeys () {
  const { doc, open, close } = joined(large, false)
  open()
  const took = slow(from => doc.edit({ from, insert: 'x' }))
  await close()
  return took
}

async function yjsKeys () {
  const doc = new Y.Doc()
  doc.getText().insert(0, large)
  return slow(at => doc.getText().insert(at, 'x'))
}

// ---- figures ----

const median = numbers => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]

async function timed (work) {
  globalThis.gc?.()
  const started = performance.now()
  const took = await work()
  return took ?? performance.now() - started
}

async function compare (what, contestants, aim) {
  const figures = Object.fromEntries(Object.keys(contestants).map(name => [name, []]))
  for (let round = 0; round < Number(rounds); round++) {
    for (const [name, work] of Object.entries(contestants)) figures[name].push(await timed(work))
  }
  for (const [name, times] of Object.entries(figures)) {
    const ratio = median(times.map((time, i) => figures.converge[i] / time))
    console.log(`${what.padEnd(10)} ${name.padEnd(20)} ${median(times).toFixed(3).padStart(10)} ms${name === 'converge' ? '' : `   converge takes ${ratio.toFixed(2)} of it`}`)
  }
  console.log(`${what.padEnd(10)} aim: ${aim}`)
}

console.log(`${patches.length} edits, ${endContent.length} characters, ${rounds} rounds`)
await compare('arrival', { converge: convergeArrival, 'bare CodeMirror': bareArrival, Yjs: yjsArrival }, 'at most 2 of a bare CodeMirror')
await compare('open', { converge: convergeOpen, Yjs: yjsOpen }, 'at most 5 ms for 105 KB')
await compare('keystroke', { converge: convergeKeys, Yjs: yjsKeys }, 'p99 of at most 0.1 ms')
process.exit()
