/** The page begins. */

import './css/main.css'
import { render } from 'preact'
import { useEffect } from 'preact/hooks'
import { reserve } from './app/colors.js'
import { base } from './app/api.js'
import { readConfig } from './app/config.js'
import { place } from './app/router.js'
import { beGuest, loggingIn, session } from './app/session.js'
import { applyTheme } from './app/settings.js'
import { useStore } from './app/store.js'
import { learn } from './app/names.js'
import { keepPage } from './offline/register.js'
import { DocPage } from './docs/DocPage.jsx'
import { List } from './docs/List.jsx'
import { Login } from './docs/Login.jsx'
import { Header } from './parts/Header.jsx'
import { Stage } from './stage/Stage.jsx'

/** @import { Config } from './app/config.js' */

/** @param {{ config: Config }} props */
function Page ({ config }) {
  const { view, doc, version } = useStore(place)
  const user = useStore(session)
  const where = view === 'home' && !config.demo ? 'docs' : view
  const asked = useStore(loggingIn)
  const known = user !== null && !user.guest && !asked
  // a link is enough, where the operator lets guests in
  const { guest } = config
  const asGuest = guest !== undefined && where === 'doc' && !asked
  useEffect(() => { if (asGuest && user === null) beGuest(guest) }, [asGuest, user])
  // an operator goes back to where they came from
  useEffect(() => { if (where === 'login' && known && new URLSearchParams(location.search).get('login') === 'admin') location.replace(`${base}admin`) }, [where, known])
  const inside = where === 'home' && config.demo ? <Stage demo={config.demo} />
    : where === 'doc' && doc !== null && (known || (asGuest && user !== null)) ? <DocPage id={doc} version={version} config={config} />
      : known ? <List /> : asGuest ? null : <Login config={config} />
  return <><Header config={config} view={where} />{inside}</>
}

applyTheme()
const config = await readConfig()
for (const { id, name, slot } of config.demo?.users ?? []) {
  learn([{ userId: id, name }])
  reserve(id, slot)
}
if (config.reviewer) learn([{ userId: config.reviewer.id, name: config.reviewer.name ?? 'Reviewer' }])
if (config.demo) {
  learn([{ userId: config.demo.sqlUser.id, name: 'SQL' }])
  reserve(config.demo.sqlUser.id, config.demo.sqlUser.slot)
}
const page = /** @type {HTMLElement} */ (document.getElementById('page'))
page.textContent = ''
render(<Page config={config} />, page)
// the demonstration ends, and its address is free for other programs
if (!config.demo) keepPage()
