/** What the client says when something fails: an Error with a `code` to decide by. */

/**
 * @typedef {Error & { code: string } & Record<string, any>} ConvergeError
 */

/**
 * @param {string} code
 * @param {string} message
 * @param {object} [more] further properties
 * @returns {ConvergeError}
 */
export function failure (code, message, more) {
  return Object.assign(new Error(message), { name: 'ConvergeError', code }, more)
}
