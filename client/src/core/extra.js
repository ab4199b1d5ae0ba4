/** What of the core is not needed at once, and takes no code of the rest along. */

export { listen } from '../net/page.js'
export { claims, renewal } from '../net/token.js'
export { way } from '../ot/way.js'
export { checksum } from './checksum.js'
export { People } from './people.js'
