/** A live document in an editor. */

import { Compartment, EditorState } from '@codemirror/state'
import { EditorView, placeholder } from '@codemirror/view'
import { converge } from 'converge-client/codemirror'
import { focusTalk, talk as talkIn } from 'converge-client/codemirror-talk'
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
 * @property {(id: string, from: number) => void} look show a thread or suggestion as the one that is looked at
 *
 * @typedef {object} TalkProps what is said beside the text
 * @property {boolean} suggesting what is typed is a suggestion
 * @property {(id: string) => void} onThread
 * @property {(id: string) => void} onSuggestion
 * @property {(place: { from: number, to: number }) => void} onComment
 *
 * @typedef {object} LiveEditorProps
 * @property {Document} document
 * @property {string} label for screen readers
 * @property {string} language chosen for it, or ''
 * @property {string} title which may say the language
 * @property {boolean} [focus] begin with the cursor in it, unless the user has put it elsewhere meanwhile
 * @property {(view: View | null) => void} [onView]
 * @property {TalkProps} [talk]
 */

/** @param {string} label */
const called = label => EditorView.contentAttributes.of({ 'aria-label': label })

/** Return true while no control has the focus: the user has not gone anywhere yet. */
export const idle = () => {
  const { activeElement, body } = globalThis.document
  return activeElement === null || activeElement === body || activeElement.tagName === 'MAIN'
}

/** @param {LiveEditorProps} props */
export function LiveEditor ({ document, label, language, title, focus = false, onView, talk }) {
  const said = useRef(talk)
  said.current = talk
  const propose = useRef(/** @param {boolean} on */ on => {})
  const parent = useRef(/** @type {HTMLDivElement | null} */ (null))
  const rename = useRef(/** @param {string} label */ label => {})
  const speak = useRef(/** @param {string} title @param {string} language */ (title, language) => {})
  useEffect(() => {
    const spoken = lazyLanguage()
    const name = new Compartment()
    const marks = new Compartment()
    const marked = (/** @type {boolean} */ suggesting) => talk === undefined ? [] : talkIn(document, {
      suggesting,
      onThread: id => said.current?.onThread(id),
      onSuggestion: id => said.current?.onSuggestion(id),
      onComment: place => said.current?.onComment(place)
    })
    const view = new EditorView({
      parent: /** @type {HTMLElement} */ (parent.current),
      state: EditorState.create({
        extensions: [spoken.extension, converge(document), marks.of(marked(false)), commits(document), authors(), placeholder('Write something…'), name.of(called(label)), setup({})]
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
      },
      look: (id, from) => view.dispatch({ effects: [focusTalk.of(id), EditorView.scrollIntoView(Math.min(from, view.state.doc.length), { y: 'center' })] })
    })
    propose.current = on => view.dispatch({ effects: marks.reconfigure(marked(on)) })
    return () => {
      onView?.(null)
      view.destroy()
    }
  }, [document])
  useEffect(() => rename.current(label), [label])
  const suggesting = talk?.suggesting ?? false
  useEffect(() => propose.current(suggesting), [document, suggesting])
  useEffect(() => speak.current(title, language), [document, title, language])
  return <div class='editor' ref={parent} />
}
