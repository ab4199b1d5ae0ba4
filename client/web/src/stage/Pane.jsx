/** One of the two panes: a user, with a wire of their own. */

import { useEffect } from 'preact/hooks'
import { colorOf } from '../app/colors.js'
import { useStore } from '../app/store.js'
import { settings } from '../app/settings.js'
import { LiveEditor } from '../editor/LiveEditor.jsx'
import { Badge } from '../parts/Badge.jsx'
import { Avatar, People } from '../parts/People.jsx'

/** @import { Document } from 'converge-client' */

/**
 * @param {object} props
 * @param {import('../app/config.js').SampleUser} props.user
 * @param {Document} props.document
 * @param {boolean} props.cut
 * @param {boolean} [props.focus]
 */
export function Pane ({ user, document, cut, focus }) {
  useStore(settings)
  const color = colorOf(user.id)
  useEffect(() => document.presence.set({ name: user.name, color }), [document, color])
  return (
    <section class={`pane${cut ? ' cut' : ''}`} aria-label={`${user.name}’s pane`} style={{ '--who': color }}>
      <header>
        <Avatar name={user.name} color={color} />
        <h2>{user.name}</h2>
        <Badge document={document} />
        <People document={document} />
      </header>
      <LiveEditor document={document} label={`The document, as ${user.name} sees it`} language='Markdown' title='' focus={focus} />
    </section>
  )
}
