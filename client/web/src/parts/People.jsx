/** Who else has the document open. */

import { useEffect } from 'preact/hooks'
import { colorOf } from '../app/colors.js'
import { called, learn } from '../app/names.js'
import { useDocument } from '../app/store.js'
import { bare } from '../talk/reviewer.js'

/** @import { Document, User } from 'converge-client' */

/** @param {string} name */
export const initials = name => [...name.trim()].slice(0, 1).join('').toUpperCase() || '?'

/** @param {{ name: string, color: string, onClick?: () => void, title?: string, pressed?: boolean }} props */
export function Avatar ({ name, color, onClick, title, pressed }) {
  const look = { style: { background: color }, title: title ?? name }
  return onClick === undefined
    ? <span class='avatar' {...look}><span aria-hidden='true'>{initials(name)}</span><span class='hidden'>{name}</span></span>
    : <button type='button' class='avatar' {...look} aria-label={title ?? name} aria-pressed={pressed} onClick={onClick}>{initials(name)}</button>
}

/**
 * The users of a document, each once; those that show nothing of themselves only watch.
 * @param {readonly User[]} users
 */
export function present (users) {
  /** @type {Map<string, User>} */
  const found = new Map()
  for (const user of users) {
    const before = found.get(user.userId)
    if (user.name !== null && (before === undefined || before.cursor === null)) found.set(user.userId, user)
  }
  return [...found.values()]
}

/** @param {{ document: Document, onFollow?: (user: User) => void, followed?: string | null }} props */
export function People ({ document, onFollow, followed = null }) {
  useDocument(document, ['presence', 'status'])
  const users = present(document.presence.users)
  useEffect(() => learn(users.map(({ userId, name }) => ({ userId, name: bare(name) }))), [users.map(({ userId, name }) => userId + name).join()])
  return (
    <ul class='people' aria-label='Also here'>
      {users.slice(0, 6).map(user => {
        const name = user.name ?? called(user.userId)
        const color = user.color ?? colorOf(user.userId)
        return <li key={user.clientId}>{onFollow && user.cursor ? <Avatar name={name} color={color} title={`Follow ${name}`} pressed={followed === user.userId} onClick={() => onFollow(user)} /> : <Avatar name={name} color={color} />}</li>
      })}
      {users.length > 6 && <li class='more'>+{users.length - 6}</li>}
    </ul>
  )
}
