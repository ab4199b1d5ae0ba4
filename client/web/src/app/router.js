/** Where the user is: `?doc=ID#v/12`, `?docs`, or nothing, which is the beginning. */

import { Store } from './store.js'

/** @typedef {{ view: 'home' | 'docs' | 'login' | 'doc', doc: string | null, version: number | null }} Place */

/** @returns {Place} */
function read () {
  const query = new URLSearchParams(location.search)
  const version = /^#v\/(\d{1,15})$/.exec(location.hash)
  const doc = query.get('doc')
  const view = doc !== null ? 'doc' : query.has('docs') ? 'docs' : query.has('login') ? 'login' : 'home'
  return { view, doc, version: version ? Number(version[1]) : null }
}

export const place = new Store(read())
for (const event of ['popstate', 'hashchange']) addEventListener(event, () => place.set(read()))

/**
 * The address of a place.
 * @param {Partial<Place>} to
 */
export function addressOf ({ view = 'doc', doc, version }) {
  const query = view === 'home' ? '' : view === 'doc' ? `?doc=${doc}` : `?${view}`
  return `${location.pathname}${query}${version == null ? '' : `#v/${version}`}`
}

/** @param {Partial<Place>} to @param {{ replace?: boolean }} [how] */
export function go (to, { replace = false } = {}) {
  history[replace ? 'replaceState' : 'pushState'](null, '', addressOf(to))
  place.set(read())
}

/** Follow links of this page without loading it anew. */
addEventListener('click', event => {
  const link = event.target instanceof Element ? event.target.closest('a[data-here]') : null
  if (!(link instanceof HTMLAnchorElement) || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.defaultPrevented) return
  event.preventDefault()
  history.pushState(null, '', link.href)
  place.set(read())
  document.querySelector('main')?.focus()
})
