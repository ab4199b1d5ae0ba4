/** A box that edits the document by SQL. */

import { useRef, useState } from 'preact/hooks'
import { explain } from '../app/api.js'
import { run } from './sql.js'

/** @import { Document } from 'converge-client' */

const SAMPLES = [
  ['Edit', "SELECT converge.edit(:doc, converge.replace(0, 0, E'# Hello from SQL\\n\\n'));"],
  ['Undo', 'SELECT converge.undo_last(:doc);'],
  ['Log', 'SELECT version, user_id, op FROM converge.ops WHERE doc_id = :doc ORDER BY version DESC LIMIT 5;'],
  ['Authors', 'SELECT user_id, sum(length(content)) AS characters FROM converge.blame(:doc) GROUP BY 1 ORDER BY 2 DESC;'],
  ['The past', 'SELECT left(converge.content_at(:doc, 20), 120) AS version_20;']
]

/** @param {{ document: Document, by: string }} props */
export function SqlBox ({ document, by }) {
  const [sql, setSql] = useState(SAMPLES[0][1])
  const [answer, setAnswer] = useState({ text: '', failed: false })
  const [busy, setBusy] = useState(false)
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null))

  const send = async () => {
    if (busy || sql.trim() === '') return
    setBusy(true)
    try {
      const { answer = '', failed = false } = await run(document, sql, by)
      setAnswer({ text: answer, failed })
    } catch (error) {
      setAnswer({ text: explain(error), failed: true })
    }
    setBusy(false)
  }

  return (
    <section class='sql' aria-label='SQL'>
      <div class='past-head'>
        <h2>Or edit it by SQL</h2>
        <div class='samples' role='group' aria-label='Samples'>
          {SAMPLES.map(([name, text]) => <button key={name} type='button' class='quiet' aria-pressed={sql === text} onClick={() => {
            setSql(text)
            setAnswer({ text: '', failed: false })
            field.current?.focus()
          }}>{name}</button>)}
        </div>
      </div>
      <textarea
        ref={field} aria-label='Statement' spellcheck={false} rows={3} value={sql} onInput={event => setSql(event.currentTarget.value)}
        onKeyDown={event => {
          if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
          event.preventDefault()
          send()
        }}
      />
      <div class='sql-foot'>
        <button type='button' class='primary' disabled={busy} onClick={send}>{busy ? 'Running…' : 'Run'}</button>
        <span class='faint'>or Ctrl+Enter; <code>:doc</code> is this document</span>
      </div>
      <pre class={`answer${answer.failed ? ' failed' : ''}`} role='status' tabIndex={answer.text === '' ? -1 : 0}>{answer.text}</pre>
    </section>
  )
}
