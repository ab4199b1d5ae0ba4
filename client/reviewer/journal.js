/**
 * What a run has done so far, in a file that is written before anything is posted. A run that
 * was ended goes on from it: the endpoint is not asked twice for the same part, and a remark
 * that may have been posted is sent again as it was, under its id.
 */

import fs from 'node:fs'
import path from 'node:path'
import { failure } from '../src/core/error.js'

/** @import { Range } from './parts.js' */
/** @import { WireOp } from '../src/ot/op.js' */

/**
 * @typedef {Range & { state: 'open' | 'asked' | 'failed' }} Part
 *
 * @typedef {object} Placed a remark with its place
 * @property {string} id
 * @property {string} [threadId] of a comment
 * @property {'comment' | 'suggestion'} kind
 * @property {number} version that `from` and `to` are of
 * @property {number} from in code points
 * @property {number} to
 * @property {WireOp} [op] of a suggestion
 * @property {string} quote
 * @property {[string, string]} around
 * @property {string} at line and column, for people
 * @property {string} body
 * @property {string | null} replacement
 * @property {'placed' | 'posted' | 'dropped'} state
 * @property {string} [why] it was dropped
 *
 * @typedef {Pick<Placed, 'kind' | 'quote' | 'around'>} Earlier a remark that was posted on an earlier version of the text
 *
 * @typedef {object} State
 * @property {1} schema
 * @property {string} document
 * @property {number} version of the text that is reviewed
 * @property {string} hash of that text
 * @property {Part[]} parts
 * @property {Placed[]} remarks
 * @property {Earlier[]} earlier
 * @property {boolean} finished
 */

/** The file of a run; one process at a time has it. */
export class Journal {
  /** @type {State | null} */
  state = null
  #lock

  /** @param {string} folder @param {string} run */
  constructor (folder, run) {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.file = path.join(folder, `${run}.json`)
    this.#lock = `${this.file}.lock`
    this.#take()
    try {
      this.state = this.#load()
    } catch (error) {
      this.release()
      throw error
    }
  }

  #load () {
    if (!fs.existsSync(this.file)) return null
    try {
      const state = JSON.parse(fs.readFileSync(this.file, 'utf8'))
      if (state.schema === 1) return state
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
    throw failure('journal', `${this.file} is damaged or of another version of the reviewer; remove it to begin anew`)
  }

  /** Write the state; it is there whole or not at all. */
  save () {
    const next = `${this.file}.new`
    const file = fs.openSync(next, 'w', 0o600)
    try {
      fs.writeFileSync(file, JSON.stringify(this.state))
      fs.fsyncSync(file)
    } finally {
      fs.closeSync(file)
    }
    fs.renameSync(next, this.file)
  }

  /** Be the only process that has this file; one that has died does not count. */
  #take () {
    for (;;) {
      try {
        return fs.writeFileSync(this.#lock, String(process.pid), { flag: 'wx', mode: 0o600 })
      } catch (error) {
        if (/** @type {any} */ (error).code !== 'EEXIST') throw error
      }
      const pid = Number(fs.readFileSync(this.#lock, 'utf8'))
      if (pid > 0 && pid !== process.pid && isAlive(pid)) throw failure('journal', `process ${pid} does this review at the moment (else remove ${this.#lock})`)
      fs.rmSync(this.#lock, { force: true })
    }
  }

  release () {
    fs.rmSync(this.#lock, { force: true })
  }
}

/** @param {number} pid */
function isAlive (pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return /** @type {any} */ (error).code === 'EPERM'
  }
}
