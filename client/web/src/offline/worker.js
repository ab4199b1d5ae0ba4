/**
 * The service worker: the page opens where the relay cannot be reached. What a document holds
 * and what was typed into it is the client's affair, in IndexedDB.
 *
 * The network comes first, so that no one is ever left with an old page: what is kept answers
 * where the network does not. It is one whole version of the page, whose scripts have the
 * hashes that this worker was built with. Files that are named by their content never change,
 * and come from what is kept at once.
 */

const worker = /** @type {any} */ (globalThis)
const scope = worker.registration.scope
const NAME = 'converge page '
const PART = /^part-\w+\.(js|css|ttf)$/
/** So long the network may say nothing where there is an answer. */
const PATIENCE_MS = 4000

/** seal.mjs writes it before this. @type {{ version: string, files: Record<string, string> }} names and, of scripts and styles, the hashes */
const { version, files } = worker.PAGE
const kept = NAME + version

async function install () {
  const cache = await caches.open(kept)
  await Promise.all(Object.entries(files).map(async ([name, integrity]) => {
    const answer = await fetch(new URL(name, scope), { cache: 'no-cache', ...(integrity === '' ? {} : { integrity }) })
    if (answer.status === 404 && name === 'config.json') return
    // where a proxy asks for a login, its page is not ours
    if (!answer.ok || answer.redirected) throw new Error(`${name}: ${answer.status}`)
    await cache.put(new URL(name, scope), answer)
  }))
  await worker.skipWaiting()
}

/** What older versions kept goes; pages that are open have theirs loaded, or load it from the network. */
async function activate () {
  for (const name of await caches.keys()) if (name.startsWith(NAME) && name !== kept) await caches.delete(name)
  await worker.clients.claim()
}

/** @param {Request} request @param {string} name */
async function part (request, name) {
  const cache = await caches.open(kept)
  const found = await cache.match(new URL(name, scope))
  if (found) return found
  const answer = await fetch(request)
  if (answer.ok && !answer.redirected) await cache.put(new URL(name, scope), answer.clone())
  return answer
}

/** @param {Request} request @param {string} name */
async function networkFirst (request, name) {
  const cache = await caches.open(kept)
  const asked = fetch(request)
  const found = await cache.match(new URL(name, scope))
  if (!found) return asked
  const late = new Promise(resolve => setTimeout(resolve, PATIENCE_MS, found))
  // a proxy whose relay is gone answers too
  return Promise.race([asked.then(answer => answer.status >= 500 ? found : answer, () => found), late])
}

/** @param {string} url the name of the page's file at it, or null: none that is kept */
function nameAt (url) {
  const { origin, pathname } = new URL(url)
  const base = new URL(scope)
  if (origin !== base.origin || !pathname.startsWith(base.pathname)) return null
  const name = pathname.slice(base.pathname.length) || 'index.html'
  return name in files || PART.test(name) ? name : null
}

worker.addEventListener('install', (/** @type {any} */ event) => event.waitUntil(install()))
worker.addEventListener('activate', (/** @type {any} */ event) => event.waitUntil(activate()))
worker.addEventListener('fetch', (/** @type {any} */ event) => {
  const { request } = event
  const name = request.method === 'GET' ? nameAt(request.url) : null
  if (name === null) return
  event.respondWith(PART.test(name) ? part(request, name) : networkFirst(request, name))
})
