/** How others are shown in an editor: what they are called, and in which colors. */

/** @import { User } from '../core/presence.js' */

/** For those who chose no color; all of them are legible under white text. */
const COLORS = ['#b3261e', '#8e4585', '#5b4bc4', '#1f63b5', '#00707a', '#2b7326', '#7a5c00', '#a3480f']

/**
 * What a user is called: as they say, or their id.
 * @param {User} user
 */
export const nameOf = ({ name, userId }) => name || userId

/**
 * The color of a user's caret: their own, if it is one, else one that stays the same.
 * @param {User} user
 */
export function colorOf ({ color, userId }) {
  if (color !== null && /^#[0-9a-f]{6}$/i.test(color)) return color
  let hash = 0
  for (let i = 0; i < userId.length; i++) hash = (31 * hash + userId.charCodeAt(i)) >>> 0
  return COLORS[hash % COLORS.length]
}

/**
 * The color of text that is legible on a color.
 * @param {string} color
 */
export function textOn (color) {
  const [red, green, blue] = [1, 3, 5].map(at => (parseInt(color.slice(at, at + 2), 16) / 255) ** 2.2)
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? '#000' : '#fff'
}
