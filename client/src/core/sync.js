/**
 * Keeps a document's state and the server's the same: takes what comes from the link, sends
 * what was typed, one op at a time, and decides what becomes of it. It knows no user
 * interface and no storage; what happens it tells its host, what must be stored before it
 * may be sent its keeper.
 */

import { makeLink } from '../net/link.js'
import { bytesOf, IDENTITY, parse, print, whole } from '../ot/index.js'
import { batchOf } from './edits.js'
import { ids } from './ids.js'
import { more } from './more.js'
import * as states from './state.js'

/** @import { Client } from '../client.js' */
/** @import { Record as Stored } from '../offline/backend.js' */
/** @import { Op, WireOp } from '../ot/op.js' */
/** @import { Change } from '../ot/text.js' */
/** @import { Batch, Committed } from './edits.js' */
/** @import { Point, Sent, State, Step } from './state.js' */

/**
 * @typedef {{ origin: 'local' | 'remote', userId: string | null, source?: unknown, undo?: boolean }} How
 *
 * @typedef {object} SyncHost
 * @property {(op: Op, changes: Change[], how: How) => void} change what is shown
 * @property {(op: Op | null, from: number, userId: string | null) => void} advance the server's text, by an op from a version; null: in a way that cannot be followed
 * @property {() => void} pending what is pending has changed
 * @property {(draft: Op, failed: { code: string, message: string, operationId: string | null }, batches: Batch[]) => void} rejected
 * @property {() => void} connected ops flow
 * @property {(message: any) => void} message something that does not concern the text
 * @property {(up: boolean) => void} status a connection is being made, or was lost
 * @property {() => void} unauthenticated
 * @property {(code: string, reason: string) => void} closed for good
 *
 * @typedef {object} Gate what stores
 * @property {(typed: WireOp | null) => void} change the state is another; by typing alone, if an op is given
 * @property {(op: WireOp | null) => void} advance the server's text, by an op, or (null) by a jump
 * @property {() => Promise<void> | null} gate resolves when what was frozen may be sent; null: now
 *
 * @typedef {ReturnType<typeof makeSync>} Sync
 */

/** Bytes of an op that every server takes, and those below which it is not cut any more. */
const LIMIT_BYTES = 512 * 1024
const LEAST_BYTES = 256

/** @param {any} what has a point in it @returns {Point} */
const pointOf = ({ version, operationId = null, sequenceId = null }) => ({ version, operationId, sequenceId })

/** @param {...(Batch | null)} list @returns {Batch[]} those there are, each once */
const distinct = (...list) => /** @type {Batch[]} */ ([...new Set(list)].filter(each => each))

/**
 * @param {Client} client
 * @param {string} id of the document
 * @param {SyncHost} host
 */
