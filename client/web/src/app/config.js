/** What the place where the page is served says of itself: whether it is the demonstration. */

import { base } from './api.js'

/**
 * @typedef {{ id: string, name: string, token: string, slot: number }} SampleUser
 * @typedef {object} Demo
 * @property {SampleUser[]} users the first two have the two panes
 * @property {string} document the one on show
 * @property {string | null} console the document that statements are written into
 * @property {{ id: string, slot: number }} sqlUser as whom statements edit
 * @property {string} observer a token that reads the document on show
 * @typedef {{ id: string, name: string, token: string }} Guest as whom documents are open to those
 *   who have not logged in
 * @typedef {{ id: string, name?: string }} Reviewer the user of a converge-reviewer that waits to be asked
 * @typedef {{ demo?: Demo, guest?: Guest, reviewer?: Reviewer }} Config
 */

/** @returns {Promise<Config>} */
export async function readConfig () {
  try {
    const answer = await fetch(`${base}config.json`)
    return answer.ok ? await answer.json() : {}
  } catch {
    return {}
  }
}
