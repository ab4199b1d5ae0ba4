/** A document: its title, its text, who is here, and its past. */

import { EditorView } from '@codemirror/view'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { api, become, nameOf, session, sessionClient } from '../app/session.js'
import { explain } from '../app/api.js'
import { colorOf, slotOf } from '../app/colors.js'
import { called, learn } from '../app/names.js'
import { go } from '../app/router.js'
import { settings } from '../app/settings.js'
import { useDocument, useStore } from '../app/store.js'
import { authorsIn, setRuns } from '../editor/authors.js'
import { LiveEditor } from '../editor/LiveEditor.jsx'
import { Badge } from '../parts/Badge.jsx'
import { People } from '../parts/People.jsx'
import { PastBar, PastText } from '../past/Past.jsx'
import { usePast } from '../past/use_past.js'
import { Loading } from './Loading.jsx'
import { ShareDialog } from './ShareDialog.jsx'

/** @import { Document, User } from 'converge-client' */

/** Authors' colours follow what is typed, so long after it. */
const COLORS_MS = 600

/** @param {{ id: string, version: number | null, config: import('../app/config.js').Config }} props */
export function DocPage ({ id, version, config }) {
  const user = useStore(session)
  const [document, setDocument] = useState(/** @type {Document | null} */ (null))
  const [problem, setProblem] = useState('')
  const [loaded, setLoaded] = useState(false)
  useEffect(() => {
    let gone = false
    setLoaded(false)
    setProblem('')
    /** @type {Document} */
    let made
    try {
      made = sessionClient().open(id)
    } catch (error) {
      return setProblem(explain(error))
    }
    setDocument(made)
    made.loaded.then(() => { if (!gone) setLoaded(true) }, () => {})
    const off = made.on('closed', ({ code, message }) => {
      if (gone || code === 'closed') return
      setProblem(code === 'not_found' ? 'There is no such document, or no more.' : code === 'forbidden' ? `You may not read this document${user ? ` as ${nameOf(user)}` : ''}.` : message)
    })
    return () => {
      gone = true
      off()
      made.release()
    }
  }, [id, user?.id])

  if (problem !== '') return <main class='narrow' tabIndex={-1}><h1>This document cannot be shown</h1><p>{problem}</p></main>
  if (document === null) return null
  return <Opened key={document.id + user?.id} document={document} loaded={loaded} version={version} config={config} />
}

