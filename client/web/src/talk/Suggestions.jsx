/** The panel of suggestions: edits that are proposed. */

import { useState } from 'preact/hooks'
import { explain } from '../app/api.js'
import { Said, short } from './parts.jsx'

/** @import { Document } from 'converge-client' */
/** @import { Suggestion } from 'converge-client/talk' */

const ignore = () => {}

/** @param {{ document: Document, suggesting: boolean, onSuggesting: (on: boolean) => void, looked: string | null, onLook: (id: string) => void }} props */
export function Suggestions ({ document, suggesting, onSuggesting, looked, onLook }) {
  const { suggestions, role, canEdit } = document
  const { list } = suggestions
  return <>
    {role !== 'viewer' && <>
      <button type='button' class='quiet wide' aria-pressed={suggesting} onClick={() => onSuggesting(!suggesting)}>Suggest by typing</button>
      <p class='faint'>{suggesting ? 'What you type in the text is a suggestion. It is made when you go elsewhere, or by Control-Enter; Escape forgets it.' : ''}</p>
    </>}
    {list.length === 0 && <p class='faint'>Nothing is suggested.</p>}
    <ol class='threads' aria-label='Suggestions'>
      {list.map(suggestion => <One key={suggestion.id} {...{ document, suggestion, onLook }} active={looked === suggestion.id} />)}
    </ol>
    <All document={document} list={list} />
  </>
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
