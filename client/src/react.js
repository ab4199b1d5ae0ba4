/**
 * A hook for React.
 *
 *     import { useDocument } from 'converge-client/react'
 *     const document = useDocument(client, id)
 */

import { useEffect, useReducer, useState } from 'react'

/** @import { Client } from './client.js' */
/** @import { Document, DocumentEvents } from './document.js' */

/** What a component is rendered anew for, unless it says otherwise. */
const EVENTS = /** @type {const} */ (['status', 'role', 'title', 'pending', 'presence', 'closed'])

/**
 * Open a document for as long as a component is there. Null until it is mounted, so also on
 * a server. Renders when the document is loaded, and at some events: `change` is not one of
 * them, since an editor's binding follows the text.
 * @param {Client | null | undefined} client
 * @param {string | null | undefined} id
 * @param {readonly (keyof DocumentEvents)[]} [events]
 * @returns {Document | null}
 */
export function useDocument (client, id, events = EVENTS) {
  const [document, setDocument] = useState(/** @type {Document | null} */ (null))
  const [, render] = useReducer((/** @type {number} */ n) => n + 1, 0)
  const names = events.join()
  useEffect(() => {
    if (!client || !id) return
    const opened = client.open(id)
    setDocument(opened)
    return () => opened.release()
  }, [client, id])
  useEffect(() => {
    if (document === null) return
    let there = true
    const offs = names.split(',').map(name => document.on(/** @type {keyof DocumentEvents} */ (name), render))
    const loaded = () => { if (there) render() }
    document.loaded.then(loaded, loaded)
    return () => {
      there = false
      for (const off of offs) off()
    }
  }, [document, names])
  return document?.client === client && document?.id === id ? document : null
}
