/** The documents of a user: found, made, renamed, deleted. */

import { useEffect, useRef, useState } from 'preact/hooks'
import { explain } from '../app/api.js'
import { base64Of, ENDING } from '../app/files.js'
import { addressOf, go } from '../app/router.js'
import { api, session } from '../app/session.js'
import { useStore } from '../app/store.js'
import { Dialog } from '../parts/Dialog.jsx'

/** @typedef {{ documentId: string, title: string, role: string, version: number, length: number, updatedAt: string }} Row */

/** @param {string} at */
function ago (at) {
  const seconds = (Date.parse(at) - Date.now()) / 1000
  const format = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })
  for (const [unit, length] of /** @type {[Intl.RelativeTimeFormatUnit, number][]} */ ([['day', 86400], ['hour', 3600], ['minute', 60]])) {
    if (Math.abs(seconds) >= length) return format.format(Math.round(seconds / length), unit)
  }
  return format.format(Math.round(seconds), 'second')
}

/** A list that is looked at is read again so often. */
const REFRESH_MS = 10_000
const FIRST = 'docs?limit=100'

const FILTERS = /** @type {const} */ ([['all', 'All'], ['mine', 'Mine'], ['shared', 'Shared with me']])

export function List () {
  const user = useStore(session)
  const [rows, setRows] = useState(/** @type {Row[] | null} */ (null))
  const [next, setNext] = useState(/** @type {string | null} */ (null))
  const [problem, setProblem] = useState('')
  const [wanted, setWanted] = useState('')
  const [filter, setFilter] = useState('all')
  const [asked, setAsked] = useState(/** @type {{ row: Row, what: 'rename' | 'delete' } | null} */ (null))
  const making = useRef(false)
  const chooser = useRef(/** @type {HTMLInputElement | null} */ (null))

  /** @param {() => Promise<void>} work */
  const attempt = async work => {
    try {
      setProblem('')
      await work()
    } catch (error) {
      setProblem(explain(error))
    }
  }
  /** @param {string} path @param {Row[]} before */
  const load = (path, before) => attempt(async () => {
    const page = await api.page(path)
    setRows([...before, ...page.value.documents])
    setNext(page.next)
  })
  const long = useRef(false)
  long.current = rows !== null && rows.length > 100
  useEffect(() => {
    setRows(null)
    load(FIRST, [])
    // whoever has paged on keeps what they see
    const refresh = async () => {
      if (document.hidden || long.current) return
      try {
        const page = await api.page(FIRST)
        if (gone || long.current) return
        setRows(page.value.documents)
        setNext(page.next)
      } catch { /* what is there stays; the next turn asks again */ }
    }
    let gone = false
    const timer = setInterval(refresh, REFRESH_MS)
    document.addEventListener('visibilitychange', refresh)
    return () => {
      gone = true
      clearInterval(timer)
      document.removeEventListener('visibilitychange', refresh)
    }
  }, [user?.id])

  /** Make a document and go there. @param {() => Promise<{ documentId: string }>} how */
  const make = how => attempt(async () => {
    if (making.current) return
    making.current = true
    try {
      go({ doc: (await how()).documentId })
    } finally {
      making.current = false
    }
  })
  const create = () => make(() => api.post('docs', { title: 'Untitled' }))
  /** @param {HTMLInputElement} input */
  const bring = input => {
    const file = input.files?.[0]
    // the same file may be chosen again
    if (file) make(async () => api.post('import', { data: await base64Of(file) })).finally(() => { input.value = '' })
  }
  const shown = rows?.filter(({ title, role }) => title.toLowerCase().includes(wanted.trim().toLowerCase()) && (filter === 'all' || (filter === 'mine') === (role === 'owner')))

  return (
    <main class='list' tabIndex={-1}>
      <div class='list-head'>
        <h1>Documents</h1>
        <div class='row'>
          <button type='button' class='quiet' onClick={() => chooser.current?.click()}>Import</button>
          <input type='file' hidden ref={chooser} accept={ENDING} aria-label='A file to import' onChange={event => bring(event.currentTarget)} />
          <button type='button' class='primary' onClick={create}>New document</button>
        </div>
      </div>
      <div class='list-tools'>
        <input type='search' aria-label='Search by title' placeholder='Search by title' value={wanted} onInput={event => setWanted(event.currentTarget.value)} />
        <div class='tabs' role='group' aria-label='Which documents'>
          {FILTERS.map(([value, text]) => <button key={value} type='button' aria-pressed={filter === value} onClick={() => setFilter(value)}>{text}</button>)}
        </div>
      </div>
      <p class='problem' role='alert'>{problem}</p>
      {rows === null && problem === '' && <ul class='docs skeleton' aria-busy='true' aria-label='Loading'>{[1, 2, 3].map(n => <li key={n} />)}</ul>}
      {shown && (
        <ul class='docs'>
          {shown.map(row => (
            <li key={row.documentId}>
              <a href={addressOf({ doc: row.documentId })} data-here><bdi>{row.title || 'Untitled'}</bdi></a>
              <span class='faint'>{row.role === 'owner' ? 'mine' : row.role} · {row.length.toLocaleString()} characters · version {row.version.toLocaleString()} · {ago(row.updatedAt)}</span>
              <span class='row-tools'>
                {(row.role === 'owner' || row.role === 'editor') && <button type='button' class='quiet' aria-label={`Rename ${row.title || 'Untitled'}`} onClick={() => setAsked({ row, what: 'rename' })}>Rename</button>}
                {row.role === 'owner' && <button type='button' class='quiet danger' aria-label={`Delete ${row.title || 'Untitled'}`} onClick={() => setAsked({ row, what: 'delete' })}>Delete</button>}
              </span>
            </li>
          ))}
        </ul>
      )}
      {shown?.length === 0 && <p class='empty'>{rows?.length === 0 ? 'No documents yet. Make the first one.' : 'None has this in its title.'}</p>}
      {next !== null && <button type='button' class='quiet' onClick={() => load(next, rows ?? [])}>More</button>}
      {asked !== null && <Ask {...asked} onClose={() => setAsked(null)} onDone={() => load(FIRST, [])} />}
    </main>
  )
}

/** @param {{ row: Row, what: 'rename' | 'delete', onClose: () => void, onDone: () => void }} props */
function Ask ({ row, what, onClose, onDone }) {
  const [problem, setProblem] = useState('')
  const path = `docs/${row.documentId}`
  /** @param {SubmitEvent} event */
  const submit = async event => {
    event.preventDefault()
    const title = String(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get('title') ?? '')
    try {
      await (what === 'rename' ? api.patch(path, { title }) : api.delete(path))
      onClose()
      onDone()
    } catch (error) {
      setProblem(explain(error))
    }
  }
  return (
    <Dialog title={what === 'rename' ? 'Rename' : 'Delete for good?'} onClose={onClose}>
      <form onSubmit={submit}>
        {what === 'rename'
          ? <label class='field'>Title<input name='title' defaultValue={row.title} maxLength={200} autocomplete='off' /></label>
          : <p>“<bdi>{row.title || 'Untitled'}</bdi>” and all its {row.version.toLocaleString()} versions will be gone, for everyone.</p>}
        <p class='problem' role='alert'>{problem}</p>
        <button type='submit' class={what === 'delete' ? 'primary danger' : 'primary'}>{what === 'rename' ? 'Rename' : 'Delete'}</button>
      </form>
    </Dialog>
  )
}
