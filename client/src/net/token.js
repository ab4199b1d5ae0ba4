/** What a token says of itself (only the server can tell if it is true), and its renewal. */

/** @import { Environment } from './environment.js' */

/**
 * Read the claims of a JWT; none of what is no JWT.
 * @param {unknown} token
 * @returns {{ sub?: string, exp?: number, iat?: number }}
 */
export function claims (token) {
  try {
    const part = String(token).split('.')[1].replace(/-/g, '+').replace(/_/g, '/')
    return { ...JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), character => character.charCodeAt(0)))) }
  } catch {
    return {}
  }
}

/**
 * In how many milliseconds a token should be renewed: half a minute before it expires, or
 * in time, if it does not live that long, and after twelve days, since timers of browsers
 * take 31 bits. 0: it does not expire.
 * @param {unknown} token
 * @param {number} now in milliseconds
 */
function renewIn (token, now) {
  const { exp } = claims(token)
  if (typeof exp !== 'number') return 0
  const left = exp * 1000 - now
  return Math.min(Math.max(1000, left - Math.min(30_000, left / 4)), 2 ** 30)
}

/**
 * Get a fresh token before one expires, again and again; returns a function that ends that.
 * @param {Environment} env
 * @param {string} token
 * @param {() => Promise<unknown>} ask for a fresh one
 * @param {(token: string) => void} tell of it
 */
export function renewal (env, token, ask, tell) {
  /** @type {any} */
  let timer
  let over = false
  const wait = (ms = renewIn(token, env.now())) => {
    if (ms) timer = env.setTimeout(renew, ms)
  }
  const renew = async () => {
    const next = await ask()
    if (over) return
    if (typeof next !== 'string' || next === token) return wait(10_000)
    tell(token = next)
    wait()
  }
  wait()
  return () => {
    over = true
    env.clearTimeout(timer)
  }
}
