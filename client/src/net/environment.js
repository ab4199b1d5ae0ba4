/**
 * What the client takes from its surroundings: time, chance, sockets, events of the page.
 * Nothing is looked at before a client is made, and a test may give its own.
 */

import { when } from '../core/more.js'

/**
 * @typedef {object} Environment
 * @property {() => number} now milliseconds since 1970
 * @property {(call: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} random from 0 to 1
 * @property {() => boolean} offline whether there is known to be no network
 * @property {(bytes: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer> | null | undefined} [sha256] nothing where there is none
 * @property {(listener: (name: string) => boolean) => () => void} listen to what happens to the page; true: it should not be left
 * @property {new (url: string, protocol: string) => WebSocket} [WebSocket]
 * @property {typeof fetch} [fetch]
 */

const global = globalThis

/**
 * The surroundings there are.
 * @param {Partial<Environment>} given
 * @returns {Environment}
 */
export function environment (given) {
  return {
    now: Date.now,
    setTimeout: (call, ms) => setTimeout(call, ms),
    clearTimeout: timer => clearTimeout(timer),
    random: Math.random,
    offline: () => global.navigator?.onLine === false,
    listen,
    ...given,
    WebSocket: given.WebSocket ?? global.WebSocket,
    fetch: given.fetch ?? global.fetch
  }
}

/**
 * Listen as soon as that code is there.
 * @param {(name: string) => boolean} listener
 */
function listen (listener) {
  /** @type {Promise<() => void>} */
  const off = new Promise(resolve => when(found => resolve(found.listen(listener))))
  return () => { off.then(end => end()) }
}
