/** The panel of messages beside the text. */

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { called, names } from '../app/names.js'
import { useDocument, useStore } from '../app/store.js'
import { Said } from './parts.jsx'

/** @import { Document } from 'converge-client' */

const ignore = () => {}

/** The members whose names or ids begin as what stands behind the last @. @param {string} text @param {Map<string, string>} known */
function offered (text, known) {
  const begun = /(?:^|\s)@([^\s@]*)$/.exec(text)?.[1]
  if (begun === undefined) return []
  const start = begun.toLowerCase()
  return [...known].filter(([id, name]) => id !== '*' && (name.toLowerCase().startsWith(start) || id.toLowerCase().startsWith(start))).slice(0, 5)
}

/** A message with the names of those who are meant. @param {{ body: string, known: Map<string, string>, userId: string | null }} props */
function Body ({ body, known, userId }) {
  const parts = body.split(/(@[^\s@,.;:!?]+)/)
  return <p class='body' dir='auto'>{parts.map((part, n) => {
    const id = part.startsWith('@') ? part.slice(1) : ''
    return id !== '' && (id === userId || known.has(id)) ? <b key={n} class={id === userId ? 'mention me' : 'mention'}>@{called(id)}</b> : part
  })}</p>
}

/** How many of those who are typing are named. */
const MOST_NAMED = 3

/** Who is writing a message just now. @param {{ document: Document }} props */
function Typing ({ document }) {
  useDocument(document, ['presence', 'status'])
  const ids = new Set(document.presence.users.filter(({ typing, userId }) => typing && userId !== document.userId).map(({ userId }) => userId))
  const typists = [...ids].map(called)
  const named = typists.slice(0, MOST_NAMED)
  if (typists.length > MOST_NAMED) named.push('others')
  const list = new Intl.ListFormat('en').format(named)
  return <p class='typing faint' aria-live='polite'>{named.length > 0 && `${list} ${named.length > 1 ? 'are' : 'is'} typing …`}</p>
}

/** @param {{ document: Document }} props */
export function Chat ({ document }) {
  const known = useStore(names)
  const { chat, role, userId } = document
  const { list } = chat
  const [text, setText] = useState('')
  const [picked, setPicked] = useState(/** @type {[string, string][]} */ ([]))
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null))
  const end = useRef(/** @type {HTMLDivElement | null} */ (null))
  const last = list.at(-1)?.id
  useEffect(() => { if (list.some(({ pending }) => !pending)) chat.read().catch(ignore) }, [last, list.length])
  const typing = (/** @type {boolean} */ on) => document.presence.set({ typing: on })
  useEffect(() => () => typing(false), [document])
  useLayoutEffect(() => end.current?.scrollIntoView({ block: 'nearest' }), [last])
  const offers = offered(text, known)
  /** @param {string} id @param {string} name */
  const pick = (id, name) => {
    setText(text.replace(/@[^\s@]*$/, `@${name} `))
    setPicked([...picked, [id, name]])
    field.current?.focus()
  }
  const send = () => {
    // names are sent as ids, which never change
    const body = picked.reduce((words, [id, name]) => words.replaceAll(`@${name}`, `@${id}`), text.trim())
    if (body === '') return
    setText('')
    setPicked([])
    typing(false)
    chat.say(body).catch(ignore)
  }
  return (
    <div class='chat'>
      <div class='chat-list'>
        {chat.hasOlder && <button type='button' class='quiet wide' onClick={() => { chat.older().catch(ignore) }}>Earlier messages</button>}
        {list.length === 0 && <p class='faint'>Nobody has said anything yet.</p>}
        <ol aria-label='Messages' aria-live='polite'>{list.map(message => <li key={message.id}><Said userId={message.userId} at={message.at} /><Body body={message.body} known={known} userId={userId} /></li>)}</ol>
        <div ref={end} />
      </div>
      <Typing document={document} />
      {role !== 'viewer' && (
        <form class='words' onSubmit={event => { event.preventDefault(); send() }}>
          {offers.length > 0 && <ul class='offers' aria-label='Members'>{offers.map(([id, name]) => <li key={id}><button type='button' class='quiet small' onClick={() => pick(id, name)}>@{called(id)}</button></li>)}</ul>}
          <textarea
            ref={field} aria-label='Your message' placeholder='Say something; @ means someone' rows={2} maxLength={10000} dir='auto' value={text}
            onInput={event => {
              setText(event.currentTarget.value)
              typing(event.currentTarget.value.trim() !== '')
            }}
            onKeyDown={event => {
              if (event.isComposing) return
              if (event.key === 'Tab' && !event.shiftKey && offers.length > 0) {
                event.preventDefault()
                pick(...offers[0])
              } else if (event.key === 'Enter' && !event.shiftKey) {
                event.preventDefault()
                send()
              }
            }}
          />
          <button type='submit' class='primary small' disabled={text.trim() === ''}>Send</button>
        </form>
      )}
    </div>
  )
}
