// A storage that outlives its tabs. Every call waits until the world lets it happen, and
// again until it lets the caller know, so a tab can crash before, between and after.

import { compose, parse, print } from '../../src/ot/index.js'
import { fencedError } from '../../src/offline/storage.js'

const name = key => key.join('/')

export class Disk {
  constructor () {
    this.records = new Map()
    this.said = new Map() // by session, by order
    this.locks = new Map() // name → tab
    this.last = null
    this.full = false // no room for writing
    this.wakeful = true // locks tell who lives; else they may be had from a tab that is frozen
  }

  /** All that is stored and pending, as text: what would be sent. */
  pendingText () {
    return [...this.records.values()].map(({ meta, typed }) => JSON.stringify([meta.inflight?.op ?? null, print(typed.map(parse).reduce(compose, []))])).join('\n')
  }
}

/** One tab's way to the disk. */
export class TabStorage {
  /** @param {Disk} disk @param {import('./world.mjs').World} world @param {{ dead: boolean }} tab */
  constructor (disk, world, tab) {
    Object.assign(this, { disk, world, tab })
    this.said = {
      list: (user, document) => this.#later(() => [...disk.said.keys()].map(key => key.split('/')).filter(key => key[0] === user && key[1] === document).map(key => key[2])),
      write: (key, held, put, drop) => {
        const copy = JSON.parse(JSON.stringify(put))
        return this.#later(() => {
          const rows = this.#rows(key, held)
          if (disk.full && copy.length > 0) throw Object.assign(new Error('no room'), { name: 'QuotaExceededError' })
          for (const row of copy) rows.set(`${row.n} ${row.id}`, row)
          for (const { n, id } of drop) rows.delete(`${n} ${id}`)
          if (rows.size === 0) disk.said.delete(name(key))
          else disk.said.set(name(key), rows)
        })
      },
      move: (from, to, held) => this.#later(() => {
        const rows = this.#rows(to, held)
        const moved = disk.said.get(name(from)) ?? new Map()
        disk.said.delete(name(from))
        for (const [n, row] of moved) rows.set(n, row)
        if (rows.size > 0) disk.said.set(name(to), rows)
        return JSON.parse(JSON.stringify([...moved.values()]))
      })
    }
  }

  #rows (key, held) {
    const rows = this.disk.said.get(name(key))
    if (held && rows === undefined) throw fencedError()
    return rows ?? new Map()
  }

  /** Let something happen later, and be known later still; in order for one tab. */
  #later (work) {
    return new Promise((resolve, reject) => this.world.io.push({ tab: this.tab, work, resolve, reject, done: false }))
  }

  list (user, document) {
    const prefix = name([user, document, ''])
    return this.#later(() => [...this.disk.records].filter(([key]) => key.startsWith(prefix)).map(([key, { meta, typed }]) => ({ session: key.slice(prefix.length), edits: meta.inflight !== null || typed.length > 0, seen: meta.seen })))
  }

  lock (key) {
    return this.#later(() => {
      const holder = this.disk.locks.get(name(key))
      if (holder !== undefined && !holder.dead && (holder === this.tab || !holder.frozen)) return null
      this.disk.locks.set(name(key), this.tab)
      return () => { if (this.disk.locks.get(name(key)) === this.tab) this.disk.locks.delete(name(key)) }
    })
  }

  take (key) {
    return this.#later(() => {
      const record = this.disk.records.get(name(key))
      if (record === undefined) return null
      record.meta = { ...record.meta, fence: record.meta.fence + 1 }
      return { fence: record.meta.fence, record: JSON.parse(JSON.stringify(record)) }
    })
  }

  write (key, fence, change) {
    // as it is now: a copy by JSON costs a fifth of structuredClone
    const copy = JSON.parse(JSON.stringify(change))
    return this.#later(() => {
      const record = this.disk.records.get(name(key))
      if (record === undefined ? !copy.absent : record.meta.fence !== fence) throw fencedError()
      if (this.disk.full) throw Object.assign(new Error('no room'), { name: 'QuotaExceededError' })
      if (copy.meta === undefined) record.typed.push(...copy.typed)
      else this.disk.records.set(name(key), { meta: copy.meta, text: copy.text ?? record.text, since: [...copy.text === undefined ? record.since : [], ...copy.since], typed: copy.typed })
    })
  }

  remove (key, fence) {
    return this.#later(() => {
      const record = this.disk.records.get(name(key))
      if (record === undefined) return
      if (record.meta.fence !== fence) throw fencedError()
      this.disk.records.delete(name(key))
    })
  }

  user (user) {
    return this.#later(() => (this.disk.last = user ?? this.disk.last))
  }
}
