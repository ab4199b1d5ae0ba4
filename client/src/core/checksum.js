/** The checksum of a text. */

/** @import { Environment } from '../net/environment.js' */

/**
 * Nothing where there is no SHA-256.
 * @param {string} text
 * @param {Environment} env
 */
export async function checksum (text, env) {
  const bytes = new TextEncoder().encode(text)
  const hash = await (env.sha256 ? env.sha256(bytes) : globalThis.crypto?.subtle?.digest('SHA-256', bytes))
  return hash && Array.from(new Uint8Array(hash), byte => byte.toString(16).padStart(2, '0')).join('')
}
