/** In place of a text that is not here yet: what it will look like, and what it waits for. */

import { useEffect, useState } from 'preact/hooks'
import { useDocument } from '../app/store.js'

/** So long, waiting needs no words. */
const PATIENCE_MS = 5000

/** @param {{ document: import('converge-client').Document }} props */
export function Loading ({ document }) {
  useDocument(document, ['status'])
  const [late, setLate] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [document])
  const { status } = document
  const text = status === 'offline' ? 'You are offline, and this document is not kept in this browser. It opens when there is a network again.'
    : !late ? ''
      : status === 'connected' ? 'The text is on its way.'
        : 'The server cannot be reached, and this document is not kept in this browser. It opens as soon as the server answers.'
  return (
    <div class='skeleton-text' role='status' aria-label='Loading the document'>
      {text && <p>{text}</p>}
      <i /><i /><i /><i />
    </div>
  )
}
