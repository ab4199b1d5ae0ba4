/**
 * What the client takes from its surroundings: time, chance, sockets, events of the page.
 * Nothing is looked at before a client is made, and a test may give its own.
 */

/**
 * @typedef {object} Environment
 * @property {() => number} now milliseconds since 1970
 * @property {(call: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} random from 0 to 1
 * @property {() => boolean} offline whether there is known to be no network
 * @property {(bytes: Uint8Array) => Promise<ArrayBuffer> | null | undefined} sha256 nothing where there is none
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
    sha256: bytes => global.crypto?.subtle?.digest('SHA-256', /** @type {Uint8Array<ArrayBuffer>} */ (bytes)),
    listen,
    ...given,
    WebSocket: given.WebSocket ?? global.WebSocket,
    fetch: given.fetch ?? global.fetch
  }
}

/**
 * @param {(name: string) => boolean} listener
 */
function listen (listener) {
  /** @param {Event} event */
  const own = event => {
    const { type } = event
    if (listener(type === 'visibilitychange' ? global.document.visibilityState : type) && type === 'beforeunload') event.preventDefault()
  }
  /** @param {'addEventListener' | 'removeEventListener'} how */
  const all = how => {
    for (const name of ['online', 'offline', 'pageshow', 'pagehide', 'beforeunload']) global[how]?.(name, own)
    global.document?.[how]('visibilitychange', own)
  }
  all('addEventListener')
  return () => all('removeEventListener')
}
