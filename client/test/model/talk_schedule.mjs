// A schedule in which people talk, too. At the end it must be so that
//
//   - whatever was said is with the server exactly once, or was given back, or its tab crashed
//     before it was stored;
//   - what was stored when its tab crashed is said by another, always with the same content
//     under one id, and as the user who said it;
//   - all clients show what the server has, at the same places.
//
// Each thing that is said has a text that nothing else has.

import '../../src/rest.js'
import '../../src/talk.js' // so that it is there at once
import { FIRST, Schedule, STEPS } from './schedule.mjs'
import { settle } from './world.mjs'

/** What may happen, and how often. What loses committed rows is for schedules of edits alone. */
export const TALK_STEPS = {
  ...STEPS, lose: 0, restore: 0, arrive: 80, store: 40,
  chat: 10, comment: 10, reply: 6, resolve: 4, suggest: 6, decide: 4, unavailable: 2, hint: 2, reload: 3, anchor: 3
}

export class TalkSchedule extends Schedule {
  constructor (seed, options = {}) {
    super(seed, { weights: TALK_STEPS, ...options })
    this.talk = this.server.talk
    /** @type {Map<string, { user: string, tab: any, kind: string, state: string }>} by what was said */
    this.words = new Map()
    this.saidCount = 0
  }

  /** HTTP goes the way of what a disk does: it is answered later, and heard later still. */
  more (tab) {
    const { world, talk } = this
    return {
      fetch: (url, { method, headers, body }) => new Promise((resolve, reject) => {
        const { sub } = JSON.parse(atob(headers.authorization.split('.')[1]))
        const work = () => {
          if (!world.network) throw new TypeError('fetch failed')
          const answer = talk.respond(sub, url, method, body)
          return { ok: answer.status < 300, status: answer.status, headers: { get: name => answer.headers[name] ?? null }, json: async () => JSON.parse(answer.body) }
        }
        world.io.push({ tab, work, resolve, reject, done: false })
      })
    }
  }

  opened (tab) {
    const { document } = tab
    void document.chat
    this.#once(document)
    document.on('rejected', ({ of, text, code }) => {
      const entry = of && this.words.get(text)
      if (entry) entry.state = 'rejected'
      if (code === 'gone' && entry?.letter && document.text.includes(entry.letter) && !this.reversed.has(entry.letter)) this.problem(`${text} was given back, and what it is about is there`)
    })
  }

