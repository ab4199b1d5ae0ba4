/** A document's past, read by the REST API and kept as far as it was read. */

import { Problem } from '../app/api.js'
import { parse, print, Text, toOp } from 'converge-client/ot'
import { undoing } from './undoing.js'

/** @import { Api } from '../app/api.js' */
/** @import { Change } from 'converge-client' */

/**
 * @typedef {{ fromVersion: number, toVersion: number, fromAt: string, toAt: string, edits: number, inserted: number, deleted: number, users: string[] }} Bucket
 * @typedef {{ version: number, userId: string, at: string, op: any[] }} Entry
 * @typedef {{ version: number, at: string, label: string | null, kind: string }} Snapshot
 * @typedef {{ fromVersion: number, toVersion: number | null, pos: number, lastPos: number, insertedBy: string | null, deletedBy: string | null, insertedAt: string, deletedAt: string | null }} Occurrence
 * @typedef {{ kind: 'same' | 'new' | 'old', text: string }} Piece
 */

const KINDS = /** @type {const} */ ({ kept: 'same', inserted: 'new', deleted: 'old' })
/** Operations read at once. */
const PAGE = 500
const SEEN_MS = 250
/** Texts kept, the last ones asked for. */
const KEPT = 100

export class History {
  /** @type {Map<number, Promise<string>>} */
  #texts = new Map()
  /** @type {Map<number, Entry>} */
  #entries = new Map()

  /** @param {Api} api @param {string} id */
  constructor (api, id) {
    this.api = api
    this.id = id
  }

  /** Begin anew: what was read has been replaced on the server. */
  forget () {
    this.#texts.clear()
    this.#entries.clear()
  }

