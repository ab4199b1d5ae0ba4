/** What of the storage is not needed at once, and takes no code of the rest along. */

export { find } from './find.js'
export { drain } from './orphan.js'
export { list, take } from './reading.js'
export { restore } from './restore.js'