export function makeSync (client, id, host) {
  const { env } = client
  const nextId = ids(env.random)
  /** @type {State | null} */
  let current = null
  /** @type {Gate | null} */
  let keeper = null
  /** @type {string | undefined} the document's life on the server */
  let life
  /** @type {Batch | null} of what was sent */
  let sentBatch = null
  /** @type {Batch | null} of what was typed behind it; the same, where it is the rest of a long op */
  let batch = null
  let limit = LIMIT_BYTES
  let tries = 0 // how often the op that was sent was, as far as is known
  let over = false // the document has ended, perhaps while a message was being taken
  let fresh = false // the next hello asks for a snapshot
  /** @type {'in' | 'out' | null} what an earlier connection said of the op that was sent */
  let verdict = null
  /** @type {any} */
  let again
  // of this connection:
  let flowing = false // ops flow: the snapshot, if any, is taken
  let lived = false // they have
  let awaited = 0 // the version up to which ops come by themselves, among them perhaps our own
  /** @type {object | null} something is on its way to the server, or waits to be */
  let sending = null
  /** @type {'in' | 'out' | 'as it was' | null} what is known of the op that was sent */
  let known = null

  const state = () => /** @type {State} */ (current)

  /** The connection is lost, or closed. @param {number} code */
  const lost = code => {
    env.clearTimeout(again)
    flowing = lived = false
    sending = known = null
    awaited = 0
    // an op that is too big for the server's door: smaller pieces, once it is known not to be in
    const sent = current?.sent
    if (code !== 1009 || !sent) return
    limit = Math.max(LEAST_BYTES, Math.min(limit, sentBytes()) >> 1)
    if (tries === 1) verdict = 'out'
  }

  const link = makeLink(env, client.socketUrl(id), client.token, {
    ...host,

    hello (token) {
      const { version, operationId, sequenceId, sent } = current ?? {}
      return {
        type: 'hello',
        token,
        ...!fresh && { version, operationId: operationId || undefined, sequenceId: (operationId && sequenceId) || undefined },
        life,
        pending: sent?.id
      }
    },

    receive (message) {
      switch (message.type) {
        case 'joined': return joined(message)
        case 'snapshot': return snapshot(message)
        case 'ops': return takeOps(message.ops)
        case 'catchup': return takeOps([message], message.fromVersion)
        case 'reject':
          if (message.of) break
          return rejected(message)
        case 'checksum': return void (current && checksum(current))
        case 'error': if (message.retryAfter > 0) link.atLeast(message.retryAfter)
      }
      host.message(message)
    },

    lost
  })

  const sentBytes = () => bytesOf(current?.sent?.op ?? IDENTITY)

  // ---- joining ----

  /** @param {any} message */
  const joined = message => {
    const { pendingVersion, version } = message
    const sent = current?.sent
    link.joined()
    life = message.life
    known = pendingVersion === null ? 'out' : pendingVersion === undefined ? verdict : pendingVersion > version ? 'as it was' : 'in'
    flowing = false
    awaited = version
    host.message(message)
    if (!message.resumed) return
    if (sent && pendingVersion <= state().version && known === 'in') own({ version: pendingVersion, operationId: sent.id })
    flow()
  }

  /** @param {any} message */
  const snapshot = message => {
    const { content } = message
    const point = pointOf(message)
    const { version, sequenceId } = point
    const before = current
    // a second one on this connection, and an op is under way that it may have or not: only a
    // new connection says that
    if (lived && before?.sent) return resynchronize(null)
    keeper?.advance(null)
    if (before) {
      const step = states.replace(before, content, point, known ?? 'out')
      take(step, null, () => host.advance(null, version, null))
      // it is in, or nothing is left of it
      if (before.sent && !step.state.sent) answered({ operationId: known === 'in' ? before.sent.id : null, version, at: null })
    } else {
      current = states.begin(content, point)
      keeper?.change(null)
    }
    fresh = false
    known = verdict = null
    awaited = version
    if (!over) link.send({ type: 'ack', sequenceId })
    flow()
  }

  /** Ops flow now. */
  const flow = () => {
    if (over) return
    flowing = lived = true
    host.connected()
    flush()
  }

  // ---- ops ----

  /**
   * Take committed ops, in order. Neighbours of one user are taken as one.
   * @param {any[]} entries
   * @param {number} [from] the version the only one of them begins at
   */
  const takeOps = (entries, from) => {
    for (let i = 0; i < entries.length;) {
      if (!current || over) return
      const { version, sent } = current
      let entry = entries[i++]
      if (entry.operationId === sent?.id) own(entry)
      else if (entry.version > version) {
        // something is missing: resume
        if ((from ?? entry.version - 1) !== version) return link.restart()
        const ops = [parse(entry.op)]
        for (let next; (next = entries[i]) && next.version === entry.version + 1 && next.userId === entry.userId && next.operationId !== sent?.id; i++) {
          ops.push(parse(next.op))
          entry = next
        }
        advance(states.receive, whole(ops), entry)
      }
    }
    flush()
  }

  /**
   * The server's text has advanced by an op.
   * @param {typeof states.receive} how
   * @param {Op} op
   * @param {any} entry what it makes
   */
  const advance = (how, op, entry) => {
    const { userId = null } = entry
    const from = state().version
    const step = how(state(), op, pointOf(entry))
    keeper?.advance(print(op))
    take(step, userId, () => host.advance(op, from, userId))
  }

  /** The answer to what was sent. @param {any} entry */
  const own = entry => {
    const { version, operationId, at = null } = entry
    if (version > state().version + 1) return link.restart()
    if (version > state().version) advance(states.settle, parse(entry.op), entry)
    // else it was in the text already: in a snapshot that came before the answer
    else take(states.settle(state(), IDENTITY), null)
    answered({ operationId, version, at })
  }

  /** What was sent is in. @param {Committed} committed */
  const answered = committed => {
    const answers = sentBatch
    known = verdict = sentBatch = sending = null
    link.question(false)
    if (answers !== batch) answers?.resolve(committed)
    host.pending()
  }

  /**
   * Go to a new state that others brought about.
   * @param {Step} step
   * @param {string | null} userId
   * @param {() => void} [after] what to tell before what it changed
   */
  const take = (step, userId, after) => {
    current = step.state
    keeper?.change(null)
    after?.()
    if (step.op.length > 0) host.change(step.op, step.changes, { origin: 'remote', userId })
    // others may have left nothing of what was typed
    unlessTyped()
  }

  // ---- typing ----

  /**
   * The user changes what is shown.
   * @param {Op} op
   * @param {{ source?: unknown, undo?: boolean }} how
   * @returns {{ committed: Promise<Committed>, changes: Change[] }}
   */
  const edit = (op, how) => {
    const step = states.edit(state(), op)
    const { changes } = step
    const { promise } = batch ??= batchOf(env.now())
    batch.edits++
    current = step.state
    keeper?.change(print(op))
    if (current.pile.length === 0) empty()
    host.change(op, changes, { ...how, origin: 'local', userId: null })
    host.pending()
    flush()
    return { committed: promise, changes }
  }

  /** What was typed comes to nothing: it is answered at once. */
  const empty = () => {
    if (batch !== sentBatch) batch?.resolve({ operationId: null, version: state().version, at: null })
    batch = null
  }

  /** Answer what was typed if nothing is left of it, other than by typing. */
  const unlessTyped = () => {
    if (!batch || state().pile.length > 0) return
    empty()
    host.pending()
  }

  /** Send what there is to send, if it may be sent now. */
  const flush = () => {
    if (!current || !flowing || sending) return
    if (current.sent) return resend()
    if (current.pile.length === 0) return
    freeze(limit)
    keeper?.change(null)
    if (current.sent) send()
    else host.pending()
  }

  /** What was typed becomes what is sent, or the first piece of it. @param {number} bytes */
  const freeze = bytes => {
    current = states.freeze(state(), nextId(), bytes)
    if (!current.sent) return empty()
    tries = 0
    sentBatch = batch
    // the rest of a long op belongs to the same edits
    if (!current.sent.more) batch = null
  }

  /** What was sent before goes again, once it cannot come by itself any more. */
  const resend = () => {
    if (known === 'out' && sentBytes() > limit) {
      thaw()
    } else if (known === 'out' || state().version >= awaited) send()
  }

  /** Type again what was sent and is known not to be in, and send that. */
  const thaw = () => {
    current = states.thaw(state())
    if (sentBatch && batch && sentBatch !== batch) {
      // edits behind it go with it: whoever waits for them is answered by the same op
      batch.promise.then(sentBatch.resolve, sentBatch.reject)
      batch.edits += sentBatch.edits
      batch.since = sentBatch.since
    }
    batch ??= sentBatch
    sentBatch = known = verdict = null
    keeper?.change(null)
    // what was typed since may take it back
    unlessTyped()
    flush()
  }

  /** Send what is frozen, when the keeper lets it go. */
  const send = () => {
    const turn = sending = {}
    const go = () => {
      if (sending !== turn) return
      const { id, base, op } = /** @type {Sent} */ (state().sent)
      link.send({ type: 'op', operationId: id, baseVersion: base, op: print(op) })
      link.question(true)
      tries++
    }
    const gate = keeper?.gate()
    if (gate) gate.then(go, () => {})
    else go()
  }

  // ---- refusals ----

  /** @param {any} message */
  const rejected = ({ operationId, code, message, retryAfter }) => {
    const sent = current?.sent
    if (!sent || sent.id !== operationId) return
    link.question(false)
    sending = null
    switch (code) {
      case 'unavailable':
      case 'rate_limited': return later(retryAfter)
      case 'stale': return resynchronize('out')
      case 'conflict': return conflict(sent)
      case 'too_large': if (halve()) return
    }
    giveBack(code, message)
  }

  /** Send again after a while. @param {number} ms */
  const later = ms => {
    const turn = sending = {}
    env.clearTimeout(again)
    again = env.setTimeout(() => {
      // it may have come meanwhile, and the next be under way
      if (sending !== turn) return
      sending = null
      flush()
    }, ms > 0 ? ms : 1000)
  }

  /** The id is taken: by ourselves, if it was sent before; then the op is in. @param {Sent} sent */
  const conflict = sent => {
    const first = tries === 1
    if (first) current = { ...state(), sent: { ...sent, id: nextId() } }
    resynchronize(first ? 'out' : 'in')
  }

  /** Take a fresh snapshot. @param {'in' | 'out' | null} what is known of what was sent */
  const resynchronize = what => {
    verdict = what
    fresh = true
    link.restart()
  }

  /** Send it in smaller pieces, if it may be cut. */
  const halve = () => {
    const half = sentBytes() >> 1
    if (half < LEAST_BYTES) return false
    limit = Math.min(limit, half)
    thaw()
    return true
  }

  /**
   * Give what was sent back to the user.
   * @param {string} code
   * @param {string} message
   */
  const giveBack = (code, message) => {
    const { id, more } = /** @type {Sent} */ (state().sent)
    const step = states.takeBack(state())
    const batches = distinct(sentBatch, more ? batch : null)
    if (more) batch = null
    sentBatch = known = verdict = sending = null
    take(step, null)
    host.rejected(step.draft, { code, message, operationId: id }, batches)
    host.pending()
    flush()
  }

  /**
   * Give back all that is pending, since it can never be sent.
   * @param {string} code
   * @param {string} message
   */
  const giveAllBack = (code, message) => {
    flowing = false
    while (current && states.isPending(current)) {
      if (!current.sent) freeze(Infinity)
      if (current.sent) giveBack(code, message)
    }
  }

  // ---- the same text? ----

  /** @param {State} of */
  const checksum = async ({ base, version }) => {
    const hex = await more?.checksum(String(base), env)
    if (hex && flowing) link.send({ type: 'checksum', version, checksum: hex })
  }

  const sync = {
    host,
    link,
    edit,
    giveAllBack,
    nextId,

    get state () { return current },
    get life () { return life },
    get flowing () { return flowing },
    get keeper () { return keeper },
    set keeper (/** @type {Gate | null} */ next) { keeper = next },

    /** Nothing is sent any more, but the host may still ask what there was. */
    end () {
      over = true
      link.stop()
      lost(0)
    },

    /** Edits that wait, at most two. */
    get batches () {
      return distinct(sentBatch, batch)
    },

    /** @returns {null | { edits: number, since: number }} */
    get pending () {
      if (!current || !states.isPending(current)) return null
      const { batches } = sync
      return { edits: batches.reduce((sum, { edits }) => sum + edits, 0), since: Math.min(...batches.map(({ since }) => since)) }
    },

    /** Go on from the server's text, as it is now. */
    refresh () {
      resynchronize(verdict)
    },

    /** Everything that a crash must not lose, but for the text. */
    stored () {
      const { sent, pile } = state()
      const { edits = 0, since = null } = sync.pending ?? {}
      return {
        ...pointOf(state()), life, edits, since,
        inflight: sent && { ...sent, op: print(sent.op), now: print(sent.now) },
        pile: print(whole(pile))
      }
    },

    /**
     * Go on where a session ended. What was in flight may have been sent, or not.
     * @param {Stored} stored
     * @param {typeof import('../offline/restore.js').restore} restore
     */
    restore (stored, restore) {
      ({ state: current, sentBatch, batch } = restore(stored, pointOf(stored.meta), env.now(), { batchOf, parse, begin: states.begin, edit: states.edit, receive: states.receive }))
      tries = 1
      life = stored.meta.life
    }
  }
  return sync
}
