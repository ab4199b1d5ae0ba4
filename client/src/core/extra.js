/** What of the core is not needed at once, and takes no code of the rest along. */

export { claims, renewIn } from '../net/token.js'
export { way } from '../ot/way.js'
export { hex } from './hex.js'
export { People } from './people.js'
