/** A document: its title, its text, who is here, and its past. */

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { api, become, nameOf, session, sessionClient } from '../app/session.js'
import { explain } from '../app/api.js'
import { colorOf, slotOf } from '../app/colors.js'
import { called, learn } from '../app/names.js'
import { addressOf, go } from '../app/router.js'
import { change, settings } from '../app/settings.js'
import { useDocument, useStore } from '../app/store.js'
import { languageOf, LANGUAGES, MARKDOWN } from '../editor/language.js'
import { LiveEditor } from '../editor/LiveEditor.jsx'
import { MonacoEditor } from '../editor/MonacoEditor.jsx'
import { Badge } from '../parts/Badge.jsx'
import { Margin, MarginTabs } from '../parts/Margin.jsx'
import { People } from '../parts/People.jsx'
import { PastBar, PastText } from '../past/Past.jsx'
import { usePast } from '../past/use_past.js'
import { useFollow } from './follow.js'
import { Loading } from './Loading.jsx'
import { Login } from './Login.jsx'
import { MoreDialog } from './MoreDialog.jsx'
import { ShareDialog } from './ShareDialog.jsx'
import { useTalk } from '../talk/use_talk.jsx'
import { useAuthors } from './use_authors.js'

/** @import { Document } from 'converge-client' */
/** @import { View } from '../editor/LiveEditor.jsx' */

/** @param {{ id: string, version: number | null, config: import('../app/config.js').Config }} props */
export function DocPage ({ id, version, config }) {
  const user = useStore(session)
  const [opened, setOpened] = useState(/** @type {{ id: string, document: Document } | null} */ (null))
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
    setOpened({ id, document: made })
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

  // a guest may be one who may read it
  if (problem !== '' && user?.guest) return <Login config={config} title='This document asks for a login' />
  if (problem !== '') return <main class='narrow' tabIndex={-1}><h1>This document cannot be shown</h1><p>{problem}</p><p><a href={addressOf({ view: 'docs' })} data-here>All documents</a></p></main>
  // the one before is not drawn with the address of this one
  if (opened === null || opened.id !== id) return null
  const { document } = opened
  return <Opened key={document.id + user?.id} document={document} loaded={loaded} version={version} config={config} />
}

/** @param {{ document: Document, loaded: boolean, version: number | null, config: import('../app/config.js').Config }} props */
function Opened ({ document, loaded, version, config }) {
  useDocument(document, ['title', 'role', 'status', 'saved', 'change', 'rejected'])
  const user = useStore(session)
  const { editor, languages } = useStore(settings)
  const [view, setView] = useState(/** @type {View | null} */ (null))
  const viewNow = useRef(view)
  viewNow.current = view
  const sheet = useRef(/** @type {HTMLDivElement | null} */ (null))
  const [sharing, setSharing] = useState(false)
  const [more, setMore] = useState(false)
  const [showPast, setShowPast] = useState(version !== null)
  const [colored, setColored] = useState(false)
  const [draft, setDraft] = useState({ what: '', text: '' })
  const { id, role } = document
  const past = usePast({
    api, id, head: document.version, begin: version, title: document.title ?? '', language: languages[document.id] ?? '',
    onMove: to => go({ doc: id, version: to }, { replace: true })
  })
  // a link into the past that was followed here
  useEffect(() => {
    if (version === past.version || past.playing) return
    if (version !== null) setShowPast(true)
    past.pick(version)
  }, [version])

  const color = user === null ? '#5d5f00' : colorOf(user.id)
  const name = user === null ? '' : nameOf(user)
  useEffect(() => document.presence.set({ name, color }), [document, name, color])
  useEffect(() => { globalThis.document.title = `${document.title || 'Untitled'} · converge` }, [document.title])
  useEffect(() => { if (role !== null) api.all(`docs/${id}/members`, 'members').then(({ members }) => learn(members), () => {}) }, [id, role])
  useEffect(() => document.on('rejected', ({ text, message, of, id }) => {
    // of several decided together the panel says which were left out
    if (of === 'decide' && id?.includes(',')) return
    setDraft({ what: of === 'decide' ? 'your decision' : of ? 'what you said' : 'an edit', text: `${message}\n\n${text}` })
  }), [document])

  // an owner had something forgotten: what was read of the past is no longer so
  const { reread } = past
  useEffect(() => {
    let { life } = document.sync
    return document.on('status', status => {
      const { life: now } = document.sync
      if (status !== 'connected' || now === life) return
      if (life) reread()
      life = now
    })
  }, [document])

  const authors = useAuthors(document, view, colored)
  const { followed, said, follow, stop } = useFollow(document, viewNow, sheet)
  const { panels, panel, setPanel, talk } = useTalk(document, viewNow, config.reviewer)
  const language = languages[id] ?? ''
  const title = document.title ?? ''
  const Editor = editor === 'monaco' ? MonacoEditor : LiveEditor
  const closePast = () => {
    past.pick(null)
    setShowPast(!showPast)
  }

  return (
    <main class='doc-page' tabIndex={-1}>
      <div class='doc-head'>
        <Title document={document} loaded={loaded} />
        <Badge document={document} />
        {role !== null && !document.canEdit && <span class='role'>{role === 'viewer' ? 'You may read' : 'You may read and comment'}</span>}
        <span class='spread' />
        <People document={document} onFollow={follow} followed={followed?.userId ?? null} />
        <Language title={title} chosen={language} onChoose={name => change({ languages: { ...languages, [id]: name } })} />
        <button type='button' class='quiet' aria-pressed={colored} onClick={() => setColored(!colored)}>Authors</button>
        <button type='button' class='quiet' aria-pressed={showPast} onClick={closePast}>History</button>
        <MarginTabs panels={panels} open={panel} onOpen={setPanel} />
        <button type='button' class='quiet' onClick={() => setMore(true)}>More</button>
        <button type='button' class='primary' onClick={() => setSharing(true)}>Share</button>
      </div>
      {colored && past.version === null && <Legend authors={authors} />}
      {document.status === 'unauthenticated' && (
        <div class='draft' role='alert'>
          <p>Your login has expired. What you type is kept in this browser until you log in again.</p>
          <button type='button' class='primary' onClick={() => become(null)}>Log in</button>
        </div>
      )}
      {draft.text !== '' && <div class='draft' role='alert'><p>The server refused {draft.what}. {draft.what === 'your decision' ? 'It says:' : 'It is here, so that you can keep it:'}</p><textarea readOnly aria-label={draft.what === 'an edit' ? 'The refused edit' : 'What was refused'} value={draft.text} /><button type='button' class='quiet' onClick={() => setDraft({ what: '', text: '' })}>Done</button></div>}
      <div class='beside-margin'>
        <div class='sheet' ref={sheet}>
          {!loaded && <Loading document={document} />}
          <div class={`sheet-live${past.version === null ? '' : ' away'}`}>
            <Editor document={document} label={title || 'Text'} language={language} title={title} focus onView={setView} talk={talk} />
          </div>
          {showPast && <PastText past={past} />}
          {followed && <p class='following' style={{ '--who': followed.color ?? colorOf(followed.userId) }}>Following {followed.name ?? called(followed.userId)} <button type='button' class='quiet' onClick={() => stop()}>Stop</button></p>}
        </div>
        <Margin panels={panels} open={panel} onOpen={setPanel} />
      </div>
      <p class='hidden' role='status'>{said}</p>
      {showPast && <PastBar past={past} head={document.version} mayEdit={document.canEdit} api={api} id={id} />}
      {more && <MoreDialog id={id} title={title} version={past.version} guest={user?.guest === true} owns={role === 'owner'} onRedact={past.reread} onClose={() => setMore(false)} />}
      {sharing && <ShareDialog id={id} config={config} role={role} onClose={() => setSharing(false)} />}
    </main>
  )
}

