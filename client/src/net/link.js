/**
 * A connection that is kept: it asks for a token, says hello, watches for answers, and when
 * it is lost it comes back, unless its end is final. What is said on it is not its business.
 */

import { load } from '../core/more.js'

/** @import { Environment } from './environment.js' */

/**
 * @typedef {object} LinkHost
 * @property {(token: string) => object} hello what to say first
 * @property {(message: any) => void} receive
 * @property {(up: boolean) => void} status it is being made, or was lost
 * @property {() => void} unauthenticated no token that the server takes
 * @property {(code: string, reason: string) => void} closed for good
 * @property {(code: number) => void} lost nothing is agreed any more; a close code, or 0
 *
 * @typedef {(ask: { fresh: boolean }) => string | null | undefined | Promise<string | null | undefined>} TokenFunction
 */

/** @typedef {ReturnType<typeof makeLink>} Link */

const LONGEST_WAIT_MS = 30_000
const FIRST_WAIT_MS = 500
/** How long a connection, a token or an answer may take before the link is doubted. */
const PATIENCE_MS = 15_000
/** How long an op that is not answered may take on a link that lives. */
const LONG_PATIENCE_MS = 60_000
/** A connection that lasted so long was a good one. */
const GOOD_MS = 5_000

/** @type {Record<number, string>} the close codes after which it does not come back */
const ENDS = { 4400: 'malformed', 4403: 'forbidden', 4404: 'not_found' }

// where it stands
const IDLE = 0
const WAITING = 1 // to try again
const TRYING = 2
const JOINED = 3
const STOPPED = 4

/**
 * @param {Environment} env
 * @param {string} url of the document's WebSocket
 * @param {TokenFunction} getToken
 * @param {LinkHost} host
 */
export function makeLink (env, url, getToken, host) {
  /** @type {WebSocket | null} */
  let socket = null
  let phase = IDLE
  let tries = 0
  let fresh = false // whether the last token was refused
  let turn = 0 // of trying; what belongs to an earlier one is not heard
  let least = 0 // the server asked to wait so long
  let joinedAt = 0
  let heardAt = 0
  let askedAt = 0 // since when an answer is owed; 0: none
  /** @type {any} */
  let timer
  /** @type {(() => void) | undefined} */
  let endRenewal

  /** @param {(() => void) | false} call @param {number} [ms] */
  const watch = (call, ms = PATIENCE_MS) => {
    env.clearTimeout(timer)
    timer = call && env.setTimeout(call, ms)
  }

  const lose = () => lost(0)
  const lastedLong = () => env.now() - joinedAt > GOOD_MS

  /** Forget the socket and all that waits. */
  const drop = () => {
    turn++
    askedAt = 0
    watch(false)
    endRenewal?.()
    const old = socket
    socket = null
    if (!old) return
    old.onopen = old.onmessage = old.onclose = null
    old.close()
  }

  /** Nothing is agreed any more. */
  const forget = () => {
    drop()
    host.lost(0)
  }

  /** @param {object} message */
  const send = message => {
    if (socket?.readyState === 1) socket.send(JSON.stringify(message))
  }

  /** Get a token; 0: there is none now. @param {boolean} fresh */
  const ask = async fresh => {
    try {
      return await getToken({ fresh })
    } catch {
      return 0
    }
  }

  const connect = async () => {
    const own = turn
    phase = TRYING
    host.status(true)
    watch(lose)
    const token = await ask(fresh)
    if (own !== turn) return
    if (token === 0) lose()
    else if (typeof token === 'string' && token) open(own, token)
    else refuse()
  }

  /** @param {number} own @param {string} token */
  const open = (own, token) => {
    let made
    try {
      made = socket = new /** @type {NonNullable<Environment['WebSocket']>} */ (env.WebSocket)(url, 'converge.v1')
    } catch {
      return lose()
    }
    watch(lose)
    made.onopen = async () => {
      send(host.hello(token))
      watch(lose)
      // get a fresh token before this one expires
      const found = await load()
      if (own === turn) endRenewal = found?.renewal(env, token, () => ask(true), next => send({ type: 'token', token: next }))
    }
    made.onmessage = ({ data }) => {
      if (own !== turn || typeof data !== 'string') return
      heardAt = env.now()
      host.receive(JSON.parse(data))
    }
    made.onerror = () => {}
    made.onclose = ({ code, reason }) => { if (own === turn) lost(code, reason) }
  }

  /** It was closed, or cannot be made. @param {number} code @param {string} [reason] */
  const lost = (code, reason = '') => {
    const good = phase !== JOINED || lastedLong()
    if (phase === JOINED && good) tries = 0
    drop()
    if (ENDS[code]) {
      phase = STOPPED
      return host.closed(ENDS[code], reason || `the connection was closed with ${code}`)
    }
    host.lost(code)
    if (code === 4401) {
      if (fresh) return refuse()
      fresh = true
      if (good) return void connect()
    }
    retry()
  }

  /** There is no token, or it is refused again: somebody has to log in. */
  const refuse = () => {
    drop()
    phase = IDLE
    fresh = false
    host.unauthenticated()
  }

  /** Try again after a while: the whole of it at random, so that clients come back one by one. */
  const retry = () => {
    const ms = least + env.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries)
    least = 0
    tries = Math.min(tries + 1, 10)
    phase = WAITING
    host.status(false)
    watch(connect, Math.min(ms, LONGEST_WAIT_MS))
  }

  /** Wait for what is owed; where it is long in coming, see whether anything does. */
  const wait = () => watch(askedAt !== 0 && (() => {
    if (env.now() - askedAt >= LONG_PATIENCE_MS) lose()
    else probe()
  }))

  /** Ask for a sign of life: a `pong`, or an older relay's word that it knows no `ping`. */
  const probe = () => {
    const asked = env.now()
    heardAt = -1
    send({ type: 'ping' })
    // a page that was asleep wakes up late: let what came meanwhile be heard first
    watch(() => watch(() => {
      if (heardAt < asked) lose()
      else wait()
    }, 1000))
  }

  /** Connect now, whatever it was about to do. */
  const start = () => {
    if (phase === STOPPED) return
    forget()
    connect()
  }

  /** Start where it waits, or for a token. */
  const again = () => {
    if (phase <= WAITING) start()
  }

  return {
    start,
    send,

    /** Ask for a token once more, after none was good. */
    authenticate: again,

    /** The page says that it is worth trying, or looking whether the connection still lives. */
    wake () {
      if (phase <= WAITING) tries = 0
      again()
      if (phase === JOINED) probe()
    },

    /** Close the connection, and come back at the next `wake` or `start`. */
    leave () {
      if (phase === STOPPED) return
      forget()
      phase = IDLE
      host.status(false)
    },

    /** Close it for good. */
    stop () {
      drop()
      phase = STOPPED
    },

    /** Connect anew, since something is missing or wrong; soon, but not in a loop. */
    restart () {
      const good = lastedLong() || tries === 0
      forget()
      if (!good) return retry()
      tries++
      connect()
    },

    /** The server let us in. */
    joined () {
      phase = JOINED
      fresh = false
      joinedAt = env.now()
      watch(false)
    },

    /**
     * Something was asked; false: it is answered. A link is judged by that alone, since no
     * message may be owed for hours, and a page in the background sleeps.
     * @param {boolean} open
     */
    question (open) {
      askedAt = open ? env.now() : 0
      if (phase === JOINED) wait()
    },

    /** Wait at least so long before connecting again. @param {number} ms */
    atLeast (ms) {
      least = ms
    }
  }
}
