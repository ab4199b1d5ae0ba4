// A client that edits and talks: comments, suggestions and chat by the protocol's rules. What
// was not answered goes again as it was; what was missed is listed.

import { type } from 'ot-text-unicode'
import { Collab } from './collab.mjs'
import { newId } from './raw.mjs'
import { token } from './token.mjs'

const MOST_UNANSWERED = 6
const kinds = ['thread', 'comment', 'suggest', 'decide', 'chat']

export class Talker extends Collab {
  constructor (doc, user) {
    super(doc, user)
    // rows by their ids, complete up to a number; messages by what they are about
    Object.assign(this, { rows: new Map(), upTo: 0, unanswered: new Map(), answered: [], heardTalk: 0, listed: 0 })
    for (const kind of kinds) this[`on_${kind}`] = message => this.hearTalk(message)
  }

  connect (relay) {
    this.relay = relay
    return super.connect(relay)
  }

  on_joined (message) {
    super.on_joined(message)
    if (message.resumed) this.talkAgain()
  }

  on_snapshot (message) {
    super.on_snapshot(message)
    this.talkAgain()
  }

  talkAgain () {
    this.unanswered.forEach(message => this.say(message))
    this.list()
  }

  // Events may have been missed, answers among them.
  on_talk () {
    this.talkAgain()
  }

  on_reject (message) {
    if (message.of === undefined) return super.on_reject(message)
    const key = `${message.of} ${message.id}`
    const unanswered = this.unanswered.get(key)
    if (message.retryAfter > 0) {
      setTimeout(() => { if (this.live && this.unanswered.has(key)) this.say(unanswered) }, message.retryAfter)
    } else if (message.of === 'decide' && /stale|already/.test(message.message)) {
      this.unanswered.delete(key)
    } else {
      throw new Error(`rejected: ${JSON.stringify(message)}`)
    }
  }

  hearTalk (row) {
    this.heardTalk++
    this.takeRow(row)
    if (row.changed === this.upTo + 1) this.upTo++
    else if (row.changed > this.upTo) this.list()
  }

  takeRow (row) {
    if (!(this.rows.get(row.id)?.changed >= row.changed)) this.rows.set(row.id, row)
    const key = `${row.type} ${row.id}`
    if (!this.unanswered.delete(key)) return
    this.answered.push(row.id)
  }

  // List what came since, from whichever relay this is connected to.
  async list () {
    if (this.listing) {
      this.again = true
      return
    }
    this.listing = true
    this.again = false
    try {
      for (let next = `/v1/docs/${this.doc}/talk?since=${this.upTo}&limit=50`; next;) {
        const answer = await this.relay.get(next, { headers: { authorization: `Bearer ${token(this.user)}` }, signal: AbortSignal.timeout(5000) })
        if (answer.status !== 200) throw new Error(`answered with ${answer.status}`)
        const { changed, events } = await answer.json()
        events.forEach(row => this.takeRow(row))
        this.upTo = Math.max(this.upTo, changed)
        this.listed++
        next = /<(.*)>; rel="next"/.exec(answer.headers.get('link'))?.[1]
      }
    } catch {
      this.again = true
    }
    this.listing = false
    if (this.again) setTimeout(() => this.list(), 50)
  }

  // Say something, whatever the number between 0 and 1 chooses.
  talk (chance) {
    if (this.unanswered.size >= MOST_UNANSWERED || this.text === null) return
    const id = newId()
    const length = [...this.base].length
    const at = Math.floor(chance * 1000 % 1 * length)
    const rows = [...this.rows.values()]
    const thread = rows.find(row => row.type === 'thread' && !row.deletedAt)
    const open = rows.find(row => row.type === 'suggest' && !this.unanswered.has(`decide ${row.id}`))
    let message = { type: 'chat', id, body: `${this.user} says ${chance}` }
    if (chance < 0.2 && length > 0) message = { type: 'comment', id, threadId: newId(), body: `why ${chance}?`, version: this.version, from: at, to: at + 1 }
    else if (chance < 0.4 && thread) message = { type: 'comment', id, threadId: thread.id, body: `because ${chance}` }
    else if (chance < 0.6 && length > 0) message = { type: 'suggest', id, baseVersion: this.version, op: type.normalize([at, { d: 1 }, 'é']) }
    else if (chance < 0.8 && open) message = { type: 'decide', id: open.id, accept: chance < 0.7 }
    this.unanswered.set(`${message.type} ${message.id}`, message)
    if (this.live) this.say(message)
  }

  get settled () {
    return super.settled && this.unanswered.size === 0
  }
}
