/** What a token says of itself. Only the server can tell if it is true. */

/**
 * Read the claims of a JWT; none of what is no JWT.
 * @param {unknown} token
 * @returns {{ sub?: string, exp?: number, iat?: number }}
 */
export function claims (token) {
  try {
    const part = String(token).split('.')[1].replaceAll('-', '+').replaceAll('_', '/')
    const bytes = Uint8Array.from(atob(part), character => character.charCodeAt(0))
    const found = JSON.parse(new TextDecoder().decode(bytes))
    return found !== null && typeof found === 'object' ? found : {}
  } catch {
    return {}
  }
}

/**
 * In how many milliseconds a token should be renewed: half a minute before it expires, or
 * in time, if it does not live that long. Null: it does not expire.
 * @param {unknown} token
 * @param {number} now in milliseconds
 */
export function renewIn (token, now) {
  const { exp, iat } = claims(token)
  if (typeof exp !== 'number') return null
  const left = exp * 1000 - now
  const life = typeof iat === 'number' ? (exp - iat) * 1000 : left
  return Math.max(1000, left - Math.min(30_000, life / 4))
}
