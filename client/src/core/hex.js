/** A checksum as it is said. */

/** @param {ArrayBuffer} hash */
export const hex = hash => Array.from(new Uint8Array(hash), byte => byte.toString(16).padStart(2, '0')).join('')
