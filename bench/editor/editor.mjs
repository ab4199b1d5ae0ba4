#!/usr/bin/env node
// The client with its CodeMirror binding beside a bare CodeMirror state, Yjs with its own
// binding, and ShareDB's client with a binding of a few lines (it has none for CodeMirror), in
// one process, on states without a page:
//
//   arrival     a recorded text arrives, an edit a message, until the editor has it
//   open        the whole text arrives, until the editor has it
//   keystroke   one's own in a text of 10 MB, without the editor's part; ShareDB's in 1 MB,
//               since a key takes it milliseconds
//   memory      what a text of 10 MB takes with 1,000 edits made, without an editor
//   offline     a key is typed without a connection, until it is stored in (a fake) IndexedDB
//
//   node editor.mjs trace.json.gz [rounds]
//
// Contestants take turns; a figure is the median of the rounds, a ratio the median of the
// rounds' ratios.

import fs from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { EditorState as YState } from '@codemirror/state'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { type as unicode } from 'ot-text-unicode'
import sharedb from 'sharedb/lib/client/index.js'
import { IndexeddbPersistence } from 'y-indexeddb'
import * as Y from 'yjs'
import { ySync, ySyncFacet, YSyncConfig } from 'y-codemirror.next'
import { ChangeSet, EditorState } from '../../client/node_modules/@codemirror/state/dist/index.js'
import { converge } from '../../client/src/codemirror.js'
import { Client } from '../../client/src/index.js'
import { indexeddb } from '../../client/src/indexeddb.js'

const [file, rounds = '3'] = process.argv.slice(2)
const { startContent, endContent, txns } = JSON.parse(gunzipSync(fs.readFileSync(file)))
const patches = txns.flatMap(txn => txn.patches)
const turn = () => new Promise(resolve => setImmediate(resolve))
Object.assign(globalThis, { IDBKeyRange, indexedDB: new IDBFactory() })
sharedb.types.register(unicode)

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

/** A document that is being joined, and what comes for it, in the text that a socket gives. */
async function joined (content, withView, storage) {
  let socket
  const client = new Client({
    url: 'http://relay.example.org',
    token: () => `.${btoa(JSON.stringify({ sub: 'ann' }))}.`,
    storage,
    WebSocket: class {
      readyState = 1
      constructor () { socket = this }
      send () {}
      close () {}
    }
  })
  const doc = client.open(`document-${++documents}`)
  while (socket === undefined) await turn()
  let view = null
  if (withView) {
    const extensions = converge(doc, { cursors: false })
    view = new View(EditorState.create({ extensions }))
    view.plugin = extensions[0].create(view)
  }
  const take = data => socket.onmessage({ data })
  /** @type {string | null} not kept, where memory is looked at */
  let snapshot = JSON.stringify({ type: 'snapshot', content, version: 0, sequenceId: 0 })
  const open = () => {
    const data = snapshot
    snapshot = null
    take(data)
  }
  socket.onopen()
  take(JSON.stringify({ type: 'joined', userId: 'ann', clientId: 'one', role: 'editor', title: '', version: 0, life: 'one', resumed: false, users: [] }))
  return { doc, view, take, open, lose: () => socket.onclose({ code: 1006 }), close: () => client.close() }
}

const wires = patches.map(([at, gone, text]) => [...(at > 0 ? [at] : []), ...(text === '' ? [] : [text]), ...(gone > 0 ? [{ d: gone }] : [])])
const entries = wires.map((op, i) => JSON.stringify({ type: 'ops', ops: [{ version: i + 1, sequenceId: i + 1, operationId: `op-${i}`, userId: 'ben', baseVersion: i, at: '2026-01-01T00:00:00Z', op }] }))

