/** A dialog, modal, closed by Escape or its button. */

import { useEffect, useRef } from 'preact/hooks'

/** @param {{ title: string, onClose: () => void, children: import('preact').ComponentChildren }} props */
export function Dialog ({ title, onClose, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null))
  useEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => { if (before instanceof HTMLElement) before.focus() }
  }, [])
  return (
    <dialog
      ref={dialog} class='dialog' aria-labelledby='dialog-title' onClose={onClose}
      onClick={event => { if (event.target === dialog.current) dialog.current?.close() }}
    >
      <div class='dialog-body'>
        <div class='dialog-head'>
          <h2 id='dialog-title'>{title}</h2>
          <button type='button' class='round' aria-label='Close' onClick={() => dialog.current?.close()}>×</button>
        </div>
        {children}
      </div>
    </dialog>
  )
}
