/**
 * Events. They are delivered in the order in which they happened, also when a listener
 * makes another one happen; what a listener throws is reported and harms no other.
 */

/**
 * @template {Record<string, any>} Events
 */
export class Emitter {
  constructor () {
    /** @type {Map<keyof Events, Set<(event: any) => void>>} */
    this.listeners = new Map()
    /** @type {[keyof Events, any][]} */
    this.waiting = []
    this.delivering = false
  }

  /**
   * Call `listener` at each event; returns a function that ends that.
   * @template {keyof Events} K
   * @param {K} name
   * @param {(event: Events[K]) => void} listener
   * @returns {() => void}
   */
  on (name, listener) {
    let set = this.listeners.get(name)
    if (set === undefined) this.listeners.set(name, set = new Set())
    // the same function may listen twice
    const own = (/** @type {Events[K]} */ event) => listener(event)
    set.add(own)
    return () => { set.delete(own) }
  }

  /** @param {keyof Events} name */
  has (name) {
    return (this.listeners.get(name)?.size ?? 0) > 0
  }

  /**
   * @template {keyof Events} K
   * @param {K} name
   * @param {Events[K]} event
   */
  emit (name, event) {
    this.waiting.push([name, event])
    if (this.delivering) return
    this.delivering = true
    for (let next; (next = this.waiting.shift()) !== undefined;) {
      for (const listener of [...this.listeners.get(next[0]) ?? []]) {
        try {
          listener(next[1])
        } catch (error) {
          report(error)
        }
      }
    }
    this.delivering = false
  }
}

/**
 * Say an error as if nothing had caught it.
 * @param {unknown} error
 */
export function report (error) {
  if (typeof reportError === 'function') reportError(error)
  else console.error(error)
}
