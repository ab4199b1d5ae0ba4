/** The head of every page: where one can go, and who one is. */

import { useState } from 'preact/hooks'
import { colorOf } from '../app/colors.js'
import { become, loggingIn, nameOf, session } from '../app/session.js'
import { settings } from '../app/settings.js'
import { addressOf, go } from '../app/router.js'
import { useStore } from '../app/store.js'
import { Logo } from './Logo.jsx'
import { Avatar } from './People.jsx'
import { SettingsDialog } from './SettingsDialog.jsx'

/** @import { Config } from '../app/config.js' */

/** @param {{ config: Config, view: string, children?: import('preact').ComponentChildren }} props */
export function Header ({ config, view, children }) {
  const who = useStore(session)
  const asked = useStore(loggingIn)
  const user = who?.guest ? null : who
  useStore(settings)
  const [open, setOpen] = useState(false)
  return (
    <header class='top'>
      <a class='brand' href={addressOf({ view: 'home' })} data-here><Logo /><span>converge</span></a>
      <nav aria-label='Pages'>
        {config.demo && <a href={addressOf({ view: 'home' })} data-here aria-current={view === 'home' ? 'page' : undefined}>Demo</a>}
        <a href={addressOf({ view: 'docs' })} data-here aria-current={view === 'docs' ? 'page' : undefined}>Documents</a>
      </nav>
      <div class='top-middle'>{children}</div>
      {user && view !== 'home' && <Avatar name={nameOf(user)} color={colorOf(user.id)} title={`${nameOf(user)}: settings`} onClick={() => setOpen(true)} />}
      {who?.guest && !asked && view === 'doc' && <button type='button' class='primary' onClick={() => loggingIn.set(true)}>Log in</button>}
      {(!user || view === 'home') && <button type='button' class='quiet' onClick={() => setOpen(true)}>Settings</button>}
      {open && <SettingsDialog config={config} onClose={() => setOpen(false)} onLeave={() => {
        setOpen(false)
        become(null)
        go({ view: 'docs' })
      }} />}
    </header>
  )
}
