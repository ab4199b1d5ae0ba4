/**
 * Ids that come out the same again: a remark that is sent a second time, after a crash or by
 * a later run, has the id it had, and the server takes it once.
 */

import { createHash } from 'node:crypto'

/** @param {string} text */
export const hash = text => createHash('sha256').update(text).digest('hex')

/**
 * A UUID (version 8) made of what it identifies.
 * @param {...(string | number | null)} of
 */
export function idOf (...of) {
  const digits = hash(JSON.stringify(of))
  const variant = (8 + parseInt(digits[16], 16) % 4).toString(16)
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(13, 16)}-${variant}${digits.slice(17, 20)}-${digits.slice(20, 32)}`
}
