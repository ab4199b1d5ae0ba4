/** Who may do what in a document, and its link. */

import { useEffect, useState } from 'preact/hooks'
import { explain } from '../app/api.js'
import { addressOf } from '../app/router.js'
import { api, session } from '../app/session.js'
import { called, learn } from '../app/names.js'
import { Dialog } from '../parts/Dialog.jsx'
import { useSome } from '../parts/Some.jsx'

/** From so many on, members can be looked for. */
const MANY = 100

/** @typedef {{ userId: string, name: string | null, role: string }} Member */

const ROLES = [['viewer', 'may read'], ['commenter', 'may comment'], ['editor', 'may edit'], ['owner', 'owns it']]

/** @param {{ id: string, config: import('../app/config.js').Config, role: string | null, onClose: () => void }} props */
export function ShareDialog ({ id, config, role, onClose }) {
  const [members, setMembers] = useState(/** @type {Member[]} */ ([]))
  const [found, setFound] = useState(/** @type {{ userId: string, name: string }[]} */ ([]))
  const [said, say] = useState('')
  const [part, setPart] = useState('')
  const owns = role === 'owner'
  const path = `docs/${id}/members`

  /** @param {() => Promise<string>} work */
  const attempt = async work => {
    try {
      const done = await work()
      const list = (await api.all(path, 'members')).members
      learn(list)
      setMembers(list)
      say(done)
    } catch (error) {
      say(explain(error))
    }
  }
  useEffect(() => { attempt(async () => '') }, [id])
  /** @param {string} userId @param {string} to */
  const give = (userId, to) => attempt(async () => {
    if (to === '') await api.delete(`${path}?userId=${encodeURIComponent(userId)}`)
    else await api.put(path, { userId, role: to })
    return to === '' ? `${userId === '*' ? 'Only members' : called(userId)} ${userId === '*' ? 'may open it now.' : 'has no access any more.'}` : `Saved: ${userId === '*' ? 'everyone' : called(userId)} ${ROLES.find(([value]) => value === to)?.[1]}.`
  })

  /** @param {string} wanted */
  const look = async wanted => {
    const text = wanted.trim()
    const samples = (config.demo?.users ?? []).filter(({ name, id }) => text !== '' && `${name} ${id}`.toLowerCase().includes(text.toLowerCase())).map(({ id, name }) => ({ userId: id, name }))
    let accounts = []
    try {
      if (text.length >= 2) accounts = (await api.get(`users?search=${encodeURIComponent(text)}&limit=8`)).users
    } catch { /* without accounts, ids have to be known */ }
    learn([...samples, ...accounts])
    setFound([...samples, ...accounts])
  }
  /** @param {SubmitEvent} event */
  const add = event => {
    event.preventDefault()
    const form = /** @type {HTMLFormElement} */ (event.currentTarget)
    const given = new FormData(form)
    const wanted = String(given.get('user')).trim()
    if (wanted === '') return
    const match = found.find(({ name, userId }) => name === wanted || userId === wanted) ?? (found.length === 1 ? found[0] : null)
    give(match?.userId ?? wanted, String(given.get('role')))
    form.reset()
  }
  const people = members.filter(({ userId }) => userId !== '*')
  const { some, more } = useSome(people.filter(({ userId, name }) => part === '' || `${name ?? ''} ${userId}`.toLowerCase().includes(part.toLowerCase())))
  const everyone = members.find(({ userId }) => userId === '*')?.role ?? ''
  const link = new URL(addressOf({ doc: id }), location.href).href
  const copy = () => navigator.clipboard.writeText(link).then(() => say('The link is copied.'), () => say('Copy it from the field, please.'))

  return (
    <Dialog title='Share' onClose={onClose}>
      {owns && (
        <form class='share-form' onSubmit={add}>
          <label class='field'>Name or user id
            <input name='user' list='found-users' autocomplete='off' onInput={event => look(event.currentTarget.value)} />
            <datalist id='found-users'>{found.map(({ userId, name }) => <option key={userId} value={name} />)}</datalist>
          </label>
          <label class='field'>Role
            <select name='role'>{ROLES.slice(0, 3).map(([value, text]) => <option key={value} value={value} selected={value === 'editor'}>{text}</option>)}</select>
          </label>
          <button type='submit' class='primary'>Share</button>
        </form>
      )}
      {people.length > MANY && <label class='field'>Find a member<input type='search' value={part} onInput={event => setPart(event.currentTarget.value.trim())} /></label>}
      <ul class='members' aria-label='Members'>
        {some.map(member => (
          <li key={member.userId}>
            <bdi>{member.name ?? called(member.userId)}</bdi>{member.userId === session.value?.id && <span class='faint'> (you)</span>}
            {owns && member.userId !== session.value?.id
              ? <select aria-label={`Role of ${member.name ?? member.userId}`} value={member.role} onChange={event => give(member.userId, event.currentTarget.value)}>
                {ROLES.map(([value, text]) => <option key={value} value={value}>{text}</option>)}<option value=''>no access</option>
              </select>
              : <span class='faint'>{ROLES.find(([value]) => value === member.role)?.[1]}</span>}
          </li>
        ))}
        {more && <li>{more}</li>}
        <li>
          <span>Everyone with the link<span class='faint'> {config.guest ? 'also without logging in' : 'who has logged in'}</span></span>
          {owns
            ? <select aria-label='Role of everyone with the link' value={everyone} onChange={event => give('*', event.currentTarget.value)}>
              <option value=''>no access</option>{ROLES.slice(0, 3).map(([value, text]) => <option key={value} value={value}>{text}</option>)}
            </select>
            : <span class='faint'>{ROLES.find(([value]) => value === everyone)?.[1] ?? 'no access'}</span>}
        </li>
      </ul>
      <div class='row'><input class='link' readOnly aria-label='Link' value={link} onFocus={event => event.currentTarget.select()} /><button type='button' class='quiet' onClick={copy}>Copy link</button></div>
      <p class='said' role='status'>{said}</p>
    </Dialog>
  )
}