async function convergeArrival () {
  const { view, take, open, close } = await joined(startContent, true)
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
  const { doc, view, open, close } = await joined(endContent, true)
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

/** ShareDB's client with a document that comes, and a state that shows it. */
function shareDB (content, withView) {
  let state = EditorState.create({ doc: '' })
  const socket = { readyState: 1, send () {}, close () {} }
  const connection = new sharedb.Connection(socket)
  const take = data => socket.onmessage({ data })
  const handshake = JSON.stringify({ a: 'hs', protocol: 1, protocolMinor: 2, id: 'one', type: sharedb.types.defaultType.uri })
  take(handshake)
  const doc = connection.get('documents', 'one')
  doc.subscribe()
  const insert = (changes, length) => { state = state.update({ changes: ChangeSet.of(changes, length), filter: false }).state }
  if (withView) {
    doc.on('load', () => insert({ from: 0, insert: doc.data }, 0))
    doc.on('op', (op, source) => {
      if (source) return
      let at = 0
      const changes = []
      for (const part of op) {
        if (typeof part === 'number') at += part
        else if (typeof part === 'string') changes.push({ from: at, insert: part })
        else changes.push({ from: at, to: at += typeof part.d === 'number' ? part.d : part.d.length })
      }
      insert(changes, state.doc.length)
    })
  }
  const snapshot = JSON.stringify({ a: 's', c: 'documents', d: 'one', data: { v: 1, type: unicode.uri, data: content } })
  return { doc, take, open: () => take(snapshot), get state () { return state }, close: () => connection.close() }
}

const shared = wires.map((op, i) => JSON.stringify({ a: 'op', c: 'documents', d: 'one', v: i + 1, src: 'ben', seq: i + 1, op }))

async function shareDBArrival () {
  const share = shareDB(startContent, true)
  share.open()
  await turn()
  for (const message of shared) {
    share.take(message)
    await null
  }
  if (share.state.doc.toString() !== endContent) throw new Error('ShareDB ends with another text')
  share.close()
}

async function shareDBOpen () {
  const share = shareDB(endContent, true)
  const started = performance.now()
  share.open()
  while (share.state.doc.length !== endContent.length) await null
  const took = performance.now() - started
  share.close()
  return took
}

// ---- keystrokes ----

const LARGE = 10_000_000
const KEYS = 2000
const large = endContent.repeat(Math.ceil(LARGE / endContent.length)).slice(0, LARGE)
/** Runs of keys at one place, as people type. */
const places = Array.from({ length: KEYS }, (_, i) => (Math.floor(i / 20) * 99_991) % (LARGE / 10) * 9 + i % 20)

/** Times of keys, once the program is warm: the one that 99 of 100 take less than. */
function slow (press) {
  for (const at of places) press(at + 7)
  const times = places.map(at => {
    const started = performance.now()
    press(at)
    return performance.now() - started
  })
  return times.sort((a, b) => a - b)[Math.floor(KEYS * 0.99)]
}

async function convergeKeys () {
  const { doc, open, close } = await joined(large, false)
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

async function shareDBKeys () {
  const share = shareDB(large.slice(0, LARGE / 10), false)
  share.open()
  await turn()
  const took = slow(at => share.doc.submitOp([1 + at % (LARGE / 10 - 1), 'x']))
  share.close()
  return took
}

// ---- memory: in place of milliseconds, sizes of the text ----

async function held (make) {
  const used = () => {
    globalThis.gc?.()
    globalThis.gc?.()
    return process.memoryUsage().heapUsed
  }
  const before = used()
  const { edit, keep } = await make()
  for (let n = 0; n < 1000; n++) edit((n * 9973) % LARGE)
  await turn()
  const bytes = used() - before
  await keep.close()
  return bytes / LARGE
}

/** The text as a message brings it: not the one that this program has. */
const copied = () => Buffer.from(large).toString()

const convergeMemory = () => held(async () => {
  const made = await joined(copied(), false)
  made.open()
  return { edit: from => made.doc.edit({ from, insert: 'x' }), keep: { close: made.close, doc: made.doc } }
})
const yjsMemory = () => held(async () => {
  const doc = new Y.Doc()
  doc.getText().insert(0, copied())
  return { edit: at => doc.getText().insert(at, 'x'), keep: { close () {}, doc } }
})

// ---- offline ----

const KEYS_OFFLINE = 200

async function convergeOffline () {
  const { doc, open, lose, close } = await joined(endContent, false, indexeddb({ indexedDB: new IDBFactory() }))
  open()
  lose()
  doc.edit({ from: 0, insert: 'first' }) // with it the text is stored
  while (!doc.offline.safe) await turn()
  await doc.offline.keeper.flush()
  const started = performance.now()
  for (let n = 0; n < KEYS_OFFLINE; n++) {
    doc.edit({ from: n, insert: 'x' })
    await doc.offline.keeper.flush()
  }
  const took = (performance.now() - started) / KEYS_OFFLINE
  await close()
  return took
}

async function yjsOffline () {
  const doc = new Y.Doc()
  const stored = new IndexeddbPersistence(`document-${++documents}`, doc)
  await stored.whenSynced
  doc.getText().insert(0, endContent)
  const written = () => new Promise(resolve => { stored.db.transaction(['updates']).objectStore('updates').count().onsuccess = resolve })
  await written()
  const started = performance.now()
  for (let n = 0; n < KEYS_OFFLINE; n++) {
    doc.getText().insert(n, 'x')
    await written()
  }
  const took = (performance.now() - started) / KEYS_OFFLINE
  await stored.destroy()
  return took
}

// ---- figures ----

const median = numbers => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]

async function timed (work) {
  globalThis.gc?.()
  const started = performance.now()
  const took = await work()
  return took ?? performance.now() - started
}

async function compare (what, contestants, aim, unit = 'ms') {
  const figures = Object.fromEntries(Object.keys(contestants).map(name => [name, []]))
  for (let round = 0; round < Number(rounds); round++) {
    for (const [name, work] of Object.entries(contestants)) figures[name].push(await timed(work))
  }
  for (const [name, times] of Object.entries(figures)) {
    const ratio = median(times.map((time, i) => figures.converge[i] / time))
    console.log(`${what.padEnd(10)} ${name.padEnd(20)} ${median(times).toFixed(3).padStart(10)} ${unit}${name === 'converge' ? '' : `   converge takes ${ratio.toFixed(2)} of it`}`)
  }
  console.log(`${what.padEnd(10)} aim: ${aim}`)
}

console.log(`${patches.length} edits, ${endContent.length} characters, ${rounds} rounds`)
await compare('arrival', { converge: convergeArrival, 'bare CodeMirror': bareArrival, Yjs: yjsArrival, ShareDB: shareDBArrival }, 'at most 2 of a bare CodeMirror')
await compare('open', { converge: convergeOpen, Yjs: yjsOpen, ShareDB: shareDBOpen }, 'at most 5 ms for 105 KB')
await compare('keystroke', { converge: convergeKeys, Yjs: yjsKeys, 'ShareDB in 1 MB': shareDBKeys }, 'p99 of at most 0.1 ms')
await compare('memory', { converge: convergeMemory, Yjs: yjsMemory }, 'at most 2 of the text', 'of the text')
await compare('offline', { converge: convergeOffline, Yjs: yjsOffline }, 'no more than y-indexeddb')
process.exit()
