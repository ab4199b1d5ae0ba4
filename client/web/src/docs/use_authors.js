/** The authors of the living text, as colours in its editor. */

import { useEffect, useState } from 'preact/hooks'
import { api } from '../app/session.js'

/** @import { Document } from 'converge-client' */
/** @import { View } from '../editor/LiveEditor.jsx' */

/** Authors' colours follow what is typed, so long after it. */
const COLORS_MS = 600

/** Pages of the authors that are asked for, of 20,000 runs each: text behind them has no colour. */
const MOST_PAGES = 10

/**
 * The colours are those of the server's text: asked for anew when that has come to rest.
 * @param {Document} document
 * @param {View | null} view
 * @param {boolean} colored
 * @returns {string[]} the authors, most text first
 */
export function useAuthors (document, view, colored) {
  const [authors, setAuthors] = useState(/** @type {string[]} */ ([]))
  useEffect(() => {
    if (!colored || view === null) return
    let gone = false
    /** @type {any} */
    let timer
    const refresh = async () => {
      try {
        const { version, runs } = await api.all(`docs/${document.id}/blame`, 'runs', MOST_PAGES)
        if (gone || document.pending !== null || document.version !== version) return
        setAuthors(view.color(runs, version))
      } catch { /* the next change asks again */ }
    }
    const soon = (/** @type {number} */ ms) => {
      clearTimeout(timer)
      timer = setTimeout(refresh, ms)
    }
    soon(0)
    const offs = [document.on('change', () => soon(COLORS_MS)), document.on('saved', () => soon(COLORS_MS))]
    return () => {
      gone = true
      clearTimeout(timer)
      for (const off of offs) off()
      view.color(null, 0)
    }
  }, [document, view, colored])
  return authors
}
