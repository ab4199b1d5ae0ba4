/**
 * A connection that is kept: it asks for a token, says hello, watches for answers, and when
 * it is lost it comes back, unless its end is final. What is said on it is not its business.
 */

import { renewIn } from './token.js'

/** @import { Environment } from './environment.js' */

/**
 * @typedef {object} LinkHost
 * @property {(token: string) => object} hello what to say first
 * @property {(message: any) => void} receive
 * @property {(up: boolean) => void} moved it is being made, or was lost
 * @property {() => void} unauthenticated no token that the server takes
 * @property {(code: number, reason: string) => void} ended for good
 * @property {(code: number) => void} lost nothing is agreed any more; a close code, or 0
 *
 * @typedef {(ask: { fresh: boolean }) => string | null | undefined | Promise<string | null | undefined>} TokenFunction
 */

const FINAL = new Set([4400, 4403, 4404])
const LONGEST_WAIT_MS = 30_000
const FIRST_WAIT_MS = 500
/** How long a connection, a token or an answer may take before the link is doubted. */
const PATIENCE_MS = 15_000
/** How long an op that is not answered may take on a link that lives. */
const LONG_PATIENCE_MS = 60_000
/** A connection that lasted so long was a good one. */
const GOOD_MS = 5_000

export class Link {
  /**
   * @param {Environment} env
   * @param {string} url of the document's WebSocket
   * @param {TokenFunction} token
   * @param {LinkHost} host
   */
  constructor (env, url, token, host) {
    this.env = env
    this.url = url
    this.token = token
    this.host = host
    /** @type {WebSocket | null} */
    this.socket = null
    /** 'idle', 'waiting' to try again, 'trying', 'greeted', 'joined', 'stopped' */
    this.phase = 'idle'
    this.tries = 0
    this.fresh = false // whether the last token was refused
    this.turn = 0 // of trying; what belongs to an earlier one is not heard
    this.least = 0 // the server asked to wait so long
    this.joinedAt = 0
    this.heardAt = 0
    this.askedAt = 0 // since when an answer is owed; 0: none
    /** @type {any} */
    this.timer = null
    /** @type {any} */
    this.renewal = null
  }

  /** Connect now, whatever it was about to do. */
  start () {
    if (this.phase === 'stopped') return
    this.#drop()
    this.host.lost(0)
    this.#connect(this.turn)
  }

  /**
   * The page says that it is worth trying, or looking whether the connection still lives.
   */
  wake () {
    if (this.phase === 'waiting' || this.phase === 'idle') {
      this.tries = 0
      this.start()
    } else if (this.phase === 'joined') this.#probe()
  }

  /** Close the connection, and come back at the next `wake` or `start`. */
  leave () {
    if (this.phase === 'stopped') return
    this.#drop()
    this.host.lost(0)
    this.phase = 'idle'
    this.host.moved(false)
  }

  /** Close it for good. */
  stop () {
    this.#drop()
    this.phase = 'stopped'
  }

  /** Connect anew, since something is missing or wrong; soon, but not in a loop. */
  restart () {
    const good = this.env.now() - this.joinedAt > GOOD_MS || this.tries === 0
    this.#drop()
    this.host.lost(0)
    if (good) {
      this.tries++
      this.#connect(this.turn)
    } else this.#retry()
  }

