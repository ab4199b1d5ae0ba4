/** A live document in an editor. */

import { EditorState } from '@codemirror/state'
import { EditorView, placeholder } from '@codemirror/view'
import { converge } from 'converge-client/codemirror'
import { useEffect, useRef } from 'preact/hooks'
import { authors } from './authors.js'
import { commits } from './commits.js'
import { lazyMarkdown, setup } from './setup.js'

/** @import { Document } from 'converge-client' */

/**
 * @param {object} props
 * @param {Document} props.document
 * @param {string} props.label for screen readers
 * @param {boolean} [props.focus] begin with the cursor in it
 * @param {(view: EditorView | null) => void} [props.onView]
 */
export function LiveEditor ({ document, label, focus = false, onView }) {
  const parent = useRef(/** @type {HTMLDivElement | null} */ (null))
  useEffect(() => {
    const markdown = lazyMarkdown()
    const view = new EditorView({
      parent: /** @type {HTMLElement} */ (parent.current),
      state: EditorState.create({
        extensions: [converge(document), commits(document), authors(), markdown.extension, placeholder('Write something…'), setup({ label })]
      })
    })
    if (focus) document.loaded.then(() => view.focus(), () => {})
    markdown.load(view).catch(() => {})
    onView?.(view)
    return () => {
      onView?.(null)
      view.destroy()
    }
  }, [document])
  return <div class='editor' ref={parent} />
}
