/** What every editor of the page has: keys, wrapping, looks. */

import { defaultKeymap, indentWithTab } from '@codemirror/commands'
import { search, searchKeymap } from '@codemirror/search'
import { EditorState } from '@codemirror/state'
import { drawSelection, dropCursor, EditorView, highlightSpecialChars, keymap } from '@codemirror/view'
import { direction } from './direction.js'

/** @import { Extension } from '@codemirror/state' */

const looks = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'transparent', color: 'var(--ink)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--text-font)', fontSize: 'var(--text-size)', lineHeight: '1.6', overflow: 'auto' },
  '&.code .cm-scroller': { fontFamily: 'var(--code-font)', fontSize: '0.9rem' },
  '.cm-content': { padding: '14px 18px 40vh 6px', caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)', borderLeftWidth: '2px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { background: 'var(--selection)' },
  '.cm-gutters': { backgroundColor: 'transparent', border: 'none', color: 'var(--faint)' },
  '.cm-tooltip': { background: 'var(--raised)', color: 'var(--ink)', border: '1px solid var(--line)', borderRadius: '8px', boxShadow: 'var(--shadow)' },
  '.cm-panels': { background: 'var(--raised)', color: 'var(--ink)', borderColor: 'var(--line)' },
  '.cm-panel input, .cm-panel button': { font: 'inherit', color: 'inherit' },
  '.cm-textfield': { background: 'var(--paper)', border: '1px solid var(--line-strong)', borderRadius: '6px' },
  '.cm-button': { background: 'var(--paper)', border: '1px solid var(--line-strong)', borderRadius: '6px' },
  '.cm-searchMatch': { backgroundColor: 'var(--pending-tint)' }
})

/**
 * @param {{ live?: boolean }} options whether it is typed into
 * @returns {Extension}
 */
export function setup ({ live = true }) {
  return [
    looks,
    highlightSpecialChars(),
    drawSelection(),
    dropCursor(),
    EditorView.lineWrapping,
    direction,
    EditorView.perLineTextDirection.of(true),
    EditorState.lineSeparator.of('\n'),
    EditorView.contentAttributes.of({ spellcheck: 'true', tabindex: '0' }),
    search({ top: true }),
    keymap.of([...defaultKeymap, ...searchKeymap, ...(live ? [indentWithTab] : [])])
  ]
}