  /** @param {object} message */
  send (message) {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(message))
  }

  /** The server let us in. */
  joined () {
    this.phase = 'joined'
    this.fresh = false
    this.joinedAt = this.env.now()
    this.#watch(null)
  }

  /**
   * Something was asked; false: it is answered. A link is judged by that alone, since no
   * message may be owed for hours, and a page in the background sleeps.
   * @param {boolean} open
   */
  question (open) {
    this.askedAt = open ? this.env.now() : 0
    if (this.phase === 'joined') this.#await()
  }

  /** Wait at least so long before connecting again. @param {number} ms */
  atLeast (ms) {
    this.least = ms
  }

  /** Ask for a token once more, after none was good. */
  authenticate () {
    if (this.phase === 'idle' || this.phase === 'waiting') this.start()
  }

  /** @param {(() => void) | null} call @param {number} [ms] */
  #watch (call, ms = PATIENCE_MS) {
    this.env.clearTimeout(this.timer)
    this.timer = call === null ? null : this.env.setTimeout(call, ms)
  }

  /** Forget the socket and all that waits. */
  #drop () {
    this.turn++
    this.askedAt = 0
    this.#watch(null)
    this.env.clearTimeout(this.renewal)
    const { socket } = this
    this.socket = null
    if (socket !== null) {
      socket.onopen = socket.onmessage = socket.onclose = null
      socket.onerror = () => {}
      socket.close()
    }
  }

  /** @param {number} turn */
  async #connect (turn) {
    this.phase = 'trying'
    this.host.moved(true)
    this.#watch(() => this.#lose(0))
    let token
    try {
      token = await this.token({ fresh: this.fresh })
    } catch {
      if (turn === this.turn) this.#lose(0)
      return
    }
    if (turn !== this.turn) return
    if (typeof token !== 'string' || token === '') return this.#refuse()
    this.#open(turn, token)
  }

  /** @param {number} turn @param {string} token */
  #open (turn, token) {
    const WebSocket = /** @type {NonNullable<Environment['WebSocket']>} */ (this.env.WebSocket)
    let socket
    try {
      socket = new WebSocket(this.url, 'converge.v1')
    } catch {
      return this.#lose(0)
    }
    this.socket = socket
    this.#watch(() => this.#lose(0))
    socket.onopen = () => {
      this.phase = 'greeted'
      this.send(this.host.hello(token))
      this.#watch(() => this.#lose(0))
    }
    socket.onmessage = event => {
      if (turn !== this.turn || typeof event.data !== 'string') return
      this.heardAt = this.env.now()
      this.host.receive(JSON.parse(event.data))
    }
    socket.onerror = () => {}
    socket.onclose = event => { if (turn === this.turn) this.#lose(event.code, event.reason) }
    this.#renew(turn, token)
  }

  /** Get a fresh token before this one expires. @param {number} turn @param {string} token */
  #renew (turn, token) {
    const ms = renewIn(token, this.env.now())
    if (ms === null) return
    this.renewal = this.env.setTimeout(async () => {
      if (ms > 2 ** 30) return this.#renew(turn, token)
      let next
      try {
        next = await this.token({ fresh: true })
      } catch {
        next = null
      }
      if (turn !== this.turn) return
      if (typeof next === 'string' && next !== token) {
        this.send({ type: 'token', token: next })
        this.#renew(turn, next)
      } else this.renewal = this.env.setTimeout(() => { if (turn === this.turn) this.#renew(turn, token) }, 10_000)
    }, Math.min(ms, 2 ** 30 + 1))
  }

  /** It was closed, or cannot be made. @param {number} code @param {string} [reason] */
  #lose (code, reason = '') {
    const { phase } = this
    this.#drop()
    if (FINAL.has(code)) {
      this.phase = 'stopped'
      return this.host.ended(code, reason)
    }
    this.host.lost(code)
    if (code === 4401) {
      if (this.fresh) return this.#refuse()
      this.fresh = true
      if (phase !== 'joined' || this.env.now() - this.joinedAt > GOOD_MS) return void this.#connect(this.turn)
    }
    if (phase === 'joined' && this.env.now() - this.joinedAt > GOOD_MS) this.tries = 0
    this.#retry()
  }

  /** There is no token, or it is refused again: somebody has to log in. */
  #refuse () {
    this.#drop()
    this.phase = 'idle'
    this.fresh = false
    this.host.unauthenticated()
  }

  /** Try again after a while: the whole of it at random, so that clients come back one by one. */
  #retry () {
    const ms = this.least + this.env.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.tries)
    this.least = 0
    this.tries = Math.min(this.tries + 1, 10)
    this.phase = 'waiting'
    this.host.moved(false)
    this.#watch(() => this.#connect(this.turn), Math.min(ms, LONGEST_WAIT_MS))
  }

  /** Wait for what is owed; where it is long in coming, see whether anything does. */
  #await () {
    this.#watch(this.askedAt === 0 ? null : () => {
      if (this.env.now() - this.askedAt >= LONG_PATIENCE_MS) this.#lose(0)
      else this.#probe()
    })
  }

  /** Say something that every server answers, if only that it does not know it. */
  #probe () {
    const asked = this.env.now()
    this.heardAt = -1
    this.send({ type: 'ping' })
    this.#watch(() => {
      // a page that was asleep wakes up late: let what came meanwhile be heard first
      this.#watch(() => {
        if (this.heardAt < asked) this.#lose(0)
        else this.#await()
      }, 1000)
    })
  }
}
