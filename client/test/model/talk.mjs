// What the model of the server does for talk: rows, their numbers, and what is listed over HTTP.

import { DELETE, parse, print, reach, transform } from '../../src/ot/index.js'
import { carry } from '../../src/talk/place.js'

const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b)

export class TalkModel {
  constructor (server) {
    Object.assign(this, { server, changed: 0, threads: new Map(), comments: new Map(), suggestions: new Map(), messages: new Map(), read: new Map(), said: new Map() })
    this.modern = true // it says whether the first character of a passage lives
    this.pages = 1000 // rows of a page of threads or suggestions
    this.silent = new Set() // connections that get a hint in place of events
    this.asked = []
    this.stale = new Set() // ids of what was refused since the history is pruned
  }

  get tables () { return { thread: this.threads, comment: this.comments, suggest: this.suggestions, chat: this.messages } }

  event (row) { return { ...row, documentId: 'doc' } }

  /** Write rows, and send them to everybody. */
  write (table, row) {
    row.changed = ++this.changed
    row.at ??= `2026-01-01T00:00:${String(this.changed).padStart(4, '0')}`
    this.tables[table].set(row.id, row)
    if (row.type !== 'chat' && table === 'suggest') row.type = row.status === 'open' ? 'suggest' : 'decide'
    for (const connection of this.server.connections) {
      if (!connection.live) connection.missed = true
      else if (!this.silent.has(connection)) connection.say(this.event(row))
    }
  }

  can (user, least) {
    const roles = ['none', 'viewer', 'commenter', 'editor', 'owner']
    return roles.indexOf(this.server.role(user)) >= roles.indexOf(least)
  }

  /** A message of a client. */
  hear (connection, message) {
    const { type, id, ids } = message
    const reject = (code, retryAfter) => connection.say({ type: 'reject', of: type, ...(ids ? { ids } : { id }), code, message: `${code} it is`, ...(retryAfter && { retryAfter }) })
    this.asked.push(message)
    if (this.busy) {
      this.busy--
      return reject('unavailable', 100)
    }
    const answer = this.carryOut(connection.user, message)
    if (answer === 'stale') this.stale.add(id)
    if (typeof answer === 'string') return reject(answer)
    // it was carried out before: its event comes to this client alone
    for (const row of answer ?? []) connection.say(this.event(row))
    for (const each of this.server.connections) this.server.flow(each)
  }

  /** Returns a code of refusal, or rows if there was nothing to do. */
  carryOut (user, message) {
    const { type, id, threadId, body } = message
    if (body !== undefined && body.length > 10000) return 'too_large'
    switch (type) {
      case 'chat': return this.once(user, message, this.messages, 'commenter', () => this.write('chat', { type, id, userId: user, body, version: this.server.version }))
      case 'comment':
        if (message.deleted) {
          const row = this.comments.get(id)
          if (row?.userId !== user) return 'forbidden'
          if (row.deletedAt) return [row]
          this.write('comment', { ...row, body: '', deletedAt: 'now' })
          if (![...this.comments.values()].some(each => each.threadId === row.threadId && !each.deletedAt)) this.write('thread', { ...this.threads.get(row.threadId), deletedAt: 'now' })
          return
        }
        if (threadId === undefined) {
          const row = this.comments.get(id)
          if (row?.userId !== user || row.deletedAt) return 'forbidden'
          if (row.body === body) return [row]
          return void this.write('comment', { ...row, body, editedAt: 'now' })
        }
        if (message.from === undefined && !this.threads.has(threadId)) return 'forbidden'
        return this.once(user, message, this.comments, 'commenter', () => {
          if (message.from !== undefined) {
            const { from, to, version } = message
            if (version < this.server.floor) return 'stale'
            if (version > this.server.version) return 'invalid'
            const text = this.server.at(version)
            if (to > text.points || from >= to) return 'invalid'
            const all = [...String(text)]
            this.write('thread', { type: 'thread', id: threadId, version, from, to, length: to - from, quote: all.slice(from, to).join(''), prefix: all.slice(Math.max(0, from - 32), from).join(''), suffix: all.slice(to, to + 32).join(''), userId: user, resolvedBy: null, resolvedAt: null, deletedAt: null })
          }
          this.write('comment', { type, id, threadId, userId: user, body, editedAt: null, deletedAt: null })
        })
      case 'thread': {
        const row = this.threads.get(id)
        if (!row || !this.can(user, 'commenter')) return 'forbidden'
        if (!row.resolvedBy === !message.resolved) return [row]
        return void this.write('thread', { ...row, resolvedBy: message.resolved ? user : null, resolvedAt: message.resolved ? 'now' : null })
      }
      case 'suggest':
        if (message.withdrawn) {
          const row = this.suggestions.get(id)
          if (row?.userId !== user) return 'forbidden'
          if (row.status === 'withdrawn') return [row]
          return void this.write('suggest', { ...row, status: 'withdrawn' })
        }
        return this.once(user, message, this.suggestions, 'commenter', () => {
          const { baseVersion, op, note = '' } = message
          if (baseVersion < this.server.floor) return 'stale'
          if (baseVersion > this.server.version) return 'invalid'
          if (reach(parse(op)) > this.server.at(baseVersion).points) return 'invalid'
          this.write('suggest', { id, baseVersion, op, note, userId: user, status: 'open', decidedBy: null, decidedAt: null, version: null })
        })
      case 'decide': {
        if (!this.can(user, 'editor')) return 'forbidden'
        const status = message.accept ? 'accepted' : 'rejected'
        const rows = (message.ids ?? [id]).map(each => this.suggestions.get(each))
        if (rows.some(row => !row || (row.status !== 'open' && row.status !== status))) return 'forbidden'
        if (rows.every(row => row.status === status)) return rows
        for (const row of rows) {
          const op = this.carried(row, this.server.version)
          if (message.accept && this.isStale(row, op)) return 'forbidden'
          if (message.accept) this.server.append(user, row.id, op, row.baseVersion, row.op)
          this.write('suggest', { ...row, status, decidedBy: user, decidedAt: 'now', version: message.accept ? this.server.version : null })
        }
      }
    }
  }

