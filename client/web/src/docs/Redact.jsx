/** Forgetting a text, such as a password, everywhere in a document and its past. */

import { useState } from 'preact/hooks'
import { explain } from '../app/api.js'
import { api } from '../app/session.js'
import { Twice } from '../parts/Twice.jsx'

/** @param {{ id: string, onDone: () => void }} props onDone: the past is another */
export function Redact ({ id, onDone }) {
  const [text, setText] = useState('')
  const [said, say] = useState('')
  const redact = async () => {
    try {
      const { replaced } = await api.post(`docs/${id}/redact`, { content: text })
      say(replaced === 0 ? 'This text never stood here. Nothing was replaced.' : `${replaced.toLocaleString()} ${replaced === 1 ? 'character was' : 'characters were'} replaced.`)
      setText('')
      onDone()
    } catch (error) {
      say(explain(error))
    }
  }
  return (
    <section class='part' aria-labelledby='redact-title'>
      <h3 id='redact-title'>Forget a text</h3>
      <label class='field'>A text that must not have been here, such as a password
        <input name='secret' value={text} maxLength={1000} autocomplete='off' spellcheck={false} onInput={event => setText(event.currentTarget.value)} />
      </label>
      <Twice label='Forget it everywhere' disabled={text === ''} last={`Replace “${text}” in every version? This cannot be undone.`} sure='Replace it for good' onSure={redact}>
        <p>Each character of “<bdi>{text}</bdi>” becomes █ wherever it stands or ever stood: in the text, in every version of it, in the title, names of versions, comments, suggestions and chat. Everyone who has the document open loads it anew.</p>
        <p>Not reached: copies and exported files, and for some time the server's log and backups; its operator knows about these.</p>
      </Twice>
      <p class='said' role='status'>{said}</p>
    </section>
  )
}