  /** What waits for its answer is not sent again before something is lost, or refused for a while. */
  #once (document) {
    const { link, host } = document.sync
    const { send } = link
    const { message, connected } = host
    /** @type {Set<any>} */
    let waiting = new Set()
    const forget = () => { waiting = new Set() }
    host.connected = () => { forget(); connected() }
    host.message = told => {
      if (told.type === 'reject') forget()
      message(told)
    }
    link.send = what => {
      const item = document.talk?.outbox.all.find(({ of, id }) => of === what.type && id === (what.id ?? String(what.ids)))
      if (item && waiting.has(item)) this.problem(`${JSON.stringify(what)} was sent twice, and no answer asked for it`)
      if (item) waiting.add(item)
      send(what)
    }
    document.on('status', forget)
  }

  get talking () { return this.living.filter(({ frozen, document }) => !frozen && document.status !== 'closed' && document.sync.state !== null && document.talk) }

  /** @param {(document: any, words: string) => Promise<any> | undefined} how @param {any} [tab] @param {string} [letter] that it is about */
  #say (kind, how, tab = this.random.pick(this.talking), letter) {
    if (tab === undefined) return
    const words = `words ${++this.saidCount}.`
    const said = how(tab.document, words)
    if (!said) return
    const entry = { user: tab.user, tab, kind, letter, state: 'said', offline: !tab.document.sync.flowing, calm: !this.disk.full, at: this.world.now }
    this.words.set(words, entry)
    said.then(() => {
      if (!this.#rows().includes(words)) this.problem(`${words} was said to be committed, and the server does not have it`)
    }, () => {})
  }

  step_chat () { this.#say('chat', ({ chat }, words) => chat.say(words)) }

  step_comment () {
    this.#say('comment', (document, words) => {
      if (document.length === 0) return
      const [from, to] = this.#range(document)
      return document.comments.add({ from, to, body: words })
    })
  }

  /** A range of whole characters. */
  #range (document) {
    const { shown } = document.sync.state
    const from = this.random.below(shown.points)
    return [shown.offset(from), shown.offset(Math.min(shown.points, from + 1 + this.random.below(4)))]
  }

  step_reply () {
    this.#say('comment', ({ comments }, words) => {
      const thread = this.random.pick(comments.list)
      return thread && comments.reply(thread.id, words)
    })
  }

  step_resolve () {
    const tab = this.random.pick(this.talking)
    const thread = tab && this.random.pick(tab.document.comments.list)
    if (thread) tab.document.comments.resolve(thread.id, this.random.below(2) === 0).catch(() => {})
  }

  step_suggest () {
    this.#say('suggest', (document, words) => {
      const { shown } = document.sync.state
      const at = shown.offset(this.random.below(shown.points + 1))
      return document.suggestions.add(this.random.below(2) && document.length > 0 ? { from: this.#range(document)[0], to: document.length, insert: words } : { from: at, insert: words })
    })
  }

  step_decide () {
    const tab = this.random.pick(this.talking)
    const suggestion = tab && this.random.pick(tab.document.suggestions.list)
    if (suggestion) tab.document.suggestions[this.random.below(3) ? 'reject' : 'accept'](suggestion.id).catch(() => {})
  }

  step_unavailable () { this.talk.busy = 1 }

  /** Something is said, and some connection is only told that. */
  step_hint () {
    const connection = this.random.pick([...this.server.connections].filter(({ live }) => live))
    if (!connection) return
    this.talk.silent.add(connection)
    this.talk.by('owner', { type: 'chat', id: `hint ${++this.saidCount}`, body: 'a hint' })
    this.talk.silent.delete(connection)
    const draw = this.random.below(4)
    // or it learns of it by the number of what comes next
    if (draw === 0) connection.refuse(1012, 'restarting')
    else if (draw < 3) connection.say({ type: 'talk' })
  }

  /** Something is said of what is just typed; it is stored, sent or not, and its tab is loaded again. */
  async step_anchor () {
    const { random, world, talk } = this
    const tab = random.pick(this.usable.filter(({ document }) => document.talk))
    if (!tab) return
    for (const wire of [...world.wires]) if (wire.tab === tab) wire.break()
    await settle()
    const { document } = tab
    const letter = String.fromCodePoint(FIRST + this.count)
    this.step_type(tab)
    const from = document.text.indexOf(letter)
    if (from < 0) return
    if (random.below(2)) this.#say('comment', (_, words) => document.comments.add({ from, to: from + letter.length, body: words }), tab, letter)
    else this.#say('suggest', (_, words) => document.suggestions.add({ from, to: from + letter.length, insert: words }), tab, letter)
    for (let n = random.below(30); n > 0; n--) await world.store()
    const before = talk.asked.length
    for (let n = random.below(2) * 60; n > 0 && talk.asked.length === before; n--) if (!await world.arrive()) await world.tick(1000)
    this.step_crash(tab)
    if (random.below(2)) this.step_sql()
    this.open(tab.user)
  }

  /** Offline something is said, and its tab is loaded again. */
  async step_reload () {
    const tab = this.random.pick(this.talking)
    if (!tab) return
    for (const wire of [...this.world.wires]) if (wire.tab === tab && this.random.below(3)) wire.break()
    for (let n = this.random.below(3); n > 0; n--) this.random.pick([() => this.step_chat(), () => this.step_comment(), () => this.step_suggest()])()
    for (let n = this.random.below(20); n > 0; n--) await this.world.store()
    this.step_crash(tab)
    this.open(tab.user)
  }

  /** Everything with words that the server has. */
  #rows () {
    const { messages, comments, suggestions } = this.talk
    return JSON.stringify([[...messages.values()], [...comments.values()], [...suggestions.values()]])
  }

  crashed (tab) {
    const { talk } = tab.document
    const stored = JSON.stringify([...this.disk.said.values()].map(rows => [...rows.values()]))
    const kept = stored + this.#rows() + JSON.stringify(this.living.flatMap(({ document }) => document.talk?.outbox.all ?? []).map(({ body, note, op }) => [body, note, op]))
    for (const item of talk?.outbox.all ?? []) {
      if (item.kept && item.body && !kept.includes(item.body) && !this.froze) this.problem(`${item.body} was stored, and is not`)
    }
    for (const { body } of this.options.storage && !this.froze ? talk?.outbox.items ?? [] : []) {
      const entry = this.words.get(body)
      if (entry?.tab === tab && entry.offline && entry.calm && !this.disk.full && this.world.now - entry.at < 3000 && !stored.includes(body)) this.problem(`${body} was shown as waiting and is not stored`)
    }
    for (const [words, entry] of this.words) if (entry.state === 'said' && entry.user === tab.user && !kept.includes(words)) entry.state = 'crashed'
  }

  quiet () {
    const { talk, disk } = this
    return this.living.filter(({ document }) => document.status !== 'closed').every(({ document }) => document.talk && !document.talk.busy && document.talk.feed.complete === talk.changed && document.comments.list.every(({ from }) => from !== null)) && disk.said.size === 0
  }

  async end () {
    this.talk.busy = 0
    // a client that missed the last row learns of it by the next
    this.talk.by('owner', { type: 'chat', id: 'the end', body: 'the end' })
    await super.end()
  }

  check () {
    super.check()
    const { talk, server } = this
    const rows = [...talk.messages.values(), ...talk.comments.values(), ...talk.suggestions.values()]
    for (const [words, { user, kind, state, tab }] of this.words) {
      const found = rows.filter(row => (row.body ?? JSON.stringify(row.op)).includes(words))
      if (found.length > 1) this.problem(`${words} is there ${found.length} times`)
      if (found.length === 0 && state === 'said') this.problem(`${words}, a ${kind} said by ${user} in tab ${tab.number}, is nowhere`)
      if (found.length > 0 && found[0].userId !== user) this.problem(`${words}, said by ${user}, is ${found[0].userId}'s`)
    }
    this.#frozen()
    const all = JSON.stringify(this.#expected())
    for (const { number, user, document } of this.living) {
      if (document.status === 'closed' || document.version !== server.version) continue
      const shown = JSON.stringify(this.#shown(document))
      if (shown !== all) this.problem(`tab ${number} of ${user} shows\n${shown}\nand the server has\n${all}`)
    }
  }

  /** Under one id there is always the same message. */
  #frozen () {
    const sent = new Map()
    for (const message of this.talk.asked) {
      if (message.threadId === undefined && message.op === undefined && message.type !== 'chat') continue
      const text = JSON.stringify(message)
      if ((sent.get(message.id) ?? text) !== text && !this.talk.stale.has(message.id)) this.problem(`${sent.get(message.id)} was sent again as ${text}`)
      sent.set(message.id, text)
    }
  }

  #expected () {
    const { threads, comments, suggestions, messages } = this.talk
    const { version } = this.server
    return [
      [...threads.values()].map(row => [row.id, row.resolvedBy, [...comments.values()].filter(({ threadId }) => threadId === row.id).map(({ body }) => body), ...this.#placed(row, version)]).sort(),
      [...suggestions.values()].filter(({ status }) => status === 'open').map(({ id }) => id).sort(),
      [...messages.values()].map(({ body }) => body).slice(-100)
    ]
  }

  #placed (row, version) {
    const { from, to } = this.talk.place(row, version)
    return this.#place(from, to)
  }

  /** An orphan is anywhere: over ops that are taken as one it may not return and go again. */
  #place (from, to) { return from === to ? [] : [from, to] }

  #shown ({ comments, suggestions, chat, sync: { state: { shown } } }) {
    return [
      comments.list.map(({ id, resolvedBy, comments: said, from, to }) => [id, resolvedBy, said.map(({ body }) => body), ...this.#place(shown.point(from), shown.point(to))]).sort(),
      suggestions.list.map(({ id }) => id).sort(),
      chat.list.map(({ body }) => body).slice(-100)
    ]
  }
}
