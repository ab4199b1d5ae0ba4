// One schedule: people with tabs that type, and everything that may go wrong, drawn from a
// seed. At the end all is made well again, and it must be so that
//
//   - all documents and the server have one text, and nothing is pending;
//   - whatever was typed is in the server's history exactly once, or was given back, or was
//     deleted by its own typist before it was sent, or was lost for a reason: its tab
//     crashed before it was stored, or the server lost it after it was acknowledged;
//   - no edit was said to be committed that is not in.
//
// Each edit inserts a character that no other edit inserts, so that it can be counted.

import { Client } from '../../src/index.js'
import { OfflineStorage } from '../../src/offline/storage.js'
import { parse, points } from '../../src/ot/index.js'
import { random } from '../lib/random.mjs'
import { Disk, TabStorage } from './disk.mjs'
import { Server, tokenOf } from './server.mjs'
import { settle, World } from './world.mjs'

export const FIRST = 0x20000 // of the characters that are counted: astral, so that both units matter
const LARGEST = 600 // bytes of an op that a server with little room takes

/** What may happen, and how often. */
export const STEPS = {
  type: 30, erase: 8, undo: 3, redo: 2, arrive: 60, store: 20, time: 15, cut: 5, crash: 3, open: 4, leave: 1, freeze: 1, thaw: 1, network: 2,
  sql: 4, lose: 0.6, restore: 0.5, prune: 1, share: 0.7, snapshot: 0.7, expire: 0.5, full: 0.3, small: 0.7, refuse: 1, repeat: 1, skip: 0.5, sleep: 0.7, doubt: 0.7, wait: 0.7
}

