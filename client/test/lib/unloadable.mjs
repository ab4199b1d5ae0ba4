// Code that is imported later and cannot be loaded for a while, as without a network.

import { register } from 'node:module'

const hooks = `
  let shared
  export function initialize (given) { shared = new Int32Array(given) }
  const PARTS = [/core\\/more\\.js \\.\\/extra\\.js$/, /offline\\/more\\.js \\.\\/extra\\.js$/, /document\\.js \\.\\/talk\\.js$/]
  export async function resolve (specifier, context, next) {
    const part = PARTS.findIndex(each => each.test(context.parentURL + ' ' + specifier))
    if (part >= 0) {
      Atomics.add(shared, 1 + part, 1)
      if (Atomics.load(shared, 0)) throw new TypeError('Failed to fetch dynamically imported module')
    }
    return next(specifier, context)
  }`

const shared = new Int32Array(new SharedArrayBuffer(16))
register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: shared.buffer })

/** Whether it can be loaded, and how often each was asked for. */
export const parts = {
  set failing (failing) { Atomics.store(shared, 0, Number(failing)) },
  get asked () { return { core: shared[1], offline: shared[2], talk: shared[3] } }
}