/** Authors that are named: the others have too little text to be told apart by colours. */
const MOST_AUTHORS = 50

/** @param {{ authors: string[] }} props most text first */
function Legend ({ authors }) {
  return (
    <ul class='legend' aria-label='Authors of this text'>
      {authors.slice(0, MOST_AUTHORS).map(userId => <li key={userId}><span class={`chip by by-${slotOf(userId)}`}>{called(userId)}</span></li>)}
      {authors.length > MOST_AUTHORS && <li class='faint'>and {authors.length - MOST_AUTHORS} more</li>}
    </ul>
  )
}

/** Which language the text is in. @param {{ title: string, chosen: string, onChoose: (name: string) => void }} props */
function Language ({ title, chosen, onChoose }) {
  const [byTitle, setByTitle] = useState(MARKDOWN)
  useEffect(() => {
    let gone = false
    languageOf(title, '').then(name => { if (!gone) setByTitle(name) }, () => {})
    return () => { gone = true }
  }, [title])
  return (
    <label class='language'><span class='hidden'>Language of the text</span>
      <select value={chosen} onChange={event => onChoose(event.currentTarget.value)}>
        <option value=''>{byTitle} · by title</option>
        {LANGUAGES.map(name => <option key={name} value={name}>{name}</option>)}
      </select>
    </label>
  )
}

/** @param {{ document: Document, loaded: boolean }} props */
function Title ({ document, loaded }) {
  const [problem, setProblem] = useState('')
  const field = useRef(/** @type {HTMLInputElement | null} */ (null))
  const given = document.title ?? ''
  const typed = useRef(false)
  // the field belongs to the user while they type in it: no drawing writes to it then
  const show = () => {
    typed.current = false
    if (field.current !== null) field.current.value = document.title ?? ''
  }
  useLayoutEffect(() => { if (!typed.current) show() }, [given])
  const rename = async () => {
    const title = field.current?.value
    if (!typed.current || title === (document.title ?? '')) return show()
    typed.current = false
    try {
      await api.patch(`docs/${document.id}`, { title })
      setProblem('')
    } catch (error) {
      if (!typed.current) show()
      setProblem(explain(error))
    }
  }
  return <>
    <h1 class='hidden'>{given || 'Untitled'}</h1>
    <input
      ref={field} class='title' aria-label='Title' dir='auto' placeholder='Untitled' readOnly={!loaded || !document.canEdit} maxLength={200}
      onInput={() => { typed.current = true }} onBlur={rename}
      onKeyDown={event => {
        if (event.key === 'Escape') show()
        if (event.key === 'Enter' || event.key === 'Escape') event.currentTarget.blur()
      }}
    />
    {problem && <span class='problem' role='alert'>{problem}</span>}
  </>
}
