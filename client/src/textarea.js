/**
 * A textarea (or an input of text) on a Document.
 *
 *     import { bind } from 'converge-client/textarea'
 *     const unbind = bind(client.open(id), textarea)
 *
 * What the user did is found by comparing; what others do waits while a text is composed.
 */

import { carry, grown, merge, shown, toShown, toText } from './editors/lines.js'

/** @import { ChangeEvent, Document } from './document.js' */
/** @import { Change } from './ot/text.js' */

/**
 * @param {Document} document
 * @param {HTMLTextAreaElement | HTMLInputElement} area
 * @returns {() => void} ends the binding
 */
export function bind (document, area) {
  const source = {}
  let base = '' // the text that the area shows, but for what the user did since
  let bound = false
  let ended = false
  let composing = false

  /** Show the document's text; the selection goes with the text. @param {readonly Change[]} changes of `base` */
  const show = changes => {
    const { selectionStart, selectionEnd, selectionDirection, scrollTop } = area
    const text = document.text
    const [start, end] = [selectionStart, selectionEnd].map(offset => toShown(text, carry(toText(base, offset ?? 0), changes)))
    base = text
    if (area.value === shown(text)) return
    area.value = shown(text)
    area.setSelectionRange(start, end, selectionDirection ?? 'none')
    area.scrollTop = scrollTop
  }

  /** Take what the user did, and what others did meanwhile. */
  const settle = () => {
    if (!bound || ended || composing) return
    if (document.telling) return queueMicrotask(settle)
    const merged = merge(document, base, area.value, area.selectionEnd ?? 0, source)
    base = merged.text
    show(merged.changes)
    said()
  }

  const said = () => {
    if (!bound || ended || area.ownerDocument.activeElement !== area) return
    const { selectionStart, selectionEnd, selectionDirection } = area
    const [start, end] = [selectionStart, selectionEnd].map(offset => toText(base, offset ?? 0))
    document.presence.set({ cursor: selectionDirection === 'backward' ? { anchor: end, head: start } : { anchor: start, head: end } })
  }

  const allow = () => { area.readOnly = !bound || !document.canEdit }

  /** @param {ChangeEvent} event */
  const changed = ({ changes, source: by, undo }) => {
    if (!bound || by === source || composing) return
    // the document may be further on already
    if (area.value !== shown(base) || document.length !== grown(base.length, changes)) return settle()
    show(changes)
    if (!undo || area.ownerDocument.activeElement !== area) return
    const { from, insert } = changes[changes.length - 1]
    const end = toShown(base, grown(from, changes.slice(0, -1)) + insert.length)
    area.setSelectionRange(end, end)
  }

  /** @param {'undo' | 'redo'} what @param {Event} event */
  const reverse = (what, event) => {
    event.preventDefault()
    if (!area.readOnly && !composing) document[what]()
  }
  /** @type {Record<string, (event: any) => void>} */
  const listeners = {
    input: settle,
    compositionstart: () => { composing = true },
    compositionend: () => {
      composing = false
      settle()
    },
    beforeinput: event => {
      if (event.inputType === 'historyUndo') reverse('undo', event)
      else if (event.inputType === 'historyRedo') reverse('redo', event)
    },
    keydown: event => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return
      const key = event.key.toLowerCase()
      if (key === 'y' || (key === 'z' && event.shiftKey)) reverse('redo', event)
      else if (key === 'z') reverse('undo', event)
    },
    focus: said
  }
  for (const name in listeners) area.addEventListener(name, listeners[name])
  area.ownerDocument.addEventListener('selectionchange', said)
  const offs = [document.on('change', changed), document.on('role', allow), document.on('closed', allow)]

  const begin = () => {
    if (ended) return
    bound = true
    base = document.text
    area.value = shown(base)
    allow()
  }
  allow()
  if (document.sync.state !== null) begin()
  else document.loaded.then(begin, () => {})

  return () => {
    ended = true
    for (const off of offs) off()
    for (const name in listeners) area.removeEventListener(name, listeners[name])
    area.ownerDocument.removeEventListener('selectionchange', said)
    document.presence.set({ cursor: null })
  }
}
