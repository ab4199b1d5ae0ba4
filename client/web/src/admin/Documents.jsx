/** The documents that take most room, for those who operate the relay. */

import { useEffect, useState } from 'preact/hooks'
import { base, explain, Problem } from '../app/api.js'
import { api, become, nameOf, session } from '../app/session.js'
import { useStore } from '../app/store.js'

/**
 * @typedef {{ documentId: string, title: string, version: number, length: number, bytes: number, packBytes: number,
 *   snapshotBytes: number, logBytes: number, hotOps: number, snapshotLag: number, updatedAt: string }} Row
 */

const SHOWN = 50
const UNITS = /** @type {const} */ ([['GB', 1e9], ['MB', 1e6], ['kB', 1e3]])

/** @param {number} bytes */
function size (bytes) {
  const [unit, factor] = UNITS.find(([, factor]) => bytes >= factor) ?? ['bytes', 1]
  return `${(bytes / factor).toLocaleString(undefined, { maximumSignificantDigits: 3 })} ${unit}`
}

/** What of a document's room is what. @param {{ row: Row, most: number }} props */
function Bar ({ row, most }) {
  return (
    <span class='size-bar' aria-hidden='true'>
      {[row.packBytes, row.snapshotBytes, row.logBytes].map((bytes, i) => <i key={i} class={`bar-${[0, 4, 2][i]}`} style={{ inlineSize: `${bytes / Math.max(1, most) * 100}%` }} />)}
    </span>
  )
}

/** @param {{ rows: Row[] }} props */
function Table ({ rows }) {
  if (rows.length === 0) return <p class='empty'>There are no documents yet.</p>
  return (
    <div class='wide' role='region' aria-label='Documents by size' tabIndex={0}>
      <table class='card'>
        <thead><tr><th scope='col'>Document</th><th scope='col'>Size</th><th scope='col'><span class='bar-0 key-dot' />history <span class='bar-4 key-dot' />snapshots <span class='bar-2 key-dot' />newest edits</th><th scope='col'>Characters</th><th scope='col'>Versions</th><th scope='col'>Not packed</th><th scope='col'>Since a snapshot</th></tr></thead>
        <tbody>
          {rows.map(row => (
            <tr key={row.documentId}>
              <th scope='row'><bdi>{row.title || 'Untitled'}</bdi><span class='faint'> {row.documentId}</span></th>
              <td>{size(row.bytes)}</td>
              <td><Bar row={row} most={rows[0].bytes} /></td>
              {[row.length, row.version, row.hotOps, row.snapshotLag].map((number, i) => <td key={i}>{number.toLocaleString()}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

export function Documents () {
  const user = useStore(session)
  const [rows, setRows] = useState(/** @type {Row[] | null} */ (null))
  const [problem, setProblem] = useState(/** @type {{ text: string, login: boolean } | null} */ (null))
  const load = async () => {
    try {
      setRows((await api.get(`operator/documents?limit=${SHOWN}`)).documents)
      setProblem(null)
    } catch (error) {
      const status = error instanceof Problem ? error.status : 0
      setProblem({
        login: status === 401 || status === 403,
        text: status === 401 ? 'Operators who have logged in see here how large documents are.'
          : status === 403 ? `${user ? nameOf(user) : 'This user'} is no operator of this relay: its option --operator names them.` : explain(error)
      })
    }
  }
  useEffect(() => { load() }, [user?.id])
  return (
    <section class='by-size'>
      <div class='by-size-head'>
        <h2>Documents by size</h2>
        {rows && <button type='button' class='quiet' onClick={load}>Look again</button>}
      </div>
      {problem && <p class='card' role='status'>{problem.text} {problem.login && <a href={`${base}?login=admin`} onClick={() => become(null)}>Log in{user ? ' as another user' : ''}</a>}</p>}
      {rows && problem === null && <Table rows={rows} />}
    </section>
  )
}
