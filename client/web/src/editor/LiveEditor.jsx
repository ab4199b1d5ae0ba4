/** A live document in an editor. */

import { Compartment, EditorState } from '@codemirror/state'
import { EditorView, placeholder } from '@codemirror/view'
import { converge } from 'converge-client/codemirror'
import { useEffect, useRef } from 'preact/hooks'
import { authors } from './authors.js'
import { commits } from './commits.js'
import { lazyMarkdown, setup } from './setup.js'

/** @import { Document } from 'converge-client' */

/** @param {string} label */
const called = label => EditorView.contentAttributes.of({ 'aria-label': label })

/** Nothing that takes keys has the focus: who is busy with the title or a menu stays there. */
const isIdle = () => ['BODY', 'MAIN'].includes(globalThis.document.activeElement?.tagName ?? 'BODY')

/**
 * @param {object} props
 * @param {Document} props.document
 * @param {string} props.label for screen readers
 * @param {boolean} [props.focus] begin with the cursor in it
 * @param {(view: EditorView | null) => void} [props.onView]
 */
export function LiveEditor ({ document, label, focus = false, onView }) {
  const parent = useRef(/** @type {HTMLDivElement | null} */ (null))
  const rename = useRef(/** @param {string} label */ label => {})
  useEffect(() => {
    const markdown = lazyMarkdown()
    const name = new Compartment()
    const view = new EditorView({
      parent: /** @type {HTMLElement} */ (parent.current),
      state: EditorState.create({
        extensions: [converge(document), commits(document), authors(), markdown.extension, placeholder('Write something…'), name.of(called(label)), setup({})]
      })
    })
    if (focus) document.loaded.then(() => { if (isIdle()) view.focus() }, () => {})
    markdown.load(view).catch(() => {})
    rename.current = label => view.dispatch({ effects: name.reconfigure(called(label)) })
    onView?.(view)
    return () => {
      onView?.(null)
      view.destroy()
    }
  }, [document])
  useEffect(() => rename.current(label), [label])
  return <div class='editor' ref={parent} />
}
