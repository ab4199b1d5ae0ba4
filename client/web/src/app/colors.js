/** A colour for each user: the same everywhere, as far as the colours reach. */

import { settings } from './settings.js'

/** Dark enough for white text on them. */
export const COLORS = ['#1d5fbf', '#b3261e', '#1f6f3f', '#8a3ea8', '#9a5b00', '#00707a', '#b0236f', '#5d5f00']

/** @type {Map<string, number>} */
const taken = new Map()

/** @param {string} text */
function hash (text) {
  let sum = 7
  for (let i = 0; i < text.length; i++) sum = (sum * 31 + text.charCodeAt(i)) | 0
  return Math.abs(sum)
}

/** Give a user one of the colours, before it is asked for. @param {string} userId @param {number} slot */
export const reserve = (userId, slot) => { taken.set(userId, slot) }

/**
 * Which of the colours a user has; users who are met together get different ones.
 * @param {string} userId
 */
export function slotOf (userId) {
  let slot = taken.get(userId)
  if (slot !== undefined) return slot
  slot = hash(userId) % COLORS.length
  const used = new Set(taken.values())
  for (let tries = 0; used.has(slot) && tries < COLORS.length; tries++) slot = (slot + 1) % COLORS.length
  taken.set(userId, slot)
  return slot
}

/** @param {string} userId */
export function colorOf (userId) {
  return settings.value.colors[userId] ?? COLORS[slotOf(userId)]
}
