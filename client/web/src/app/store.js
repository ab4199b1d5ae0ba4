/** A value that components follow. */

import { useEffect, useState } from 'preact/hooks'

/** @template T */
export class Store {
  /** @type {Set<() => void>} */
  #listeners = new Set()

  /** @param {T} value */
  constructor (value) {
    this.value = value
  }

  /** @param {T} value */
  set (value) {
    if (value === this.value) return
    this.value = value
    for (const listener of this.#listeners) listener()
  }

  /** @param {() => void} listener */
  listen (listener) {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }
}

/**
 * The value of a store; the component is drawn anew when it changes.
 * @template T
 * @param {Store<T>} store
 * @returns {T}
 */
export function useStore (store) {
  const [, redraw] = useState({})
  useEffect(() => store.listen(() => redraw({})), [store])
  return store.value
}

/**
 * Draw the component anew at events of a document.
 * @param {import('converge-client').Document} document
 * @param {(keyof import('converge-client').DocumentEvents)[]} events
 */
export function useDocument (document, events) {
  const [, redraw] = useState({})
  useEffect(() => {
    let due = false
    const soon = () => {
      if (due) return
      due = true
      requestAnimationFrame(() => {
        due = false
        redraw({})
      })
    }
    soon()
    const offs = events.map(event => document.on(event, soon))
    return () => offs.forEach(off => off())
  }, [document])
}
