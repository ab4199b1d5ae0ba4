/**
 * Events. They are delivered in the order in which they happened, also when a listener
 * makes another one happen; what a listener throws is reported and harms no other.
 */

/**
 * @template {Record<string, any>} Events
 */
export class Emitter {
  /** @type {Partial<Record<keyof Events, Set<(event: any) => void>>>} */
  #listeners = {}
  /** @type {[keyof Events, any][]} the first is being delivered */
  #waiting = []

  /**
   * Call `listener` at each event; returns a function that ends that.
   * @template {keyof Events} K
   * @param {K} name
   * @param {(event: Events[K]) => void} listener
   * @returns {() => void}
   */
  on (name, listener) {
    const set = (this.#listeners[name] ??= new Set())
    // the same function may listen twice
    const own = (/** @type {Events[K]} */ event) => listener(event)
    set.add(own)
    return () => { set.delete(own) }
  }

  /** @param {keyof Events} name */
  has (name) {
    return !!this.#listeners[name]?.size
  }

  get delivering () {
    return this.#waiting.length > 0
  }

  /**
   * @template {keyof Events} K
   * @param {K} name
   * @param {Events[K]} event
   */
  emit (name, event) {
    if (this.#waiting.push([name, event]) > 1) return
    for (let next; (next = this.#waiting[0]); this.#waiting.shift()) {
      for (const listener of [...this.#listeners[next[0]] ?? []]) {
        try {
          listener(next[1])
        } catch (error) {
          report(error)
        }
      }
    }
  }
}

/**
 * Say an error as if nothing had caught it.
 * @param {unknown} error
 */
export function report (error) {
  (globalThis.reportError ?? console.error)(error)
}
