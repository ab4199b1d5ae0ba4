/** Name, colour, theme and editor; another sample user; leaving. */

import { COLORS, colorOf } from '../app/colors.js'
import { api, become, nameOf, session } from '../app/session.js'
import { change, settings } from '../app/settings.js'
import { useStore } from '../app/store.js'
import { DeleteAccount } from './DeleteAccount.jsx'
import { Dialog } from './Dialog.jsx'

/** @type {['auto' | 'light' | 'dark', string][]} */
const THEMES = [['auto', 'As the system'], ['light', 'Light'], ['dark', 'Dark']]
/** @type {['codemirror' | 'monaco', string][]} */
const EDITORS = [['codemirror', 'CodeMirror'], ['monaco', 'Monaco']]
const COLOR_NAMES = ['Blue', 'Red', 'Green', 'Purple', 'Amber', 'Teal', 'Pink', 'Olive']

/** @param {{ config: import('../app/config.js').Config, onClose: () => void, onLeave: () => void }} props */
export function SettingsDialog ({ config, onClose, onLeave }) {
  const user = useStore(session)
  const { theme, names, colors, editor } = useStore(settings)
  /** @param {string} name */
  const rename = name => {
    if (user === null || name.trim() === '') return
    change({ names: { ...names, [user.id]: name.trim() } })
    // users of other identity providers have no account here to rename
    api.patch('me', { name: name.trim() }).catch(() => {})
  }
  return (
    <Dialog title='Settings' onClose={onClose}>
      <fieldset class='choices'>
        <legend>Theme</legend>
        {THEMES.map(([value, text]) => <label key={value}><input type='radio' name='theme' checked={theme === value} onChange={() => change({ theme: value })} /> {text}</label>)}
      </fieldset>
      <fieldset class='choices'>
        <legend>Editor of documents</legend>
        {EDITORS.map(([value, text]) => <label key={value}><input type='radio' name='editor' checked={editor === value} onChange={() => change({ editor: value })} /> {text}</label>)}
      </fieldset>
      {user && <>
        <label class='field'>Your name, as others see it
          <input value={nameOf(user)} maxLength={100} autocomplete='name' onChange={event => rename(event.currentTarget.value)} />
        </label>
        <fieldset class='choices colors'>
          <legend>Your colour</legend>
          {COLORS.map((color, i) => (
            <label key={color} style={{ '--color': color }}>
              <input type='radio' name='color' aria-label={COLOR_NAMES[i]} checked={colorOf(user.id) === color} onChange={() => change({ colors: { ...colors, [user.id]: color } })} />
            </label>
          ))}
        </fieldset>
        {config.demo && (
          <fieldset class='choices'>
            <legend>Sample user of this tab</legend>
            {config.demo.users.map(sample => <label key={sample.id}><input type='radio' name='sample' checked={user.id === sample.id} onChange={() => become(sample)} /> {sample.name}</label>)}
          </fieldset>
        )}
        <div class='part'>
          <button type='button' class='quiet' onClick={onLeave}>Log out</button>
          {!user.guest && !config.demo && <DeleteAccount name={nameOf(user)} onGone={onLeave} />}
        </div>
      </>}
    </Dialog>
  )
}
