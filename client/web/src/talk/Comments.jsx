/** The panel of threads: comments on passages of the text. */

import { useEffect, useRef, useState } from 'preact/hooks'
import { useSome } from '../parts/Some.jsx'
import { Said, short, Words } from './parts.jsx'

/** @import { Document } from 'converge-client' */
/** @import { Comment, Thread } from 'converge-client/talk' */
/** @import { View } from '../editor/LiveEditor.jsx' */
/** @typedef {{ from: number, to: number }} Place */

/** What was refused is shown by the page. */
const ignore = () => {}

/**
 * @param {{ document: Document, view: View | null, place: Place | null, onPlace: (place: Place | null) => void, looked: string | null, onLook: (id: string) => void, onVersion: (version: number) => void }} props
 *   place: where a new comment is to be
 */
export function Comments ({ document, view, place, onPlace, looked, onLook, onVersion }) {
  const [resolved, setResolved] = useState(false)
  const [hint, setHint] = useState('')
  const { comments, role } = document
  const may = role !== 'viewer'
  const open = comments.list.filter(thread => !thread.resolved)
  const done = comments.list.filter(thread => thread.resolved)
  const { some, more } = useSome([...open, ...resolved ? done : []], ({ id }) => id === looked)
  const begin = () => {
    const selection = view?.selection() ?? null
    setHint(selection === null ? 'Select the text that you want to comment on first.' : '')
    if (selection !== null) onPlace(selection)
  }
  return <>
    {may && place === null && <button type='button' class='quiet wide' onClick={begin}>Comment on the selection</button>}
    <p class='faint' role='status'>{hint}</p>
    {may && place !== null && (
      <div class='thread new'>
        <blockquote dir='auto'>{short(document.slice(place.from, place.to))}</blockquote>
        <Words
          label='Your comment' button='Comment' focus onCancel={() => onPlace(null)}
          onSend={body => {
            document.comments.add({ ...place, body }).catch(ignore)
            onPlace(null)
          }}
        />
      </div>
    )}
    {open.length === 0 && place === null && <p class='faint'>Nothing is commented on{done.length > 0 ? ' that is open' : ''}.</p>}
    <ol class='threads' aria-label='Threads'>
      {some.map(thread => <Talk key={thread.id} thread={thread} {...{ document, may, looked, onLook, onVersion }} />)}
    </ol>
    {more}
    {done.length > 0 && <button type='button' class='quiet wide' aria-pressed={resolved} onClick={() => setResolved(!resolved)}>Resolved ({done.length})</button>}
  </>
}

/** @param {{ document: Document, thread: Thread, may: boolean, looked: string | null, onLook: (id: string) => void, onVersion: (version: number) => void }} props */
export function Talk ({ document, thread, may, looked, onLook, onVersion }) {
  const own = useRef(/** @type {HTMLLIElement | null} */ (null))
  const { id, quote, orphan, resolved, version, comments } = thread
  const active = looked === id
  useEffect(() => { if (active) own.current?.scrollIntoView({ block: 'nearest' }) }, [active])
  const mayResolve = document.canEdit || thread.userId === document.userId
  return (
    <li ref={own} class={`thread${active ? ' active' : ''}${resolved ? ' resolved' : ''}`}>
      {orphan
        ? <div class='orphan'><p>Its passage was deleted:</p><blockquote dir='auto'>{short(quote)}</blockquote>{version !== null && <button type='button' class='quiet small' onClick={() => onVersion(version)}>Show that version</button>}</div>
        : <button type='button' class='quote' dir='auto' aria-label={`Show in the text: ${short(quote)}`} onClick={() => onLook(id)}>{short(quote)}</button>}
      <ol class='comments'>{comments.map(comment => <One key={comment.id} document={document} comment={comment} />)}</ol>
      {may && !resolved && <Words label='Reply' button='Reply' onSend={body => { document.comments.reply(id, body).catch(ignore) }} />}
      {may && mayResolve && <button type='button' class='quiet small' onClick={() => { document.comments.resolve(id, !resolved).catch(ignore) }}>{resolved ? 'Open again' : 'Resolve'}</button>}
    </li>
  )
}

/** @param {{ document: Document, comment: Comment }} props */
function One ({ document, comment }) {
  const [editing, setEditing] = useState(false)
  const { id, userId, body, at, editedAt } = comment
  const own = userId === document.userId
  if (editing) {
    return <li><Words label='Your comment' button='Save' begin={body} focus onCancel={() => setEditing(false)} onSend={text => { document.comments.edit(id, text).catch(ignore); setEditing(false) }} /></li>
  }
  return (
    <li>
      <Said userId={userId} at={at} edited={editedAt !== null} />
      <p class='body' dir='auto'>{body}</p>
      {at !== null && <div class='row tools'>
        {own && document.role !== 'viewer' && <button type='button' class='link' onClick={() => setEditing(true)}>Edit</button>}
        {(own || document.role === 'owner') && document.role !== 'viewer' && <button type='button' class='link' onClick={() => { document.comments.delete(id).catch(ignore) }}>Delete</button>}
      </div>}
    </li>
  )
}
