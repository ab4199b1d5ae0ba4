/** A live document in an editor. */

import { Compartment, EditorState } from '@codemirror/state'
import { EditorView, placeholder } from '@codemirror/view'
import { converge } from 'converge-client/codemirror'
import { useEffect, useRef } from 'preact/hooks'
import { authors, authorsIn, setRuns } from './authors.js'
import { commits } from './commits.js'
import { lazyLanguage } from './language.js'
import { setup } from './setup.js'

/** @import { Document } from 'converge-client' */
/** @import { Run } from './authors.js' */

/**
 * What a page does with an editor of either kind.
 * @typedef {object} View
 * @property {(offset: number) => void} reveal bring a place into sight
 * @property {(runs: Run[] | null, newest: number) => string[]} color show who wrote what, up to the
 *   newest version; returns the authors, most text first
 * @property {() => { from: number, to: number } | null} selection
 *
 * @typedef {object} LiveEditorProps
 * @property {Document} document
 * @property {string} label for screen readers
 * @property {string} language chosen for it, or ''
 * @property {string} title which may say the language
 * @property {boolean} [focus] begin with the cursor in it, unless the user has put it elsewhere meanwhile
 * @property {(view: View | null) => void} [onView]
 */

/** @param {string} label */
const called = label => EditorView.contentAttributes.of({ 'aria-label': label })

/** Return true while no control has the focus: the user has not gone anywhere yet. */
export const idle = () => {
  const { activeElement, body } = globalThis.document
  return activeElement === null || activeElement === body || activeElement.tagName === 'MAIN'
}

/** @param {LiveEditorProps} props */
export function LiveEditor ({ document, label, language, title, focus = false, onView }) {
  const parent = useRef(/** @type {HTMLDivElement | null} */ (null))
  const rename = useRef(/** @param {string} label */ label => {})
  const speak = useRef(/** @param {string} title @param {string} language */ (title, language) => {})
  useEffect(() => {
    const spoken = lazyLanguage()
    const name = new Compartment()
    const view = new EditorView({
      parent: /** @type {HTMLElement} */ (parent.current),
      state: EditorState.create({
        extensions: [spoken.extension, converge(document), commits(document), authors(), placeholder('Write something…'), name.of(called(label)), setup({})]
      })
    })
    if (focus) document.loaded.then(() => { if (idle()) view.focus() }, () => {})
    // the text comes first
    speak.current = (title, language) => { document.loaded.then(() => spoken.speak(view, title, language)).catch(() => {}) }
    rename.current = label => view.dispatch({ effects: name.reconfigure(called(label)) })
    onView?.({
      reveal: offset => view.dispatch({ effects: EditorView.scrollIntoView(Math.min(offset, view.state.doc.length), { y: 'center' }) }),
      color (runs, newest) {
        view.dispatch({ effects: setRuns.of(runs === null ? null : { runs, newest }) })
        return authorsIn(view)
      },
      selection () {
        const { from, to } = view.state.selection.main
        return from === to ? null : { from, to }
      }
    })
    return () => {
      onView?.(null)
      view.destroy()
    }
  }, [document])
  useEffect(() => rename.current(label), [label])
  useEffect(() => speak.current(title, language), [document, title, language])
  return <div class='editor' ref={parent} />
}
