// The loads of the adversary matrix: each is what one user (or one address) does to a
// relay that others use. A worker runs one, so that it does not delay the victim's clock.

import { workerData, parentPort } from 'node:worker_threads'
import net from 'node:net'
import WebSocket from '../../test/relay/node_modules/ws/wrapper.mjs'
import { sql } from '../../test/relay/lib/pg.mjs'
import { newId } from '../../test/relay/lib/raw.mjs'
import { token } from '../../test/relay/lib/token.mjs'

const { port, load, docs } = workerData ?? {}
let running = true
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

// Write bytes over a connection of its own, and read nothing, or all.
function raw (text, { reads = false, body } = {}) {
  return new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.on('close', resolve)
    if (!reads) socket.pause()
    else socket.resume()
    socket.write(text)
    if (body) socket.write(body)
  })
}

const request = (method, place, user, more = '') => `${method} ${place} HTTP/1.1\r\nHost: x\r\n${user ? `Authorization: Bearer ${token(user)}\r\n` : ''}${more}\r\n`

// Keep that many of something going on.
const keep = (count, act) => Promise.all(Array.from({ length: count }, async (_, n) => {
  while (running) {
    await act(n)
    await pause(1)
  }
}))

// A WebSocket that has said hello; it reads, and acknowledges its snapshot.
function join (doc, user, { reads = true, ...options } = {}) {
  return new Promise(resolve => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/collab/${doc}`, 'converge.v1', options)
    socket.on('error', () => resolve(socket))
    socket.on('close', () => resolve(socket))
    socket.on('open', () => {
      if (!reads) socket.pause()
      socket.send(JSON.stringify({ type: 'hello', token: token(user) }))
      if (!reads) resolve(socket)
    })
    socket.on('message', data => {
      const text = String(data.subarray(0, 400))
      if (!text.startsWith('{"type":"snapshot"')) return
      socket.send(JSON.stringify({ type: 'ack', sequenceId: Number(/"sequenceId":(\d+)/.exec(text)?.[1]) }))
      resolve(socket)
    })
  })
}

const loads = {
  'unread answers of a large text': () => keep(40, n => raw(request('GET', `/v1/docs/${docs.large}/content`, 'mallory'))),
  'bodies without a token': () => keep(50, () => raw(request('POST', '/v1/docs', null, 'Content-Length: 1100000\r\n'), { reads: true, body: Buffer.alloc(1000000, 'x') })),
  'authors of a text of small runs': () => keep(4, () => raw(request('GET', `/v1/docs/${docs.runs}/blame`, 'mallory'), { reads: true })),
  'many hellos to a large text, unread': () => keep(30, async () => { const socket = await join(docs.large, 'mallory', { reads: false }); await pause(500); socket.terminate() }),
  'joining a large text again and again': () => keep(2, async () => (await join(docs.large, 'mallory')).terminate()),
  'long histories within the rate': () => keep(8, () => raw(request('GET', `/v1/docs/${docs.runs}/history?limit=1000`, 'mallory'), { reads: true })),
  'calls whose clients have gone': () => keep(20, async () => { const socket = net.connect(port, '127.0.0.1'); socket.on('error', () => {}); socket.write(request('GET', `/v1/docs/${docs.runs}/blame`, 'mallory')); await pause(20); socket.destroy() }),
  'operations far behind': async () => {
    const sockets = []
    for (let n = 0; n < 8; n++) sockets.push(await join(docs.old, 'mallory'))
    await keep(8, async n => { sockets[n].send(JSON.stringify({ type: 'op', operationId: newId(), baseVersion: 1, op: ['x'] })); await pause(20) })
  },
  'large operations in many documents': async () => {
    const sockets = []
    for (const doc of docs.many.slice(0, 20)) sockets.push(await join(doc, 'mallory'))
    await keep(20, async n => { sockets[n].send(JSON.stringify({ type: 'op', operationId: newId(), baseVersion: 0, op: ['y'.repeat(300000)] })); await pause(500) })
  },
  'messages of many elements': async () => {
    await keep(2, async () => {
      const socket = await join(docs.many[0], 'mallory')
      while (running && socket.readyState === WebSocket.OPEN) { socket.send(`{"type":"none","x":[${'[],'.repeat(300000)}0]}`); await pause(5) }
    })
  },
  'presence floods': async () => {
    const sockets = []
    for (let n = 0; n < 20; n++) sockets.push(await join(docs.many[n], 'mallory'))
    await keep(20, async n => { for (let i = 0; i < 20; i++) sockets[n].send(JSON.stringify({ type: 'presence', cursor: { anchor: 0, head: 0 } })); await pause(5) })
  },
  'joining many documents': () => keep(10, async n => { for (const doc of docs.many) if (running) (await join(doc, `mallory ${n}`)).terminate() }),
  'reconnecting with fresh tokens': () => keep(20, async n => (await join(docs.many[0], `m ${n} ${Date.now()}`)).terminate()),
  'many users joining a large text': () => keep(20, async n => (await join(docs.large, `m ${n} ${Date.now()}`)).terminate()),
  'many users asking for large answers': () => keep(20, n => raw(request('GET', `/v1/docs/${docs.large}/content`, `m ${n}`, 'Connection: close\r\n'), { reads: true })),
  'staying in a thousand documents': async () => {
    const created = (await sql(`SELECT string_agg(converge.create_document('', '')::text, ',') FROM generate_series(1, 1000)`)).split(',')
    await sql(`SELECT converge.share(id::uuid, '*', 'editor') FROM unnest('{${created}}'::text[]) AS id`)
    const sockets = []
    await Promise.all(Array.from({ length: 20 }, async (_, n) => { for (let i = n; i < 1000; i += 20) sockets.push(await join(created[i], 'mallory')) }))
    await keep(20, async n => { for (let i = n; i < sockets.length; i += 20) sockets[i].send(JSON.stringify({ type: 'presence', cursor: { anchor: 0, head: 0 } })); await pause(100) })
  },
  'notifications': () => keep(2, () => sql(`SELECT pg_notify('converge_presence', repeat('x', 7000) || n) FROM generate_series(1, 500) AS n`)),
  'compressed messages that are not read': async () => {
    const sockets = []
    for (let n = 0; n < 20; n++) sockets.push(await join(docs.many[0], 'mallory', { perMessageDeflate: { threshold: 0 } }))
    sockets.slice(1).forEach(socket => socket.pause())
    await keep(1, async n => { sockets[0].send(JSON.stringify({ type: 'op', operationId: newId(), baseVersion: 0, op: [newId().repeat(2000)] })); await pause(20) })
  },
  'a flood of chat': async () => {
    const sockets = []
    for (let n = 0; n < 10; n++) sockets.push(await join(docs.many[n], 'mallory'))
    await keep(10, async n => { sockets[n].send(JSON.stringify({ type: 'chat', id: newId(), body: 'said '.repeat(100) })); await pause(1) })
  },
  'threads of a large text': () => keep(4, () => raw(request('GET', `/v1/docs/${docs.threads}/threads`, 'mallory'), { reads: true })),
  'many changes of members': () => keep(1, () => sql(`DO $$ BEGIN FOR n IN 1..2000 LOOP UPDATE converge.members SET role = CASE n % 2 WHEN 0 THEN 'editor' ELSE 'commenter' END::converge.role WHERE doc_id = '${docs.many[1]}' AND user_id = '*'; END LOOP; END $$`)),
  'documents kept locked': async () => {
    const sockets = []
    for (const doc of docs.many) sockets.push(await join(doc, 'mallory'))
    const locked = sql(`BEGIN; SELECT FROM converge.heads WHERE doc_id = ANY ('{${docs.many.join(',')}}') FOR UPDATE; SELECT pg_sleep(20); COMMIT`)
    await pause(200)
    sockets.forEach(socket => socket.send(JSON.stringify({ type: 'op', operationId: newId(), baseVersion: 0, op: ['z'] })))
    await locked
  }
}

export const names = Object.keys(loads)

if (parentPort) {
  parentPort.once('message', () => { running = false; process.exit() })
  loads[load]().catch(error => console.error(load, error))
}
