/** The panel of the reviewer: whether it is here, asking it, and what it has said. */

import { useEffect, useRef, useState } from 'preact/hooks'
import { explain } from '../app/api.js'
import { called } from '../app/names.js'
import { api } from '../app/session.js'
import { useDocument } from '../app/store.js'
import { useSome } from '../parts/Some.jsx'
import { Talk } from './Comments.jsx'
import { Said, short } from './parts.jsx'
import { asking, doing, rangeOf, requests } from './reviewer.js'
import { All, One } from './Suggestions.jsx'

/** @import { Document } from 'converge-client' */
/** @import { View } from '../editor/LiveEditor.jsx' */

const MOST_WISHED = 500

const STATES = {
  away: 'is not here. What you ask is answered if it comes within an hour.',
  here: 'is here.',
  waiting: 'is here, and waits to be asked.',
  thinking: 'is reading …',
  writing: 'is writing …'
}

/**
 * @param {{ document: Document, reviewer: import('../app/config.js').Reviewer, view: { current: View | null }, looked: string | null, onLook: (id: string) => void, onVersion: (version: number) => void }} props
 */
export function Reviewer ({ document, reviewer: { id, name: given }, view, looked, onLook, onVersion }) {
  useDocument(document, ['presence', 'status', 'chat', 'suggestion', 'thread', 'comment'])
  const name = given ?? called(id)
  const state = doing(document, id)
  const may = document.role !== null && document.role !== 'viewer'
  const suggestions = document.suggestions.list.filter(({ userId }) => userId === id)
  const threads = document.comments.list.filter(({ userId, resolved }) => userId === id && !resolved)
  const proposed = useSome(suggestions, each => each.id === looked)
  const remarked = useSome(threads, each => each.id === looked)
  const { answers, open } = requests(document.chat.list, id, document.userId)
  return (
    <div class='reviewer'>
      <p class={`state ${state}`} role='status'><span class='dot' aria-hidden='true' />{name} {STATES[state]}</p>
      {document.role === 'owner' && state === 'away' && <LetIn document={document} id={id} name={name} />}
      {may && <Ask document={document} id={id} view={view} />}
      {(answers.length > 0 || open.length > 0) && <section aria-label='How it went'>
        <h3>How it went</h3>
        <ol class='answers' aria-live='polite'>
          {answers.map(answer => <li key={answer.id}><Said userId={answer.userId} at={answer.at} /><p class='body' dir='auto'>{answer.body.replaceAll(`@${document.userId}`, 'you')}</p></li>)}
          {open.map(ask => <li key={ask.id} class='faint'>{ask.pending ? 'Your request is on its way.' : 'Your request has no answer yet.'}</li>)}
        </ol>
      </section>}
      <section aria-label='Its suggestions'>
        <h3>Its suggestions</h3>
        {suggestions.length === 0 && <p class='faint'>There are none that are open.</p>}
        <ol class='threads' aria-label='Suggestions of the reviewer'>
          {proposed.some.map(suggestion => <One key={suggestion.id} {...{ document, suggestion, onLook }} active={looked === suggestion.id} />)}
        </ol>
        {proposed.more}
        <All document={document} list={suggestions} rejects />
      </section>
      <section aria-label='Its comments'>
        <h3>Its comments</h3>
        {threads.length === 0 && <p class='faint'>There are none that are open.</p>}
        <ol class='threads' aria-label='Comments of the reviewer'>
          {remarked.some.map(thread => <Talk key={thread.id} {...{ document, thread, may, looked, onLook, onVersion }} />)}
        </ol>
        {remarked.more}
      </section>
    </div>
  )
}

/** @param {{ document: Document, id: string, view: { current: View | null } }} props */
function Ask ({ document, id, view }) {
  const [wish, setWish] = useState('')
  const [part, setPart] = useState(false)
  const [said, say] = useState('')
  const [busy, setBusy] = useState(false)
  const gone = useRef(false)
  useEffect(() => () => { gone.current = true }, [])

  const ask = async () => {
    if (part && view.current?.selection() == null) return say('Select a passage of the text first.')
    setBusy(true)
    try {
      // a passage is named in the server's text
      while (part && document.pending !== null) {
        say('What was typed is saved first …')
        await document.saved()
      }
      if (gone.current) return
      const selection = part ? view.current?.selection() ?? null : null
      if (part && selection === null) return say('Select a passage of the text first.')
      const asked = document.chat.say(asking(id, wish, selection && rangeOf(document, selection)))
      say(selection === null ? 'You asked for a review of the text.' : `You asked for a review of “${short(document.slice(selection.from, selection.to))}”.`)
      setWish('')
      await asked
    } catch (error) {
      say(explain(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <form class='words' onSubmit={event => { event.preventDefault(); ask() }}>
      <label class='field wide'>What to look for (optional)
        <textarea rows={2} maxLength={MOST_WISHED} dir='auto' value={wish} onInput={event => setWish(event.currentTarget.value)} />
      </label>
      <label><input type='checkbox' checked={part} onChange={event => setPart(event.currentTarget.checked)} /> Only what is selected in the text</label>
      <button type='submit' class='primary small' disabled={busy}>Ask for a review</button>
      <p class='faint' role='status'>{said}</p>
    </form>
  )
}

/** Owners let the reviewer in, if it is no member. @param {{ document: Document, id: string, name: string }} props */
function LetIn ({ document, id, name }) {
  const [member, setMember] = useState(true)
  const [done, setDone] = useState(false)
  const [problem, setProblem] = useState('')
  const path = `docs/${document.id}/members`
  useEffect(() => {
    let gone = false
    api.all(path, 'members').then(({ members }) => {
      if (!gone) setMember(members.some((/** @type {{ userId: string }} */ { userId }) => userId === id))
    }, () => {})
    return () => { gone = true }
  }, [document, id])
  if (member) return null
  if (done) return <p class='faint' role='status'>{name} is let in, and comes when it looks for documents next.</p>
  const letIn = async () => {
    try {
      await api.put(path, { userId: id, role: 'commenter' })
      setDone(true)
    } catch (error) {
      setProblem(explain(error))
    }
  }
  return <><p class='faint'>{name} is no member of this document. It reads what it reviews, and sends it to its model.</p><button type='button' class='quiet wide' onClick={letIn}>Let {name} comment here</button>{problem && <p class='problem' role='alert'>{problem}</p>}</>
}