/** @param {{ document: Document, loaded: boolean, version: number | null, config: import('../app/config.js').Config }} props */
function Opened ({ document, loaded, version, config }) {
  useDocument(document, ['title', 'role', 'status', 'saved', 'change', 'rejected'])
  const user = useStore(session)
  useStore(settings)
  const view = useRef(/** @type {EditorView | null} */ (null))
  const [sharing, setSharing] = useState(false)
  const [showPast, setShowPast] = useState(version !== null)
  const [colored, setColored] = useState(false)
  const [colors, setColors] = useState(/** @type {string[]} */ ([]))
  const [draft, setDraft] = useState('')
  const { id, role } = document
  const past = usePast({
    api, id, head: document.version, begin: version,
    onMove: to => go({ doc: id, version: to }, { replace: true })
  })
  // a link into the past that was followed here
  useEffect(() => { if (version !== past.version && !past.playing) past.pick(version) }, [version])

  const color = user === null ? '#5d5f00' : colorOf(user.id)
  const name = user === null ? '' : nameOf(user)
  useEffect(() => document.presence.set({ name, color }), [document, name, color])
  useEffect(() => { globalThis.document.title = `${document.title || 'Untitled'} · converge` }, [document.title])
  useEffect(() => { if (role !== null) api.get(`docs/${id}/members`).then(({ members }) => learn(members), () => {}) }, [id, role])
  useEffect(() => document.on('rejected', ({ text, message }) => setDraft(`${message}\n\n${text}`)), [document])

  // the colours are those of the server's text: asked for anew when that has come to rest
  useEffect(() => {
    if (!colored) return
    let gone = false
    /** @type {any} */
    let timer
    const refresh = async () => {
      try {
        const { version, runs } = await api.get(`docs/${id}/blame`)
        if (gone || view.current === null || document.pending !== null || document.version !== version) return
        view.current.dispatch({ effects: setRuns.of(runs) })
        setColors(authorsIn(view.current))
      } catch { /* the next change asks again */ }
    }
    const soon = (/** @type {number} */ ms) => {
      clearTimeout(timer)
      timer = setTimeout(refresh, ms)
    }
    soon(0)
    const offs = [document.on('change', () => soon(COLORS_MS)), document.on('saved', () => soon(COLORS_MS))]
    return () => {
      gone = true
      clearTimeout(timer)
      for (const off of offs) off()
      view.current?.dispatch({ effects: setRuns.of(null) })
    }
  }, [document, colored])
  /** @param {User} other */
  const follow = other => {
    const now = document.presence.users.find(({ clientId }) => clientId === other.clientId)
    if (now?.cursor) view.current?.dispatch({ effects: EditorView.scrollIntoView(Math.min(now.cursor.head, view.current.state.doc.length), { y: 'center' }) })
  }
  const closePast = () => {
    past.pick(null)
    setShowPast(!showPast)
  }

  return (
    <main class='doc-page' tabIndex={-1}>
      <div class='doc-head'>
        <Title document={document} />
        <Badge document={document} />
        {role !== null && !document.canEdit && <span class='role'>{role === 'viewer' ? 'You may read' : 'You may read and comment'}</span>}
        <span class='spread' />
        <People document={document} onFollow={follow} />
        <button type='button' class='quiet' aria-pressed={colored} onClick={() => setColored(!colored)}>Authors</button>
        <button type='button' class='quiet' aria-pressed={showPast} onClick={closePast}>History</button>
        <button type='button' class='primary' onClick={() => setSharing(true)}>Share</button>
      </div>
      {colored && past.version === null && <ul class='legend' aria-label='Authors of this text'>{colors.map(userId => <li key={userId}><span class={`chip by by-${slotOf(userId)}`}>{called(userId)}</span></li>)}</ul>}
      {document.status === 'unauthenticated' && (
        <div class='draft' role='alert'>
          <p>Your login has expired. What you type is kept in this browser until you log in again.</p>
          <button type='button' class='primary' onClick={() => become(null)}>Log in</button>
        </div>
      )}
      {draft !== '' && <div class='draft' role='alert'><p>The server refused an edit. It is here, so that you can keep it:</p><textarea readOnly aria-label='The refused edit' value={draft} /><button type='button' class='quiet' onClick={() => setDraft('')}>Done</button></div>}
      <div class='sheet'>
        {!loaded && <Loading document={document} />}
        <div class={`sheet-live${past.version === null ? '' : ' away'}`}>
          <LiveEditor document={document} label={document.title || 'Text'} focus onView={editor => { view.current = editor }} />
        </div>
        {showPast && <PastText past={past} />}
      </div>
      {showPast && <PastBar past={past} head={document.version} mayEdit={document.canEdit} api={api} id={id} />}
      {sharing && <ShareDialog id={id} config={config} role={role} onClose={() => setSharing(false)} />}
    </main>
  )
}

/** @param {{ document: Document }} props */
function Title ({ document }) {
  const [problem, setProblem] = useState('')
  // what is typed stays until the server tells of it, whatever is drawn meanwhile; a title that
  // comes is taken with the drawing of it, not after, or what is typed in between would go
  const [typed, setTyped] = useState(/** @type {string | null} */ (null))
  useLayoutEffect(() => setTyped(null), [document.title])
  /** @param {string} title as the field has it: what was typed last may not be drawn yet */
  const rename = async title => {
    if (title === (document.title ?? '')) return setTyped(null)
    try {
      await api.patch(`docs/${document.id}`, { title })
      setProblem('')
    } catch (error) {
      setTyped(null)
      setProblem(explain(error))
    }
  }
  return <>
    <h1 class='hidden'>{document.title || 'Untitled'}</h1>
    <input
      class='title' aria-label='Title' dir='auto' value={typed ?? document.title ?? ''} placeholder='Untitled' readOnly={!document.canEdit} maxLength={200}
      onInput={event => setTyped(event.currentTarget.value)} onBlur={event => rename(event.currentTarget.value)}
      onKeyDown={event => {
        if (event.key === 'Enter') event.currentTarget.blur()
        if (event.key === 'Escape') setTyped(null)
      }}
    />
    {problem && <span class='problem' role='alert'>{problem}</span>}
  </>
}
