/**
 * What a storage has to be able to do, and what it stores. A transaction is all or nothing,
 * and a promise of one resolves when it is durable.
 *
 * @import { WireOp } from '../ot/op.js'
 *
 * @typedef {[user: string, document: string, session: string]} Key whose a record is: of a user,
 *   a document, and a session, which is a tab
 *
 * @typedef {object} Meta
 * @property {number} schema
 * @property {number} fence a number that each tab raises that takes the session over
 * @property {number} seen when it was written, in milliseconds since 1970
 * @property {number} version of the text and the ops since
 * @property {string | null} operationId
 * @property {number | null} sequenceId
 * @property {string} [life]
 * @property {string | null} role
 * @property {string | null} title
 * @property {null | { id: string, base: number, op: WireOp, now: WireOp, more: boolean }} inflight
 * @property {number} edits
 * @property {number | null} since when the first of them was made
 *
 * @typedef {object} Record all of a session
 * @property {Meta} meta
 * @property {string} text the server's, at some version
 * @property {WireOp[]} since the ops that lead from there to `meta.version`
 * @property {WireOp[]} typed what was typed behind what is in flight
 *
 * @typedef {object} Write with `meta` it says everything that is pending; without, it adds
 * @property {boolean} absent nothing should be stored of the session so far; else what is not
 *   there has been taken over, sent and removed
 * @property {Meta} [meta]
 * @property {string} [text] takes the place of the text and the ops since
 * @property {WireOp[]} since
 * @property {WireOp[]} typed
 *
 * @typedef {object} Backend
 * @property {(user: string, document: string) => Promise<{ session: string, edits: boolean, seen: number }[]>} list
 * @property {(key: Key) => Promise<(() => void) | null>} lock marks a living session; null: another tab has it
 * @property {(key: Key) => Promise<{ fence: number, record: Record } | null>} take raise the fence and read, in one transaction
 * @property {(key: Key, fence: number, write: Write) => Promise<void>} write fails with FencedError where the fence is another
 * @property {(key: Key, fence: number) => Promise<void>} remove likewise
 * @property {(user?: string) => Promise<string | null>} user get the user who was here last, or say who it is
 * @property {Said} [said] made by the code that is not needed at once, of ...
 * @property {import('./database.js').Transact} [transact] ... a database of IndexedDB
 *
 * @typedef {object} SaidRow something that is said beside the text, as it is stored
 * @property {number} n by which those of a session are in order
 * @property {string} of the type of its message
 * @property {string} id of what it is about
 * @property {any} [message] as it is sent, once it is frozen
 * @property {string} [life] of the document whose version that names
 * @property {string} [body]
 * @property {string} [threadId]
 * @property {string} [note]
 * @property {import('./near.js').Near} [near] the text that it is about
 * @property {WireOp} [op] a suggestion, from where that begins
 *
 * @typedef {object} Said keeps what is said, in sessions of their own
 * @property {(user: string, document: string) => Promise<string[]>} list sessions with something, whose tab may be gone
 * @property {(key: Key, held: boolean, put: SaidRow[], drop: { n: number, id: string }[]) => Promise<void>} write fails
 *   with FencedError where something is held, for all this tab knows, and nothing is there: another tab has taken it over
 * @property {(from: Key, to: Key, held: boolean) => Promise<SaidRow[]>} move take over a session, into one's own; fails likewise
 */

export {}
