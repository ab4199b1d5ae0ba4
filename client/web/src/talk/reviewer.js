/**
 * The reviewer that an operator runs: what it does just now, and how it is asked. It is a user
 * like others, and the endpoint's key is with it; a page only writes to it in the chat.
 */

/** @import { Document } from 'converge-client' */
/** @import { Message } from 'converge-client/talk' */

/** What a reviewer says of itself stands behind its name. */
const DOING = / \((waiting|thinking|writing)\)$/

/** A name without what a reviewer says it does. @param {string | null} name */
export const bare = name => name?.replace(DOING, '') ?? null

/**
 * What a reviewer does in a document.
 * @param {Document} document @param {string} id
 * @returns {'away' | 'here' | 'waiting' | 'thinking' | 'writing'} `here`: it reviews without being asked, or begins
 */
export function doing (document, id) {
  const there = document.presence.users.filter(({ userId }) => userId === id)
  if (there.length === 0) return 'away'
  const said = there.map(({ name }) => DOING.exec(name ?? '')?.[1])
  return /** @type {any} */ (said.find(what => what === 'writing' || what === 'thinking') ?? said.find(what => what) ?? 'here')
}

/** The message that asks for a review. @param {string} id @param {string} wish @param {{ from: number, to: number, version: number } | null} range in code points */
export const asking = (id, wish, range) =>
  [`@${id}`, wish.trim(), range && `(characters ${range.from} to ${range.to} of version ${range.version})`].filter(Boolean).join(' ')

/** A selection in code points of the version held; nothing may be pending. @param {Document} document @param {{ from: number, to: number }} selection */
export function rangeOf (document, { from, to }) {
  const before = [...document.slice(0, from)].length
  return { from: before, to: before + [...document.slice(from, to)].length, version: document.version }
}

/**
 * The newest answers, and one's own requests that have none yet.
 * @param {readonly Message[]} list the chat @param {string} id the reviewer's @param {string | null} own
 */
export function requests (list, id, own) {
  const asks = list.filter(({ userId, body }) => userId === own && new RegExp(`^@${id.replace(/[^\w]/g, '\\$&')}(?![\\w-])`).test(body))
  const answers = list.filter(({ userId }) => userId === id)
  const mine = answers.filter(({ body }) => own !== null && body.includes(`@${own}`))
  const last = mine.length > 0 ? list.indexOf(mine[mine.length - 1]) : -1
  return { answers: answers.slice(-3), open: asks.filter(ask => list.indexOf(ask) > last) }
}
