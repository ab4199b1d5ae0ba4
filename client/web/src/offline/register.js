/** Have the page kept in the browser, so that it opens without a connection. */

import { base } from '../app/api.js'

/** Once the page stands: what it is busy with comes first. Only secure origins have workers. */
export function keepPage () {
  if (!('serviceWorker' in navigator)) return
  const register = () => navigator.serviceWorker.register(`${base}offline.js`, { scope: base, updateViaCache: 'none' }).catch(() => {})
  if (document.readyState === 'complete') setTimeout(register)
  else addEventListener('load', register, { once: true })
}
