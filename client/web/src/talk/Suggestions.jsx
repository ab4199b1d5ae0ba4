/** The panel of suggestions: edits that are proposed. */

import { useRef, useState } from 'preact/hooks'
import { explain } from '../app/api.js'
import { useSome } from '../parts/Some.jsx'
import { Said, short } from './parts.jsx'

/** @import { Document } from 'converge-client' */
/** @import { Suggestion } from 'converge-client/talk' */
/** @import { View } from '../editor/LiveEditor.jsx' */

const ignore = () => {}

/** @typedef {{ from: number, to: number }} Place */

/**
 * @param {object} props
 * @param {Document} props.document
 * @param {View | null} props.view
 * @param {boolean} props.byTyping the editor can take what is typed for a suggestion
 * @param {boolean} props.suggesting
 * @param {(on: boolean) => void} props.onSuggesting
 * @param {Place | null} props.worded what another wording is suggested for
 * @param {(place: Place | null) => void} props.onWorded
 * @param {string | null} props.looked
 * @param {(id: string) => void} props.onLook
 */
export function Suggestions ({ document, view, byTyping, suggesting, onSuggesting, worded, onWorded, looked, onLook }) {
  const { suggestions, role, canEdit } = document
  const { list } = suggestions
  const { some, more } = useSome(list, ({ id }) => id === looked)
  return <>
    {role !== 'viewer' && !byTyping && <Wording {...{ document, view, worded, onWorded }} />}
    {role !== 'viewer' && byTyping && <>
      <button type='button' class='quiet wide' aria-pressed={suggesting} onClick={() => onSuggesting(!suggesting)}>Suggest by typing</button>
      <p class='faint'>{suggesting ? 'What you type in the text is a suggestion. It is made when you go elsewhere, or by Control-Enter; Escape forgets it.' : ''}</p>
    </>}
    {list.length === 0 && <p class='faint'>Nothing is suggested.</p>}
    <ol class='threads' aria-label='Suggestions'>
      {some.map(suggestion => <One key={suggestion.id} {...{ document, suggestion, onLook }} active={looked === suggestion.id} />)}
    </ol>
    {more}
    <All document={document} list={list} />
  </>
}

/**
 * Suggesting another wording of what is selected, in a field of its own.
 * @param {{ document: Document, view: View | null, worded: Place | null, onWorded: (place: Place | null) => void }} props
 */
function Wording ({ document, view, worded, onWorded }) {
  const [text, setText] = useState('')
  const [hint, setHint] = useState('')
  const focused = useRef(false)
  /** @param {HTMLTextAreaElement | null} field */
  const focusOnce = field => {
    if (field === null || focused.current) return
    focused.current = true
    field.focus()
  }
  const begin = () => {
    const selection = view?.selection() ?? null
    setHint(selection === null ? 'Select the text that you want to have another wording first.' : '')
    if (selection === null) return
    focused.current = false
    setText(document.slice(selection.from, selection.to))
    onWorded(selection)
  }
  if (worded === null) return <><button type='button' class='quiet wide' onClick={begin}>Suggest another wording of the selection</button><p class='faint' role='status'>{hint}</p></>
  const suggest = () => {
    document.suggestions.add({ ...worded, insert: text }).catch(ignore)
    onWorded(null)
  }
  return (
    <form class='thread new words' onSubmit={event => { event.preventDefault(); suggest() }}>
      <blockquote dir='auto'>{short(document.slice(worded.from, worded.to))}</blockquote>
      <textarea
        aria-label='The other wording; nothing suggests to delete it' rows={3} maxLength={10000} dir='auto' value={text} ref={focusOnce}
        onInput={event => setText(event.currentTarget.value)}
        onKeyDown={event => {
          if (event.key === 'Escape') {
            event.preventDefault() // the panel stays
            onWorded(null)
          }
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.isComposing) suggest()
        }}
      />
      <div class='row'><button type='submit' class='primary small' disabled={text === document.slice(worded.from, worded.to)}>Suggest</button><button type='button' class='quiet small' onClick={() => onWorded(null)}>Cancel</button></div>
    </form>
  )
}

/**
 * Deciding all of a list at once, and what became of it.
 * @param {{ document: Document, list: Suggestion[], rejects?: boolean }} props
 */
export function All ({ document, list, rejects = false }) {
  const { suggestions, canEdit } = document
  const [said, say] = useState('')
  const good = list.filter(({ stale, pending }) => !stale && !pending)
  const open = list.filter(({ pending }) => !pending)
  /** @param {() => Promise<string>} decide */
  const decide = async decide => {
    say('')
    say(await decide().catch(explain))
  }
  const accept = async () => {
    const { accepted, left } = await suggestions.acceptAll(good.map(({ id }) => id))
    return `${accepted.length} accepted.${left.length > 0 ? ` ${left.length} left out: what ${left.length > 1 ? 'they were' : 'it was'} about is gone.` : ''}`
  }
  const reject = async () => {
    await suggestions.reject(open.map(({ id }) => id))
    return `${open.length} rejected.`
  }
  return <>
    {canEdit && good.length > 1 && <button type='button' class='quiet wide' onClick={() => decide(accept)}>Accept all ({good.length})</button>}
    {canEdit && rejects && open.length > 1 && <button type='button' class='quiet wide' onClick={() => decide(reject)}>Reject all ({open.length})</button>}
    <p class='faint' role='status'>{said}</p>
  </>
}

/** @param {{ document: Document, suggestion: Suggestion, active: boolean, onLook: (id: string) => void }} props */
export function One ({ document, suggestion, active, onLook }) {
  const { id, userId, at, note, stale, changes, pending } = suggestion
  const own = userId === document.userId
  return (
    <li class={`thread${active ? ' active' : ''}`}>
      <Said userId={userId} at={at} />
      <button type='button' class='quote plain' dir='auto' onClick={() => onLook(id)}>
        {stale ? 'What it was about is gone.' : (changes ?? []).map(({ from, to, insert }, n) => (
          <span key={n}>{n > 0 && ' … '}{to > from && <del class='diff-old'>{short(document.slice(from, to))}</del>}{insert && <ins class='diff-new'>{short(insert)}</ins>}</span>
        ))}
      </button>
      {note && <p class='body' dir='auto'>{note}</p>}
      {at !== null && !pending && <div class='row tools'>
        {document.canEdit && !stale && <button type='button' class='primary small' onClick={() => { document.suggestions.accept(id).catch(ignore) }}>Accept</button>}
        {document.canEdit && !own && <button type='button' class='quiet small' onClick={() => { document.suggestions.reject(id).catch(ignore) }}>Reject</button>}
        {own && <button type='button' class='quiet small' onClick={() => { document.suggestions.withdraw(id).catch(ignore) }}>Withdraw</button>}
      </div>}
    </li>
  )
}