export class Schedule {
  constructor (seed, { steps = 60, weights = STEPS, storage = true } = {}) {
    this.random = random(seed)
    // every schedule has its own climate: some things never happen in it, some often
    const swarm = Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, weight * this.random.pick(weight > 10 ? [0.5, 1, 2] : [0, 1, 1, 5])]))
    this.options = { steps, weights: swarm, storage }
    this.world = new World(this.random)
    this.server = new Server(this.random, { content: this.random.below(2) ? '' : 'some text 😀', modern: this.random.below(3) > 0 })
    this.disk = new Disk()
    /** @type {any[]} */
    this.tabs = []
    this.count = 0
    /** @type {Map<string, { user: string, tab: any, state: string }>} */
    this.typed = new Map()
    this.committed = [] // of edits that were said to be
    this.reversed = new Set() // letters that an undo brought back
    this.losses = 0
    this.expired = new Set()
    this.problems = []
  }

  problem (text) { this.problems.push(text) }

  // ---- tabs ----

  open (user = this.random.pick(['ann', 'ben', 'cleo']), most = 4) {
    if (this.living.filter(({ document }) => document.status !== 'closed').length >= most) return
    const tab = { user, dead: false, frozen: false, number: this.tabs.length, waiting: new Set() }
    const token = () => this.expired.has(user) ? (this.expired.delete(user), 'expired') : tokenOf(user)
    const storage = this.options.storage ? new OfflineStorage(new TabStorage(this.disk, this.world, tab)) : undefined
    tab.client = new Client({ url: 'ws://relay.example.org', token, storage, ...this.more(tab), environment: this.world.environment(() => this.server, tab) })
    tab.document = tab.client.open('doc')
    tab.document.on('rejected', ({ changes, text, code }) => {
      const carried = changes.map(({ insert }) => insert).join('')
      if (code === 'too_large' && carried.length > LARGEST) this.problem(`${carried.length} characters were given back that could go in pieces`)
      for (const letter of carried) this.typed.get(letter)?.state !== undefined && this.mark(letter, 'rejected')
    })
    // the answer to an own op changes nothing: it is the op as it was carried here
    const prefix = tab.document.sync.nextId().slice(0, 23)
    tab.document.on('change', ({ origin, version, userId }) => {
      const entry = this.server.log[version - 1]
      if (origin === 'remote' && userId !== null && entry?.operationId.startsWith(prefix) && !this.server.talk.suggestions.has(entry.operationId) && this.losses === 0 && !this.froze && entry.version === version && tab.document.version === version) {
        this.problem(`the answer to ${entry.operationId} was not what tab ${tab.number} held it for`)
      }
    })
    this.tabs.push(tab)
    this.opened(tab)
  }

  /** What a kind of schedule adds: to a client, ... */
  more () { return {} }
  /** ... to a tab that is open, ... */
  opened () {}
  /** ... to one that has crashed, ... */
  crashed () {}
  /** ... and to what is so at the end. */
  quiet () { return true }

  get living () { return this.tabs.filter(tab => !tab.dead) }
  get usable () { return this.living.filter(({ frozen, document }) => !frozen && document.status !== 'closed' && document.sync.state !== null && document.canEdit) }

  mark (letter, state) {
    const entry = this.typed.get(letter)
    if (entry !== undefined && entry.state !== 'rejected') entry.state = state
  }

  // ---- what happens ----

  step_type (tab = this.random.pick(this.usable)) {
    if (!this.usable.includes(tab)) return
    const { document } = tab
    const letter = String.fromCodePoint(FIRST + this.count++)
    const text = this.random.below(this.server.largest === undefined ? 60 : 4) === 0 ? letter + 'long '.repeat(140) : this.random.below(4) ? letter : `${letter}${this.random.text(2).replaceAll('\0', '')}`
    const from = this.random.below(document.length + 1)
    const to = this.random.below(5) ? from : Math.min(document.length, from + this.random.below(4))
    this.#erased(tab, () => {
      const edit = document.edit({ from, to, insert: text })
      this.typed.set(letter, { user: tab.user, tab, state: 'typed', at: this.world.now, calm: !this.disk.full })
      this.#hear(tab, edit, letter)
    })
  }

  step_erase () {
    const tab = this.random.pick(this.usable)
    if (tab === undefined || tab.document.length === 0) return
    const from = this.random.below(tab.document.length)
    this.#erased(tab, () => this.#hear(tab, tab.document.edit({ from, to: Math.min(tab.document.length, from + 1 + this.random.below(3)) })))
  }

  step_undo () { this.#reverse('undo') }
  step_redo () { this.#reverse('redo') }

  #reverse (how) {
    const tab = this.random.pick(this.usable)
    if (tab !== undefined) this.#erased(tab, () => this.#hear(tab, tab.document[how]()))
  }

  /** Every edit must be answered in the end. @param {string} [letter] that it inserts */
  #hear (tab, edit, letter) {
    if (edit === null) return
    // halves of two characters that are left may be one that there was
    for (const { insert } of edit.changes) for (const each of insert) if (each !== letter && this.typed.has(each)) this.reversed.add(each)
    tab.waiting.add(edit)
    edit.committed.then(({ operationId }) => {
      tab.waiting.delete(edit)
      if (operationId !== null && letter !== undefined) this.committed.push({ letter, operationId })
    }, () => { tab.waiting.delete(edit) })
  }

  /** A letter that its own typist deletes may never be sent; one that comes back is typed again. */
  #erased (tab, edit) {
    const before = new Set(tab.document.text)
    const known = new Set(this.typed.keys())
    edit()
    const after = new Set(tab.document.text)
    for (const letter of before) if (!after.has(letter) && this.typed.get(letter)?.state === 'typed') this.mark(letter, 'erased')
    for (const letter of after) if (!before.has(letter) && known.has(letter)) this.reversed.add(letter)
    for (const letter of after) {
      const entry = this.typed.get(letter)
      if (before.has(letter) || entry?.state !== 'erased') continue
      entry.state = 'typed'
      entry.at = this.world.now
      entry.calm = !this.disk.full
    }
  }

  step_arrive () { return this.world.arrive() }
  step_store () { return this.world.store() }
  async step_time () {
    await this.world.tick(this.random.pick([10, 300, 1100, 3000, 31_000]))
    this.#stored()
  }

  /** What waits for its answer must be stored by and by, and what does not must not be. */
  #stored () {
    if (!this.options.storage || this.disk.full) return
    const quiet = this.usable.filter(tab => tab.document.offline?.safe && !this.world.io.some(each => each.tab === tab))
    const late = quiet.filter(({ document }) => document.pending !== null && this.world.now - document.pending.since > 4000)
    if (late.length > 0) {
      const kept = this.disk.pendingText() + this.#submitted()
      for (const [letter, { state, tab, calm, at }] of this.typed) {
        if (state === 'typed' && calm && late.includes(tab) && this.world.now - at > 4000 && !kept.includes(letter)) this.problem(`${letter.codePointAt(0).toString(16)} waits for ${this.world.now - at} ms and is not stored`)
      }
    }
    for (const tab of quiet) {
      const { document, number } = tab
      const sessions = [...this.disk.locks].filter(([, holder]) => holder === tab) // more than one: it sends what another left
      const record = sessions.length === 1 ? this.disk.records.get(sessions[0][0]) : undefined
      if (document.pending === null && record !== undefined && (record.meta.inflight !== null || record.typed.length > 0)) this.problem(`tab ${number} has nothing pending, and stored that it has`)
    }
  }

  /** Where nothing is pending, every edit has its answer. */
  #answered () {
    for (const { waiting, number, document } of this.living) {
      if (waiting.size > 0 && document.pending === null && document.status !== 'closed') this.problem(`${waiting.size} edits of tab ${number} have no answer, and nothing is pending`)
    }
  }

  #submitted () { return JSON.stringify(this.server.log.map(entry => entry.submitted)) }
  step_open () { this.open() }

  step_cut () {
    const wires = [...this.world.wires]
    if (wires.length > 0) this.random.pick(wires).break()
  }

  /** A tab is gone, wherever its code stands. */
  step_crash (tab = this.random.pick(this.living)) {
    if (tab === undefined) return
    tab.dead = true
    for (const wire of [...this.world.wires]) if (wire.tab === tab) wire.cut()
    tab.frozen = false
    this.#forgotten(tab)
    this.crashed(tab)
  }

  /** What a tab that is gone had typed, or taken over, and no one has, is lost. */
  #forgotten (tab) {
    const { user } = tab
    const idle = !this.world.io.some(each => each.tab === tab)
    const kept = this.disk.pendingText() + this.#submitted() +
      this.living.map(({ document: { sync } }) => sync.state === null ? '' : JSON.stringify(sync.stored())).join('')
    for (const [letter, entry] of this.typed) if (entry.user === user && entry.state === 'typed' && !kept.includes(letter)) {
      if (this.options.storage && entry.tab === tab && entry.calm && idle && this.world.now - entry.at > 4000) this.problem(`${letter.codePointAt(0).toString(16)} waited for ${this.world.now - entry.at} ms and was not stored`)
      entry.state = 'crashed'
    }
  }

  /** A tab is closed properly. */
  async step_leave () {
    const tab = this.random.pick(this.living.filter(({ frozen, left, document }) => !frozen && !left && document.status !== 'closed'))
    if (tab === undefined || this.living.length === 1) return
    tab.left = true
    tab.document.release()
  }

  step_freeze (tab = this.random.pick(this.living)) {
    if (tab === undefined) return
    tab.frozen = true
    this.froze = true // another tab may send what this one had in flight
    this.#excuse()
    for (const wire of [...this.world.wires]) if (wire.tab === tab) wire.break()
  }

  async step_thaw (tab = this.random.pick(this.living.filter(({ frozen }) => frozen))) {
    if (tab === undefined) return
    tab.frozen = false
    for (const listener of tab.listeners) listener('pageshow')
  }

  /** A tab falls asleep with what it typed stored in part; another takes that over; it wakes up. */
  async step_sleep () {
    const { random, world } = this
    const tab = random.pick(this.usable)
    if (!this.options.storage || tab === undefined || this.disk.full) return
    for (const wire of [...world.wires]) if (wire.tab === tab) wire.break()
    await settle()
    for (let n = 1 + random.below(3); n > 0; n--) this.step_type(tab)
    for (let n = 12; n > 0; n--) if (!await world.store()) break
    for (let n = random.below(3); n > 0; n--) this.step_type(tab)
    for (let n = random.below(3); n > 0; n--) await world.store()
    await this.step_freeze(tab)
    this.open(tab.user, 6)
    for (let n = 20 + random.below(120); n > 0; n--) if (!await world.arrive()) await world.tick(3000)
    if (random.below(4) > 0) await this.step_thaw(tab)
  }

  /** The server is slow to answer. */
  async step_wait () {
    const tab = this.random.pick(this.usable.filter(({ document }) => document.status === 'connected'))
    if (tab === undefined) return
    this.step_type(tab)
    for (let n = 8; n > 0; n--) {
      await this.world.tick(1100)
      for (let m = 4; m > 0; m--) await this.world.store()
    }
    this.#stored()
  }

  /** An op is in, its answer is lost, and with the history that would tell. */
  async step_doubt () {
    const { random, world, server } = this
    const wire = random.pick([...world.wires].filter(({ tab, connection }) => connection?.live && this.usable.includes(tab)))
    if (wire === undefined) return
    this.step_type(wire.tab)
    for (let n = random.below(8); n > 0; n--) await world.arrive()
    if (!wire.over) wire.break()
    if (random.below(2)) this.step_sql()
    if (random.below(4) > 0) server.prune(server.version)
  }

  step_network () { this.world.network = !this.world.network }

  step_sql () {
    const { server } = this
    const letter = String.fromCodePoint(FIRST + this.count++)
    const at = this.random.below(server.length + 1)
    const gone = Math.min(server.length - at, this.random.below(3))
    server.edit(parse([...at ? [at] : [], letter, ...gone ? [{ d: gone }] : []]), `sql-${letter}`)
  }

  step_lose () { if (this.server.version > 0) this.#lost(1 + this.random.below(3), false) }
  step_restore () { if (this.server.version > 0) this.#lost(1 + this.random.below(this.server.version), true) }

  #lost (count, restored) {
    const before = this.server.log.slice()
    this.losses++
    this.server.lose(count, restored)
    // what was answered may be gone with it; what was not comes again or not
    for (const { submitted } of before.slice(this.server.version)) for (const part of submitted) if (typeof part === 'string') for (const letter of part) this.mark(letter, 'lost')
  }

  step_prune () { this.server.prune(this.random.below(this.server.version + 1)) }
  step_share () { this.server.share(this.random.pick(['ann', 'ben', 'cleo']), this.random.pick(['editor', 'viewer', 'none'])) }

  step_snapshot () {
    const connections = [...this.server.connections]
    if (connections.length > 0) this.server.again(this.random.pick(connections), this.random.below(2))
  }

  step_expire () {
    const user = this.random.pick(['ann', 'ben', 'cleo'])
    this.expired.add(user)
    for (const connection of [...this.server.connections]) if (connection.user === user) connection.refuse(4401, 'unauthenticated')
  }

  step_full () {
    this.disk.full = !this.disk.full
    this.#excuse()
  }

  /** Nobody can say now that what was typed until here should have been stored. */
  #excuse () { for (const entry of this.typed.values()) entry.calm = false }

  step_small () { this.server.largest = this.server.largest === undefined ? LARGEST : undefined }

  /** Something comes twice. */
  step_repeat () {
    const connection = this.random.pick([...this.server.connections])
    if (connection?.live) this.server.repeat(connection)
  }

  /** Something does not come. */
  step_skip () {
    const connection = this.random.pick([...this.server.connections])
    if (connection?.live && this.server.version > 0) this.server.skip(connection)
  }

  /** The next submission is answered as if PostgreSQL could not be reached; perhaps it was. */
  step_refuse () { this.server.unavailable = this.random.pick(['before', 'after']) }

  // ---- the whole ----

  async run () {
    const names = Object.keys(this.options.weights)
    const total = names.reduce((sum, name) => sum + this.options.weights[name], 0)
    this.open('ann')
    this.open('ben')
    // most begin with two who are there; the rest with two who come
    if (this.random.below(4) > 0) await this.world.calm(() => this.tabs.every(({ document }) => document.status === 'connected'), 300)
    for (let n = 0; n < this.options.steps; n++) {
      let draw = this.random.next() * total
      const name = names.find(each => (draw -= this.options.weights[each]) < 0) ?? names[0]
      this.last = name
      await this[`step_${name}`]()
      await settle()
      this.#answered()
    }
    await this.end()
    return this.problems
  }

  /** Everything is made well, and must become well. */
  async end () {
    const { server, world, disk } = this
    this.done = true
    world.network = true
    disk.full = false
    server.largest = server.unavailable = undefined
    this.expired.clear()
    for (const user of ['ann', 'ben', 'cleo']) server.roles.set(user, 'editor')
    for (const tab of this.living) {
      if (tab.frozen) {
        tab.frozen = false
        for (const listener of tab.listeners) listener('pageshow')
      }
    }
    for (const tab of this.living) {
      tab.document.authenticate()
      for (const listener of tab.listeners) listener('online')
    }
    // a client that missed the last op learns of it by the next
    server.edit(parse(['end']), 'the end')
    const open = () => this.living.filter(({ document }) => document.status !== 'closed')
    const present = () => {
      // whoever has something stored opens a tab again, and so does whoever was closed out
      for (const user of new Set(this.tabs.map(tab => tab.user))) if (!open().some(tab => tab.user === user)) this.open(user, Infinity)
      for (const { document } of open()) document.authenticate()
      return true
    }
    const calm = () => present() && open().every(({ document }) => document.status === 'connected' && document.pending === null && document.version === server.version) &&
      ![...disk.records.values()].some(({ meta, typed }) => meta.inflight !== null || typed.length > 0) && world.io.length === 0 && this.quiet()
    if (!await world.calm(calm, 4000)) this.problem(`it never becomes calm: ${open().map(({ user, number, document }) => `${user} ${number} ${document.status} at ${document.version} of ${server.version} ${JSON.stringify(document.pending)}`).join('; ')}; stored: ${disk.pendingText()}`)
    this.#answered()
    this.check()
    for (const tab of this.living) tab.dead = true
  }

  check () {
    this.problems.push(...this.server.problems)
    const text = String(this.server.text)
    for (const { user, number, document } of this.living) {
      if (document.status !== 'closed' && document.text !== text) this.problem(`tab ${number} of ${user} has ${JSON.stringify(document.text)}, the server ${JSON.stringify(text)}`)
    }
    const inserted = this.server.log.flatMap(entry => entry.submitted.filter(part => typeof part === 'string')).join('')
    const seen = new Map()
    for (const letter of inserted) if (points(letter) === 1 && letter.codePointAt(0) >= FIRST) seen.set(letter, (seen.get(letter) ?? 0) + 1)
    for (const [letter, { user, state, tab }] of this.typed) {
      const times = seen.get(letter) ?? 0
      // two who deleted it and both undo that have it twice, and so has who undoes a deletion that the server lost
      const excused = this.reversed.has(letter)
      if (times > 1 && state !== 'erased' && !excused) this.#twice(letter, times)
      if (times === 0 && state === 'typed') this.problem(`${letter.codePointAt(0).toString(16)}, typed by ${user} in tab ${tab.number}, is nowhere`)
    }
    for (const { letter, operationId } of this.committed) {
      if (!this.server.find(operationId) && !this.server.lost.has(operationId)) this.problem(`${letter.codePointAt(0).toString(16)} was said to be committed as ${operationId}, which the server never saw`)
    }
  }

  /** An undone deletion inserts a letter again: then it was deleted between. */
  #twice (letter, times) {
    const text = String(this.server.text)
    const now = [...text].filter(each => each === letter).length
    if (now > 1) return this.problem(`${letter.codePointAt(0).toString(16)} stands ${now} times in the text`)
    const ids = this.server.log.filter(entry => entry.submitted.some(part => typeof part === 'string' && part.includes(letter)))
    let there = 0
    let state = this.server.at(0)
    for (const entry of this.server.log) {
      state = state.apply(parse(entry.op)).text
      there = [...String(state)].filter(each => each === letter).length
      if (there > 1) return this.problem(`${letter.codePointAt(0).toString(16)} was inserted ${times} times, ${ids.map(each => each.operationId)}`)
    }
  }
}