  /** @param {string} rest */
  #path (rest) {
    return `docs/${this.id}/${rest}`
  }

  /** @param {number} buckets @returns {Promise<Bucket[]>} */
  async timeline (buckets) {
    return (await this.api.get(this.#path(`timeline?buckets=${buckets}`))).buckets
  }

  /** @returns {Promise<Snapshot[]>} those with a label */
  async labels () {
    const { snapshots } = await this.api.get(this.#path('snapshots'))
    return snapshots.filter((/** @type {Snapshot} */ { label }) => label !== null)
  }

  /**
   * When a text came and went, a page at a time.
   * @param {string} text
   * @param {string | null} next the path of a page; null: the first
   * @returns {Promise<{ occurrences: Occurrence[], next: string | null }>}
   */
  async occurrences (text, next) {
    const page = await this.api.page(next ?? this.#path(`occurrences?content=${encodeURIComponent(text)}`))
    return { occurrences: page.value.occurrences, next: page.next }
  }

  /** @param {number} version @returns {Promise<string>} */
  text (version) {
    const kept = this.#texts.get(version)
    if (kept !== undefined) return kept
    const text = this.api.get(this.#path(`content?version=${version}`)).then(({ content }) => content)
    text.catch(() => this.#texts.delete(version))
    this.#texts.set(version, text)
    if (this.#texts.size > KEPT) this.#texts.delete(/** @type {number} */ (this.#texts.keys().next().value))
    return text
  }

  /** @param {number} version @returns {Promise<import('../editor/authors.js').Run[]>} */
  async runs (version) {
    return (await this.api.get(this.#path(`blame?version=${version}`))).runs
  }

  /**
   * The operation that made a version; null: there is none yet.
   * @param {number} version
   * @returns {Promise<Entry | null>}
   */
  async entry (version) {
    if (!this.#entries.has(version)) {
      const { ops } = await this.api.get(this.#path(`history?from=${version}&to=${version + PAGE - 1}&limit=${PAGE}`))
      for (const entry of ops) this.#entries.set(entry.version, entry)
    }
    return this.#entries.get(version) ?? null
  }

  /** @param {number} from @param {number} to @returns {Promise<any[]>} an op */
  async diff (from, to) {
    return (await this.#seen(this.#path(`diff?from=${from}&to=${to}`))).op
  }

  /**
   * The two texts in one, in whole lines that stayed, came or went.
   * @param {number} from
   * @param {number} to
   * @returns {Promise<Piece[]>}
   */
  async lines (from, to) {
    const { rows } = await this.#seen(this.#path(`diff-rows?from=${from}&to=${to}&unit=lines`))
    return rows.map((/** @type {{ kind: 'kept' | 'inserted' | 'deleted', content: string }} */ { kind, content }) => ({ kind: KINDS[kind], text: content }))
  }

  /** Clients may hear of a version a moment before SQL sees it. @param {string} path @returns {Promise<any>} */
  async #seen (path) {
    try {
      return await this.api.get(path)
    } catch (error) {
      if (!(error instanceof Problem && error.status === 409)) throw error
      await new Promise(resolve => setTimeout(resolve, SEEN_MS))
      return this.api.get(path)
    }
  }

  /**
   * Take back the versions from one to another, and keep what came after them.
   * @param {{ from: number, to: number }} versions
   * @returns {Promise<number>} the new version
   */
  async undo ({ from, to }) {
    return (await this.api.post(this.#path('undo-range'), { fromVersion: from, toVersion: to })).version
  }

  /**
   * Have a part of a version's text as it was then; what others do meanwhile is carried over.
   * @param {number} version
   * @param {{ from: number, to: number }} part
   * @returns {Promise<boolean>} false: it is so already
   */
  async restore (version, part) {
    const [text, { version: head }] = await Promise.all([this.text(version), this.api.get(`docs/${this.id}`)])
    const op = parse(await this.diff(version, head))
    const { text: now, changes } = Text.of(text).apply(op)
    const wanted = undoing(text, changes, part)
    if (wanted.length === 0) return false
    await this.api.post(this.#path('ops'), { operationId: crypto.randomUUID(), baseVersion: head, op: print(toOp(now, wanted)) })
    return true
  }
}

/**
 * What an op does to a text, for an editor.
 * @param {string} text
 * @param {any[]} op
 * @returns {{ text: string, changes: Change[] }}
 */
export function applied (text, op) {
  const { text: after, changes } = Text.of(text).apply(parse(op))
  return { text: String(after), changes }
}

/**
 * The two texts that an op lies between, in one: pieces that stayed, came or went.
 * @param {string} text
 * @param {any[]} op
 */
export function pieces (text, op) {
  const { changes } = applied(text, op)
  /** @type {{ kind: 'same' | 'new' | 'old', text: string }[]} */
  const out = []
  let at = 0
  for (const { from, to, insert } of changes) {
    if (from > at) out.push({ kind: 'same', text: text.slice(at, from) })
    if (to > from) out.push({ kind: 'old', text: text.slice(from, to) })
    if (insert !== '') out.push({ kind: 'new', text: insert })
    at = to
  }
  if (at < text.length) out.push({ kind: 'same', text: text.slice(at) })
  return out
}

/**
 * Where a part of such pieces was in the first of the two texts.
 * @param {{ kind: 'same' | 'new' | 'old', text: string }[]} pieces
 * @param {{ from: number, to: number }} part
 * @returns {{ from: number, to: number } | null} null: it was not there
 */
export function before (pieces, part) {
  let at = 0
  let [from, to] = [part.from, part.to]
  for (const { kind, text } of pieces) {
    if (kind === 'new') {
      from -= Math.max(0, Math.min(part.from - at, text.length))
      to -= Math.max(0, Math.min(part.to - at, text.length))
    }
    at += text.length
  }
  return from === to ? null : { from, to }
}

/**
 * When a version was made, as far as the buckets say.
 * @param {Bucket[]} buckets
 * @param {number} version
 */
export function momentOf (buckets, version) {
  const bucket = buckets.find(({ toVersion }) => toVersion >= version) ?? buckets.at(-1)
  if (bucket === undefined) return null
  const share = bucket.toVersion === bucket.fromVersion ? 1 : Math.max(0, (version - bucket.fromVersion) / (bucket.toVersion - bucket.fromVersion))
  const from = Date.parse(bucket.fromAt)
  return new Date(from + share * (Date.parse(bucket.toAt) - from))
}
