/** Events of the page. */

const global = globalThis

/**
 * Listen to what happens to the page; returns a function that ends that.
 * @param {(name: string) => boolean} listener
 */
export function listen (listener) {
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
  // it may have happened before this was loaded
  if (global.navigator?.onLine === false) listener('offline')
  return () => all('removeEventListener')
}
