// What happens before the code is there that is not loaded at once. In a file of its own, for
// every other test has it from the beginning.

import assert from 'node:assert/strict'
import test from 'node:test'
import { load, more } from '../src/core/more.js'
import { begin } from '../src/core/state.js'
import { Presence } from '../src/index.js'
import { difference, parse, print } from '../src/ot/index.js'

/** As much of a document as its presence asks for. */
function stand () {
  const said = []
  const told = []
  const timers = []
  const sync = { flowing: true, state: begin('abcdef', { version: 0, operationId: null, sequenceId: null }), link: { send: message => said.push(message) } }
  const env = { now: () => 0, setTimeout: call => timers.push(call), clearTimeout () {} }
  return { said, told, timers, sync, env, emit: (...event) => told.push(event) }
}

test('what presence is told before its code is there is not lost', async () => {
  const document = stand()
  const presence = document.presence = new Presence(document)
  assert.equal(more, undefined)
  presence.set({ name: 'Ann', cursor: { anchor: 1, head: 2 } })
  assert.throws(() => presence.set({ color: 'red' }), TypeError)
  presence.own = 'a1'
  presence.tell('update', { users: [{ clientId: 'a1', userId: 'ann' }, { clientId: 'b1', userId: 'ben', version: 0, cursor: { anchor: 2, head: 4 } }, { clientId: 'z1', userId: 'cleo' }] }, true)
  presence.tell('connected')
  presence.tell('update', { left: ['z1'] }, false)
  const op = parse(['xyz'])
  document.sync.state = begin('xyzabcdef', { version: 1, operationId: null, sequenceId: null })
  presence.tell('follow', op, false)
  presence.tell('advance', op, 0, 1, 'cleo')
  assert.deepEqual(presence.users, [])
  assert.deepEqual(document.told, [])
  await load()
  await null
  const ben = { clientId: 'b1', userId: 'ben', name: null, color: null, cursor: { anchor: 5, head: 7 } }
  assert.deepEqual(presence.users, [ben])
  assert.deepEqual(document.told, [['presence', [ben]]])
  document.timers.at(-1)()
  assert.deepEqual(document.said, [{ type: 'presence', name: 'Ann', cursor: { anchor: 4, head: 5 }, version: 1 }])
  presence.tell('update', { left: ['b1'] }, false)
  assert.deepEqual(document.told.at(-1), ['presence', []])
})

test('a difference that is not the shortest is as right', () => {
  assert.deepEqual(print(difference('a😀bcd😁z', 'a😀xcy😁z')), [2, 'xcy', { d: 3 }])
  assert.deepEqual(print(difference('a😀bcd😁z', 'a😀xcy😁z', more.way)), [2, { d: 1 }, 'x', 1, { d: 1 }, 'y'])
  assert.deepEqual(print(difference('same', 'same', more.way)), [])
  assert.deepEqual(print(difference('ab', 'aXb', more.way)), [1, 'X'])
})
