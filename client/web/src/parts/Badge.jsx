/** Whether what was typed is committed, and whether there is a connection. */

import { useDocument } from '../app/store.js'

/** @import { Document } from 'converge-client' */

/**
 * @param {Document} document
 * @returns {{ kind: 'saved' | 'pending' | 'offline' | 'closed', text: string, more: string }}
 */
export function stateOf (document) {
  const { pending, status, version } = document
  const edits = pending === null ? '' : pending.edits === 1 ? '1 edit' : `${pending.edits} edits`
  switch (status) {
    case 'closed': return { kind: 'closed', text: 'Closed', more: '' }
    case 'unauthenticated': return { kind: 'offline', text: 'Log in again', more: edits && `${edits} wait here` }
    case 'offline':
    case 'reconnecting': return { kind: 'offline', text: status === 'offline' ? 'Offline' : 'Reconnecting…', more: edits && `${edits} wait here` }
    case 'connecting': return { kind: 'pending', text: 'Connecting…', more: '' }
    default: return pending === null ? { kind: 'saved', text: 'Saved', more: `version ${version}` } : { kind: 'pending', text: 'Saving…', more: '' }
  }
}

/** @param {{ document: Document }} props */
export function Badge ({ document }) {
  useDocument(document, ['status', 'pending', 'saved', 'change'])
  const { kind, text, more } = stateOf(document)
  return (
    <span class={`badge ${kind}`}>
      <span class='dot' aria-hidden='true' />
      <span role='status'>{text}</span>
      {more && <span class='more'>{more}</span>}
    </span>
  )
}
