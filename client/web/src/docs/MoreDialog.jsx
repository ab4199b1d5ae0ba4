/** What is done with a document as a whole: copied, exported, freed of a secret. */

import { useRef, useState } from 'preact/hooks'
import { explain } from '../app/api.js'
import { download } from '../app/files.js'
import { go } from '../app/router.js'
import { api } from '../app/session.js'
import { Dialog } from '../parts/Dialog.jsx'
import { Redact } from './Redact.jsx'

/**
 * @param {object} props
 * @param {string} props.id
 * @param {string} props.title
 * @param {number | null} props.version the one of the past that is looked at
 * @param {boolean} props.guest who owns no documents
 * @param {boolean} props.owns
 * @param {() => void} props.onRedact the past is another
 * @param {() => void} props.onClose
 */
export function MoreDialog ({ id, title, version, guest, owns, onRedact, onClose }) {
  const [said, say] = useState('')
  const [problem, setProblem] = useState('')
  const busy = useRef(false)
  /** One thing at a time. @param {() => Promise<void>} work */
  const attempt = async work => {
    if (busy.current) return
    busy.current = true
    setProblem('')
    say('')
    try {
      await work()
    } catch (error) {
      setProblem(explain(error))
    } finally {
      busy.current = false
    }
  }
  /** @param {SubmitEvent} event */
  const copy = event => {
    event.preventDefault()
    const given = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget))
    attempt(async () => {
      const { documentId } = await api.post(`docs/${id}/fork`, {
        withHistory: given.has('history'),
        ...(given.get('from') === 'past' && version !== null ? { version } : {})
      })
      const named = [...`Copy of ${title || 'Untitled'}`].slice(0, 200).join('')
      // the copy is there, whatever it is called
      await api.patch(`docs/${documentId}`, { title: named }).catch(() => {})
      onClose()
      go({ doc: documentId })
    })
  }
  const save = () => attempt(async () => {
    const { data } = await api.get(`docs/${id}/export`)
    download(title, data)
    say('The file is made. Import it from the list of documents, here or on another server.')
  })

  return (
    <Dialog title='More' onClose={onClose}>
      {!guest && (
        <form class='part' aria-labelledby='copy-title' onSubmit={copy}>
          <h3 id='copy-title'>Make a copy</h3>
          <p class='faint'>The copy is yours alone until you share it.</p>
          {version !== null && (
            <fieldset class='choices'>
              <legend>Copy it</legend>
              <label><input type='radio' name='from' value='past' defaultChecked /> as of version {version}</label>
              <label><input type='radio' name='from' value='now' /> as it is now</label>
            </fieldset>
          )}
          <label class='check'><input type='checkbox' name='history' /> with its history</label>
          <button type='submit' class='primary'>Make a copy</button>
        </form>
      )}
      <section class='part' aria-labelledby='export-title'>
        <h3 id='export-title'>Export</h3>
        <p class='faint'>A file with the text, every version of it, and who wrote them.</p>
        <button type='button' class='quiet' onClick={save}>Export to a file</button>
      </section>
      <p class='problem' role='alert'>{problem}</p>
      <p class='said' role='status'>{said}</p>
      {owns && <Redact id={id} onDone={onRedact} />}
    </Dialog>
  )
}
