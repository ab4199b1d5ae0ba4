/**
 * The column beside a document, for what is said about it: panels with a name each, one of
 * which is open, or none. On narrow screens it lies over the text.
 */

import { useEffect, useRef } from 'preact/hooks'

/**
 * @typedef {object} Panel
 * @property {string} name for addresses and tests, like `comments`
 * @property {string} title
 * @property {number} [count] what is new or open there, shown beside the title
 * @property {import('preact').ComponentChildren} content
 */

/**
 * The buttons that open the panels, for the document's head.
 * @param {{ panels: Panel[], open: string | null, onOpen: (name: string | null) => void }} props
 */
export function MarginTabs ({ panels, open, onOpen }) {
  return <>{panels.map(({ name, title, count = 0 }) => (
    <button key={name} type='button' class='quiet' aria-pressed={open === name} aria-controls={open === name ? 'margin' : undefined} onClick={() => onOpen(open === name ? null : name)}>
      {title}{count > 0 && <span class='count'>{count}</span>}
    </button>
  ))}</>
}

/**
 * The open panel, if one is.
 * @param {{ panels: Panel[], open: string | null, onOpen: (name: string | null) => void }} props
 */
export function Margin ({ panels, open, onOpen }) {
  const own = useRef(/** @type {HTMLElement | null} */ (null))
  const panel = panels.find(({ name }) => name === open)
  useEffect(() => {
    // a panel that comes by a move of the cursor leaves the focus in the text
    if (globalThis.document.activeElement?.closest('.sheet') == null) own.current?.focus()
  }, [open])
  if (panel === undefined) return null
  return (
    <aside
      id='margin' ref={own} class='margin' aria-label={panel.title} tabIndex={-1}
      onKeyDown={event => { if (event.key === 'Escape' && !event.defaultPrevented) onOpen(null) }}
    >
      <div class='margin-head'><h2>{panel.title}</h2><button type='button' class='round' aria-label={`Close ${panel.title}`} onClick={() => onOpen(null)}>×</button></div>
      <div class='margin-body'>{panel.content}</div>
    </aside>
  )
}
