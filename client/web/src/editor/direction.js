/** Lines with letters of a script from right to left go the way their first letter does. */

import { RangeSetBuilder } from '@codemirror/state'
import { Decoration, ViewPlugin } from '@codemirror/view'

/** @import { EditorView } from '@codemirror/view' */

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u
const auto = Decoration.line({ attributes: { dir: 'auto' } })
/** Of a very long line it is enough to look at the beginning. */
const LOOKED_AT = 1000

/** @param {EditorView} view */
function linesOf (view) {
  /** @type {RangeSetBuilder<Decoration>} */
  const builder = new RangeSetBuilder()
  const { doc } = view.state
  let next = 0
  for (const { from, to } of view.visibleRanges) {
    for (let at = Math.max(from, next); at <= to;) {
      const line = doc.lineAt(at)
      if (line.from >= next && RIGHT_TO_LEFT.test(line.text.slice(0, LOOKED_AT))) builder.add(line.from, line.from, auto)
      at = next = line.to + 1
    }
  }
  return builder.finish()
}

class Directions {
  /** @param {EditorView} view */
  constructor (view) {
    this.lines = linesOf(view)
  }

  /** @param {import('@codemirror/view').ViewUpdate} update */
  update (update) {
    if (update.docChanged || update.viewportChanged) this.lines = linesOf(update.view)
  }
}

export const direction = ViewPlugin.fromClass(Directions, { decorations: value => value.lines })
