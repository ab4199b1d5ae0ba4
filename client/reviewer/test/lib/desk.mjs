// A document, a relay that takes remarks and a folder for the journal, all of a test's own,
// and runs of the reviewer at them.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createHash } from 'node:crypto'
import { review } from '../../run.js'
import { wait } from '../../wait.js'
import { completion, partOf, StandIn } from './standin.mjs'

export const DOC = '0f8e2d5c-0000-4000-8000-000000000001'

export class Desk {
  version = 1
  role = 'commenter'
  /** What was posted, by id: the path and the body. */
  posted = new Map()
  posts = 0
  presence = []
  /** What the relay answers in place of taking the next post. */
  refuse = []
  log = []
  printed = []
  /** Suggestions that are open, as the client gives them. */
  suggested = []
  /** What was said in the chat, oldest first. */
  chat = []
  #listeners = []

  constructor (text) {
    this.texts = new Map([[1, text]])
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reviewer-'))
  }

  get text () { return this.texts.get(this.version) }

  /** A member changes the text. */
  write (text) { this.texts.set(++this.version, text) }

  /** The document is gone, or the right to it. */
  close () { this.#emit('closed', { code: 'forbidden', message: 'removed' }) }

  #emit (name, event) { for (const [of, listener] of [...this.#listeners]) if (of === name) listener(event) }

  /** A member says something in the chat; gives its id. */
  say (userId, body, { id = crypto.randomUUID(), at = new Date(this.now ??= 1_000_000).toISOString() } = {}) {
    const message = { id, userId, body, at, version: this.version, pending: false }
    this.chat.push(message)
    this.#emit('chat', message)
    return id
  }

  /** What the reviewer has said. */
  get answers () { return this.chat.filter(({ userId }) => userId === 'rita').map(({ body }) => body) }

  client () {
    const desk = this
    const document = {
      id: DOC,
      userId: 'rita',
      get role () { return desk.role },
      get text () { return desk.text },
      get length () { return desk.text.length },
      get version () { return desk.version },
      status: 'connected',
      loaded: Promise.resolve(),
      presence: { set: fields => desk.presence.push(fields) },
      on: (name, listener) => {
        const entry = [name, listener]
        desk.#listeners.push(entry)
        return () => { desk.#listeners = desk.#listeners.filter(each => each !== entry) }
      },
      chat: { loaded: Promise.resolve(), get list () { return desk.chat } },
      comments: { list: [] },
      suggestions: { get list () { return desk.suggested } },
      release () {}
    }
    const content = async (id, { version }) => {
      if (!desk.texts.has(version)) throw Object.assign(new Error('pruned'), { code: 'OT001' })
      return { content: desk.texts.get(version) }
    }
    return { open: () => document, token: async () => 'a token', rest: { content } }
  }

  /** The relay: the same id with the same content is the same, with another it is a conflict. */
  async #take (url, { body }) {
    this.posts++
    const problem = (status, code) => new Response(JSON.stringify({ code, detail: `refused: ${code}` }), { status })
    const refusal = await this.refuse.shift()
    if (refusal instanceof Error) throw refusal
    if (refusal && !refusal.after) return problem(...refusal)
    const remark = JSON.parse(body)
    const { id } = remark
    if (url.endsWith('/messages')) {
      if (!this.chat.some(message => message.id === id)) this.say('rita', remark.body, { id })
      if (refusal) throw refusal.after
      return new Response('{}', { status: 201 })
    }
    if (!this.texts.has(remark.version ?? remark.baseVersion)) return problem(409, 'OT001')
    if (this.posted.has(id) && this.posted.get(id).sent !== body) return problem(409, 'OT004')
    this.posted.set(id, { ...remark, path: url.split(DOC)[1], sent: body })
    if (refusal) throw refusal.after
    return new Response('{}', { status: 201 })
  }

  /** Run once against an endpoint with these answers. Gives the result and what was asked. */
  async run (answers, options = {}, more = {}) {
    const standin = await new StandIn(...answers).start()
    this.now ??= 1_000_000
    try {
      const result = await review(this.#options(standin, options), this.client(), { ...this.#surroundings(), deadline: this.now + 600_000, ...more })
      return { ...result, asked: standin.asked.map(({ body }) => body) }
    } catch (error) {
      error.asked = standin.asked.map(({ body }) => body)
      throw error
    } finally {
      await standin.stop()
    }
  }

  #options = (standin, options) => ({
    url: 'https://relay.invalid/', document: DOC, endpoint: standin.url, model: 'a-model', key: undefined, task: 'a task', dryRun: false, fresh: false, dailyReviews: 20, dailyBudget: 500_000,
    name: 'Reviewer', color: '#7a5cd0', maxRemarks: 30, maxSize: 100_000, budget: 100_000, part: 6000, answerTokens: 500, maxTime: 600_000, timeout: 60_000, state: this.folder, ...options
  })

  #surroundings = () => ({
    fetch: (url, init) => url.startsWith('https://relay.invalid') ? this.#take(url, init) : fetch(url, init),
    now: () => this.now, random: () => 0.5, signal: new AbortController().signal,
    sleep: async ms => { this.now += ms },
    log: line => this.log.push(line), fence: () => createHash('md5').update(String(Math.random())).digest('hex'), print: remark => this.printed.push({ ...remark })
  })

  /** Have the reviewer wait for requests, against an endpoint with these answers. */
  async wait (answers, options = {}) {
    const standin = await new StandIn(...answers).start()
    this.now ??= 1_000_000
    const ending = new AbortController()
    const ended = wait(this.#options(standin, options), this.client(), { ...this.#surroundings(), signal: ending.signal })
    ended.catch(() => {})
    return {
      standin,
      ended,
      /** Resolves when it waits, and has answered this often. */
      answered: count => this.#until(() => this.answers.length === count && this.presence.at(-1)?.name === 'Reviewer (waiting)'),
      stop: async () => {
        ending.abort(new Error('ended'))
        await ended.finally(() => standin.stop())
      }
    }
  }

  /** Wait until something is so, which must be soon. */
  async #until (condition) {
    const end = Date.now() + 20_000
    while (!condition()) {
      if (Date.now() > end) throw new Error(`it never came to be: ${JSON.stringify([this.answers, this.presence.at(-1), this.log])}`)
      await new Promise(resolve => setTimeout(resolve, 2))
    }
  }

  remove () { fs.rmSync(this.folder, { recursive: true, force: true }) }
}

/** An answer with these remarks. */
export const says = (...remarks) => completion({ remarks })
/** An answer by what the part has: the remarks whose quotes are in it. */
export const saysOf = (...remarks) => question => says(...remarks.filter(({ quote }) => partOf(question).includes(quote)))
