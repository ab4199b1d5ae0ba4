/**
 * What this browser remembers of its user's wishes: theme, name, colour, editor, and
 * languages of documents.
 */

import { Store } from './store.js'

const KEY = 'converge.settings'

/** @typedef {{ theme: 'auto' | 'light' | 'dark', names: Record<string, string>, colors: Record<string, string>,
 *   editor: 'codemirror' | 'monaco', languages: Record<string, string> }} Settings */

/** @type {Settings} */
const initial = { theme: 'auto', names: {}, colors: {}, editor: 'codemirror', languages: {} }

/** @returns {Settings} */
function read () {
  try {
    return { ...initial, ...JSON.parse(localStorage.getItem(KEY) ?? '{}') }
  } catch {
    return initial
  }
}

export const settings = new Store(read())

/** @param {Partial<Settings>} some */
export function change (some) {
  settings.set({ ...settings.value, ...some })
  try {
    localStorage.setItem(KEY, JSON.stringify(settings.value))
  } catch { /* private windows may store nothing */ }
  applyTheme()
}

export function applyTheme () {
  document.documentElement.dataset.theme = settings.value.theme
}
