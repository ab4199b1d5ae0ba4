/**
 * converge-client: live collaborative text in PostgreSQL.
 *
 *     const client = new Client({ url: 'https://relay.example.org', token: async () => jwt })
 *     const document = client.open(id)
 *     await document.loaded
 */

export { Client } from './client.js'
export { Document } from './document.js'
export { Presence } from './core/presence.js'

/**
 * @typedef {import('./client.js').ClientOptions} ClientOptions
 * @typedef {import('./net/link.js').TokenFunction} TokenFunction
 * @typedef {import('./document.js').Status} Status
 * @typedef {import('./document.js').Role} Role
 * @typedef {import('./document.js').ChangeEvent} ChangeEvent
 * @typedef {import('./document.js').RejectedEvent} RejectedEvent
 * @typedef {import('./document.js').ClosedEvent} ClosedEvent
 * @typedef {import('./document.js').DocumentEvents} DocumentEvents
 * @typedef {import('./core/edits.js').Committed} Committed
 * @typedef {import('./core/edits.js').Edit} Edit
 * @typedef {import('./core/error.js').ConvergeError} ConvergeError
 * @typedef {import('./core/presence.js').Cursor} Cursor
 * @typedef {import('./core/presence.js').User} User
 * @typedef {import('./ot/text.js').Change} Change
 * @typedef {import('./ot/op.js').WireOp} WireOp
 */
