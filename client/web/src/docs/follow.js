/** Following another user: the place where they are stays in sight, until oneself does something. */

import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { called } from '../app/names.js'

/** @import { Document, User } from 'converge-client' */
/** @import { View } from '../editor/LiveEditor.jsx' */

/** Keys that are held down with others do nothing by themselves. */
const SILENT = new Set(['Shift', 'Control', 'Alt', 'Meta', 'AltGraph', 'CapsLock'])
const MOVES = /** @type {const} */ (['pointerdown', 'wheel', 'touchmove'])

/**
 * @param {Document} document
 * @param {{ current: View | null }} view
 * @param {{ current: HTMLElement | null }} sheet what the user's own keys and moves are in
 */
export function useFollow (document, view, sheet) {
  const [followed, setFollowed] = useState(/** @type {User | null} */ (null))
  const [said, say] = useState('')
  const nameNow = useRef('')
  if (followed !== null) nameNow.current = followed.name ?? called(followed.userId)

  const stop = (why = '') => {
    setFollowed(null)
    say(why || `You no longer follow ${nameNow.current}.`)
  }
  /** @param {User} user */
  const follow = user => {
    if (followed?.userId === user.userId) return stop()
    setFollowed(user)
    say(`You follow ${user.name ?? called(user.userId)}, until you press Escape, type or scroll.`)
  }

  // at once: a key may be pressed before the next picture
  useLayoutEffect(() => {
    if (followed === null) return
    let due = 0
    /** Where they are now; they may have come back by another connection. */
    const look = () => {
      due = 0
      const theirs = document.presence.users.filter(({ userId }) => userId === followed.userId)
      const now = theirs.find(({ clientId, cursor }) => clientId === followed.clientId && cursor) ?? theirs.find(({ cursor }) => cursor)
      if (theirs.length === 0 && document.status === 'connected') return stop(`${nameNow.current} has left.`)
      if (now?.cursor) view.current?.reveal(now.cursor.head)
    }
    const soon = () => { due ||= requestAnimationFrame(look) }
    /** @param {Event} event */
    const moved = event => { if (sheet.current?.contains(/** @type {Node} */ (event.target))) stop() }
    /** @param {KeyboardEvent} event */
    const pressed = event => {
      if (SILENT.has(event.key) || (event.key !== 'Escape' && !sheet.current?.contains(/** @type {Node} */ (event.target)))) return
      stop()
    }
    soon()
    const offs = [document.on('presence', soon), document.on('change', soon)]
    for (const name of MOVES) addEventListener(name, moved, { capture: true, passive: true })
    addEventListener('keydown', pressed, { capture: true })
    return () => {
      cancelAnimationFrame(due)
      for (const off of offs) off()
      for (const name of MOVES) removeEventListener(name, moved, { capture: true })
      removeEventListener('keydown', pressed, { capture: true })
    }
  }, [document, followed?.userId])
  return { followed, said, follow, stop }
}
