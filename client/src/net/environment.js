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
 * @property {(bytes: Uint8Array) => Promise<ArrayBuffer> | null} sha256 null where there is none
 * @property {(listener: (name: string) => boolean) => () => void} listen to what happens to the page; true: it should not be left
 * @property {new (url: string, protocol: string) => WebSocket} [WebSocket]
 * @property {typeof fetch} [fetch]
 */

/** Events after which to connect at once, and after which to leave. */
const WINDOW = ['online', 'offline', 'pageshow', 'pagehide', 'beforeunload']

/**
 * The surroundings there are.
 * @param {Partial<Environment>} given
 * @returns {Environment}
 */
export function environment (given) {
  const { WebSocket, fetch, navigator } = globalThis
  return {
    now: () => Date.now(),
    setTimeout: (call, ms) => setTimeout(call, ms),
    clearTimeout: timer => clearTimeout(timer),
    random: () => Math.random(),
    offline: () => navigator?.onLine === false,
    sha256: bytes => globalThis.crypto?.subtle?.digest('SHA-256', /** @type {Uint8Array<ArrayBuffer>} */ (bytes)) ?? null,
    listen,
    WebSocket,
    fetch,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  }
}

/**
 * @param {(name: string) => boolean} listener
 */
function listen (listener) {
  const { document } = globalThis
  if (typeof globalThis.addEventListener !== 'function' || typeof globalThis.removeEventListener !== 'function') return () => {}
  const own = (/** @type {Event} */ event) => {
    if (listener(event.type) && event.type === 'beforeunload') event.preventDefault()
  }
  const visible = () => { listener(document.visibilityState) }
  for (const name of WINDOW) globalThis.addEventListener(name, own)
  document?.addEventListener('visibilitychange', visible)
  return () => {
    for (const name of WINDOW) globalThis.removeEventListener(name, own)
    document?.removeEventListener('visibilitychange', visible)
  }
}
