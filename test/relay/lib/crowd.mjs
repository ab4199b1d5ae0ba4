// Clients that type at random, and what must be true of them at the end: every
// acknowledged operation is there once, and all have the same text.

import assert from 'node:assert/strict'
import { allSettled, Collab } from './collab.mjs'
import { content, sql, version } from './pg.mjs'
import { random, randomEdit } from './random.mjs'
import { until } from './wait.mjs'

// Clients that type at random until told to stop, and connect again when cut off.
export class Crowd {
  constructor (doc, people, relay, seed, Client = Collab) {
    this.doc = doc
    this.clients = Array.from({ length: people }, (_, n) => new Client(doc, `user ${n}`).stayConnected(relay))
    this.next = random(seed)
    this.typed = 0
  }

  async start () {
    await Promise.all(this.clients.map(client => client.ready()))
    return this.resume()
  }

  resume () {
    this.timer = setInterval(() => {
      for (const client of this.clients) {
        if (this.next() < 0.5) continue
        client.edit(randomEdit(client.text, this.next))
        this.typed++
        if (this.next() < 0.03) client.talk?.(this.next())
      }
    }, 2)
    return this
  }

  pause () {
    clearInterval(this.timer)
  }

  get acknowledged () {
    return this.clients.reduce((sum, client) => sum + client.acknowledged.length, 0)
  }

  // Wait until they have gone on with their work.
  async progress (edits = 30) {
    const from = this.acknowledged
    await until('the crowd to go on typing', () => {
      for (const client of this.clients) if (client.failure) throw client.failure
      return this.acknowledged >= from + edits
    })
  }

  // Stop typing, and compare everything with the tables, where others made so many operations.
  async check (env, others = 0) {
    this.pause()
    await allSettled(this.clients, () => version(this.doc, env))
    const text = await content(this.doc, env)
    for (const client of this.clients) assert.equal(client.text, text, `${client.user}'s text`)
    const ids = this.clients.flatMap(client => client.acknowledged)
    assert.equal(new Set(ids).size, ids.length, 'an operation was acknowledged twice')
    const stored = new Set((await sql(`SELECT op_id FROM converge.ops WHERE doc_id = '${this.doc}'`, env)).split('\n'))
    assert.deepEqual(ids.filter(id => !stored.has(id)), [], 'an acknowledged operation is not there')
    assert.equal(stored.size, ids.length + others)
  }

  // What was said: all that was answered is there, once, and every client has all of it.
  async checkTalk (env) {
    const rows = (await sql(`SELECT id, changed FROM (SELECT (event ->> 'id')::uuid AS id, changed FROM generate_series(0, converge.talk_changed('${this.doc}'), 1000) AS since,
      converge.talk_events('${this.doc}', since, 1000) WHERE changed <= since + 1000) AS e ORDER BY changed`, env)).split('\n').filter(Boolean).map(row => row.split('|'))
    assert.equal(new Set(rows.map(([id]) => id)).size, rows.length, 'a row is there twice')
    const answered = this.clients.flatMap(client => client.answered)
    const stored = new Set(rows.map(([id]) => id))
    assert.deepEqual(answered.filter(id => !stored.has(id)), [], 'what was answered is not there')
    const all = rows.map(([id, changed]) => `${id} ${changed}`).sort()
    for (const client of this.clients) {
      await until(`${client.user} to have all that was said`, () => {
        const has = [...client.rows.values()].map(row => `${row.id} ${row.changed}`).sort()
        return JSON.stringify(has) === JSON.stringify(all)
      })
    }
    return answered.length
  }

  // The same, and leave.
  async finish (env, others = 0) {
    await this.check(env, others)
    this.clients.forEach(client => client.leave())
  }
}
