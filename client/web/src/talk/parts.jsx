/** What comments, suggestions and chat are drawn of. */

import { useRef, useState } from 'preact/hooks'
import { colorOf } from '../app/colors.js'
import { called } from '../app/names.js'
import { Avatar } from '../parts/People.jsx'

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })

/** When something was said: today the time alone. @param {{ at: string | null }} props */
export function When ({ at }) {
  if (at === null) return <span class='faint'>on its way</span>
  const date = new Date(at)
  const text = date.toDateString() === new Date().toDateString() ? time.format(date) : `${day.format(date)}, ${time.format(date)}`
  return <time class='faint' dateTime={date.toISOString()}>{text}</time>
}

/** Who said something, and when. @param {{ userId: string | null, at: string | null, edited?: boolean }} props */
export function Said ({ userId, at, edited = false }) {
  return <p class='said'><Avatar name={called(userId)} color={colorOf(userId ?? '')} /><b>{called(userId)}</b><When at={at} />{edited && <span class='faint'>edited</span>}</p>
}

/**
 * A field for words, sent by its button or Control-Enter.
 * @param {{ label: string, button: string, begin?: string, enter?: boolean, focus?: boolean, max?: number, onSend: (text: string) => void, onCancel?: () => void }} props
 *   enter: Enter alone sends, Shift-Enter begins a line
 */
export function Words ({ label, button, begin = '', enter = false, focus = false, max = 10000, onSend, onCancel }) {
  const [text, setText] = useState(begin)
  const focused = useRef(false)
  const send = () => {
    const body = text.trim()
    if (body === '') return
    setText('')
    onSend(body)
  }
  return (
    <form class='words' onSubmit={event => { event.preventDefault(); send() }}>
      <textarea
        aria-label={label} placeholder={label} rows={focus ? 3 : 1} maxLength={max} value={text} dir='auto'
        ref={element => {
          if (element === null || !focus || focused.current) return
          focused.current = true
          element.focus()
        }}
        onInput={event => setText(event.currentTarget.value)}
        onKeyDown={event => {
          if (event.key === 'Enter' && !event.isComposing && !event.shiftKey && (enter || event.ctrlKey || event.metaKey)) {
            event.preventDefault()
            send()
          }
          if (event.key === 'Escape' && onCancel) {
            event.preventDefault()
            onCancel()
          }
        }}
      />
      <div class='row'>
        <button type='submit' class='primary small' disabled={text.trim() === ''}>{button}</button>
        {onCancel && <button type='button' class='quiet small' onClick={onCancel}>Cancel</button>}
      </div>
    </form>
  )
}

/** A quote, shortened. @param {string} text */
export const short = text => text.length > 160 ? `${[...text].slice(0, 150).join('')}…` : text
