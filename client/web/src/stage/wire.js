/**
 * A wire that can be cut: the sockets of a client, which are closed and cannot be opened
 * until it is joined again. The client is told as a browser tells pages.
 */

export class Wire {
  cut = false
  /** @type {Set<WebSocket>} */
  #sockets = new Set()
  /** @type {Set<(name: string) => boolean>} */
  #listeners = new Set()

  /** What a Client is given, to be on this wire. */
  get options () {
    const wire = this
    class WireSocket extends WebSocket {
      /** @param {string} url @param {string} protocol */
      constructor (url, protocol) {
        if (wire.cut) throw new Error('the wire is cut')
        super(url, protocol)
        wire.#sockets.add(this)
        this.addEventListener('close', () => wire.#sockets.delete(this))
      }
    }
    return {
      WebSocket: WireSocket,
      environment: {
        offline: () => wire.cut || navigator.onLine === false,
        listen: (/** @type {(name: string) => boolean} */ listener) => wire.#listen(listener)
      }
    }
  }

  /** @param {boolean} cut */
  set (cut) {
    this.cut = cut
    for (const listener of this.#listeners) listener(cut ? 'offline' : 'online')
    if (!cut) return
    for (const socket of this.#sockets) {
      const { onclose } = socket
      socket.onmessage = socket.onclose = null
      socket.close()
      onclose?.call(socket, new CloseEvent('close', { code: 1006 }))
    }
    this.#sockets.clear()
  }

  /** @param {(name: string) => boolean} listener */
  #listen (listener) {
    this.#listeners.add(listener)
    const own = (/** @type {Event} */ event) => {
      if (listener(event.type) && event.type === 'beforeunload') event.preventDefault()
    }
    const events = ['online', 'offline', 'pageshow', 'pagehide', 'beforeunload']
    for (const name of events) addEventListener(name, own)
    return () => {
      this.#listeners.delete(listener)
      for (const name of events) removeEventListener(name, own)
    }
  }
}
