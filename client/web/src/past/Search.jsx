/** Search in the past: when a text came and went, by whom; a click goes there. */

import { useState } from 'preact/hooks'
import { explain } from '../app/api.js'
import { called } from '../app/names.js'

/** @typedef {ReturnType<typeof import('./use_past.js').usePast>} PastState */
/** @typedef {import('./history.js').Occurrence} Occurrence */

/** One end of an occurrence. @param {{ word: string, version: number, userId: string | null, at: string, onGo: () => void }} props */
function End ({ word, version, userId, at, onGo }) {
  return (
    <button type='button' class='quiet small' onClick={onGo}>
      {word} in version {version} <span class='faint'>{userId === null ? 'or earlier' : <>by <bdi>{called(userId)}</bdi></>} · {new Date(at).toLocaleString()}</span>
    </button>
  )
}

/** @param {{ past: PastState }} props */
export function Search ({ past }) {
  const [sought, setSought] = useState('')
  const [found, setFound] = useState(/** @type {Occurrence[]} */ ([]))
  const [next, setNext] = useState(/** @type {string | null} */ (null))
  const [said, say] = useState('')

  /** @param {string} text @param {string | null} path @param {Occurrence[]} before */
  const load = async (text, path, before) => {
    try {
      const page = await past.history.occurrences(text, path)
      const all = [...before, ...page.occurrences]
      setSought(text)
      setFound(all)
      setNext(page.next)
      say(all.length === 0 ? `“${text}” never stood here.` : `“${text}” came ${all.length === 1 ? 'once' : `${all.length}${page.next === null ? '' : ' or more'} times`}.`)
    } catch (error) {
      say(explain(error))
    }
  }
  /** @param {SubmitEvent} event */
  const submit = event => {
    event.preventDefault()
    const text = String(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get('sought'))
    setFound([])
    setNext(null)
    say('')
    if (text !== '') load(text, null, [])
  }
  const length = [...sought].length

  return (
    <div class='search-past'>
      <form class='label-form' role='search' aria-label='The past' onSubmit={submit}>
        <input type='search' name='sought' aria-label='Search in the past' placeholder='Search in the past' maxLength={1000} autocomplete='off' dir='auto' />
        <button type='submit' class='quiet'>Search</button>
        <span class='said' role='status'>{said}</span>
      </form>
      {found.length > 0 && (
        <ol class='found' aria-label='When it came and went' tabIndex={0}>
          {found.map((one, i) => (
            <li key={i} class='row'>
              <End word='Came' version={one.fromVersion} userId={one.insertedBy} at={one.insertedAt} onGo={() => past.pick(one.fromVersion, { from: one.pos, length })} />
              {one.toVersion !== null && one.deletedAt !== null
                ? <End word='Went' version={one.toVersion} userId={one.deletedBy} at={one.deletedAt} onGo={() => past.pick(one.toVersion, { from: one.lastPos, length: 0 })} />
                : <span class='faint'>still there</span>}
            </li>
          ))}
          {next !== null && <li><button type='button' class='quiet small' onClick={() => load(sought, next, found)}>More</button></li>}
        </ol>
      )}
    </div>
  )
}
