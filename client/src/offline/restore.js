/** Makes a state of what a session had stored, with the core's functions that it is handed. */

/** @import { Record as Stored } from './backend.js' */
/** @import { Batch } from '../core/edits.js' */
/** @import { Point, State } from '../core/state.js' */

/**
 * @typedef {object} Tools
 * @property {typeof import('../core/edits.js').batchOf} batchOf
 * @property {typeof import('../core/state.js').begin} begin
 * @property {typeof import('../core/state.js').edit} edit
 * @property {typeof import('../core/state.js').receive} receive
 * @property {typeof import('../ot/index.js').parse} parse
 */

/**
 * @param {Stored} stored
 * @param {Point} point where it stands
 * @param {number} now
 * @param {Tools} tools
 * @returns {{ state: State, sentBatch: Batch | null, batch: Batch | null }}
 */
export function restore ({ meta, text, since, typed }, point, now, { batchOf, begin, edit, parse, receive }) {
  const { inflight, edits } = meta
  const began = meta.since ?? now
  /** @type {Batch | null} */
  let sentBatch = null
  /** @type {Batch | null} */
  let batch = null
  let state = begin(text, point)
  for (const op of since) state = receive(state, parse(op), point).state
  if (inflight) {
    const now = parse(inflight.now)
    state = { ...state, sent: { ...inflight, op: parse(inflight.op), now }, shown: state.base.apply(now).text }
    sentBatch = batchOf(began, typed.length > 0 ? 1 : edits)
  }
  for (const op of typed) state = edit(state, parse(op)).state
  if (typed.length > 0) {
    batch = (inflight?.more && sentBatch) || batchOf(began)
    batch.edits = Math.max(typed.length, edits)
  }
  return { state, sentBatch, batch }
}
