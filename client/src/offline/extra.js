/** What of the storage is not needed at once, and takes no code of the rest along. */

export { adopt } from './adopt.js'
export { find } from './find.js'
export { list, take } from './reading.js'
export { restore } from './restore.js'
export { keepSaid } from './said_keeper.js'
