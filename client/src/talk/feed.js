/**
 * Makes sure that nothing is missed of what is numbered 1, 2, 3, ...: numbers come live, and
 * where some are missing or may be, the server is asked for a list of what came since.
 */

/** @import { Environment } from '../net/environment.js' */

/** How long numbers in between may take to come by themselves. */
const GAP_MS = 2000
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 30_000

/**
 * @param {Environment} env
 * @param {(since: number) => Promise<number>} list take all that changed since; returns the number up to which that is complete
 */
export function makeFeed (env, list) {
  let complete = 0
  let up = false
  let turn = 0 // of listing
  let busy = false
  let again = false // list once more after this one
  let tries = 0
  /** @type {any} */
  let timer
  /** @type {Set<number>} those that came before others that are missing */
  const ahead = new Set()

  const absorb = () => {
    for (const number of ahead) if (number <= complete) ahead.delete(number)
    while (ahead.delete(complete + 1)) complete++
  }

  /** @param {number} ms @param {() => void} call */
  const wait = (ms, call) => {
    env.clearTimeout(timer)
    timer = env.setTimeout(call, ms)
  }

  const ask = async () => {
    if (!up) return
    if (busy) {
      again = true
      return
    }
    env.clearTimeout(timer)
    const own = turn
    busy = true
    again = false
    try {
      const upTo = await list(complete)
      if (own !== turn) return
      complete = Math.max(complete, upTo)
      absorb()
      tries = 0
      busy = false
      if (again || ahead.size > 0) wait(again ? 0 : GAP_MS, ask)
    } catch (error) {
      if (own !== turn) return
      busy = false
      const { status } = /** @type {any} */ (error)
      // what may not be read, or is not there, will not come by asking
      if (status === 403 || status === 404) return
      wait(Math.max(/** @type {any} */ (error).retryAfter ?? 0, env.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries++)), ask)
    }
  }

  return {
    /** The number up to which everything is known. */
    get complete () { return complete },

    /** Something came. @param {number} number */
    heard (number) {
      if (number <= complete) return
      ahead.add(number)
      absorb()
      if (ahead.size > 0 && !busy) wait(GAP_MS, () => { if (ahead.size > 0) ask() })
    },

    /** Something may have been missed. */
    ask,

    /** There is a connection: what was said before it is to be listed. */
    connect () {
      up = true
      turn++
      busy = false
      tries = 0
      ask()
    },

    /** There is none, or it is another document's. @param {boolean} forget */
    stop (forget) {
      up = busy = false
      turn++
      env.clearTimeout(timer)
      if (!forget) return
      complete = 0
      ahead.clear()
    }
  }
}
