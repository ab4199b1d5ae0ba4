// A page for editors to live in, in Node: import this before them.

import { JSDOM } from 'jsdom'

export const { window } = new JSDOM('<!doctype html><body></body>', { pretendToBeVisual: true })
export const page = window.document
const NAMES = ['document', 'window', 'MutationObserver', 'Node', 'HTMLElement', 'Event', 'CompositionEvent', 'InputEvent', 'KeyboardEvent', 'Window', 'getSelection', 'requestAnimationFrame', 'cancelAnimationFrame']
for (const name of NAMES) globalThis[name] = name === 'window' ? window : typeof window[name] === 'function' && name[0] === name[0].toLowerCase() ? window[name].bind(window) : window[name]
// Node 21 has one of its own
Object.defineProperty(globalThis, 'navigator', { value: window.navigator, configurable: true })

// there is no layout
window.Range.prototype.getClientRects = () => []
window.Range.prototype.getBoundingClientRect = () => ({ left: 0, right: 0, top: 0, bottom: 0 })