  once (user, message, table, least, write) {
    const { id } = message
    const before = this.said.get(id)
    if (!this.can(user, least)) return 'forbidden'
    if (before) return equal(before, message) ? [...(message.from === undefined ? [] : [this.threads.get(message.threadId)]), table.get(id)] : 'conflict'
    const code = write()
    if (code === undefined) this.said.set(id, message)
    return code
  }

  /** Say something from elsewhere. */
  by (user, message) {
    const code = this.carryOut(user, message)
    for (const each of this.server.connections) this.server.flow(each)
    return code
  }

  opsSince (version, upTo = this.server.version) { return this.server.log.slice(version, upTo).map(entry => parse(entry.op)) }

  carried ({ op, baseVersion }, version) {
    return this.opsSince(baseVersion, version).reduce((own, over) => transform(own, over, 'left'), parse(op))
  }

  isStale ({ op }, carried) {
    const deletes = each => each.some(({ kind }) => kind === DELETE)
    return deletes(parse(op)) ? !deletes(carried) : false
  }

  place (thread, version) {
    const { from, to } = thread
    return this.opsSince(thread.version, version).reduce((place, op) => carry(place, op, thread), { from, to, alive: true })
  }

  /** What a GET answers. */
  answer (user, method, path, query, body) {
    const part = path.split('/').pop()
    const version = Number(query.version ?? this.server.version)
    switch (`${method} ${part}`) {
      case 'GET talk': {
        const events = Object.values(this.tables).flatMap(table => [...table.values()]).filter(row => row.changed > Number(query.since)).sort((a, b) => a.changed - b.changed)
        return { changed: this.changed, events: events.map(row => this.event(row)) }
      }
      case 'GET threads':
        return {
          version,
          changed: this.changed,
          threads: [...this.threads.values()].filter(row => !row.deletedAt && row.version <= version).map(row => {
            const { from, to, alive } = this.place(row, version)
            const { id, quote, userId, at, resolvedBy, resolvedAt, changed } = row
            return { id, from, to, orphan: from === to, ...(this.modern && { alive: alive && from < to }), quote, resolved: !!resolvedBy, resolvedBy, resolvedAt, userId, at, madeVersion: row.version, changed, comments: [...this.comments.values()].filter(each => each.threadId === id && !each.deletedAt).map(({ type, ...each }) => each) }
          })
        }
      case 'GET suggestions':
        return {
          version,
          changed: this.changed,
          suggestions: [...this.suggestions.values()].filter(row => row.status === 'open' && row.baseVersion <= version).map(({ id, note, userId, at, baseVersion, changed, op }) => {
            const carried = this.carried({ op, baseVersion }, version)
            return { id, op: print(carried), stale: this.isStale({ op }, carried), note, userId, at, baseVersion, changed }
          })
        }
      case 'GET messages': return { changed: this.changed, messages: [...this.messages.values()].reverse().slice(0, 100).map(({ type, ...row }) => row) }
      case 'GET read': {
        const lastRead = this.read.get(user) ?? 0
        const news = [...this.messages.values()].filter(row => row.changed > lastRead && row.userId !== user)
        return { lastRead, messages: news.length, comments: 0, mentions: news.filter(row => row.body.includes(`@${user}`)).length }
      }
      case 'PUT read':
        this.read.set(user, Math.max(this.read.get(user) ?? 0, body.changed))
        return { lastRead: this.read.get(user) }
    }
    return null
  }

  /** Make an answer a page of it, and say where the next is. */
  cut (answer, path, after) {
    const name = answer?.threads ? 'threads' : 'suggestions'
    const rows = answer?.[name]
    if (!rows) return {}
    answer[name] = rows.slice(after, after + this.pages)
    return rows.length > after + this.pages ? { link: `<${path}?version=${answer.version}&after=${after + this.pages}>; rel="next"` } : {}
  }

  /** What an HTTP request of a user's is answered: a body, its status and headers. */
  respond (user, url, method, body) {
    const { pathname, searchParams } = new URL(url)
    const answer = this.answer(user, method, pathname, Object.fromEntries(searchParams), body && JSON.parse(body))
    const headers = { 'content-type': 'application/json', ...this.cut(answer, pathname, Number(searchParams.get('after') ?? 0)) }
    return { body: JSON.stringify(answer), status: answer === null ? 404 : 200, headers }
  }

  /** fetch, answered by this. @param {{ failing?: number }} trouble */
  fetch (trouble = {}) {
    return async (url, { method, headers, body }) => {
      const user = JSON.parse(atob(headers.authorization.split('.')[1])).sub
      if (trouble.failing > 0) {
        trouble.failing--
        throw new TypeError('fetch failed')
      }
      const answer = this.respond(user, url, method, body)
      return new Response(answer.body, answer)
    }
  }
}

