/**
 * The ops of the last while, by which what was said of one version is carried to the next.
 */

/** @import { Document } from '../document.js' */
/** @import { Algebra } from './kit.js' */
/** @import { Op } from '../ot/op.js' */

/** Ops remembered; up to twice as many. */
const REMEMBERED = 1000

/** @param {Document} document @param {Algebra} algebra */
export function makeTrack (document, { compose, typed }) {
  /** @type {{ from: number, to: number, op: Op }[]} each begins where the one before ends */
  let recent = []
  /** @type {{ stamp: object, op: Op } | null} */
  let pending = null

  return {
    /** The version that the document stands on. */
    get version () { return document.version },

    /** What is typed here and not committed, as an op on the server's text. */
    get typed () {
      const { state } = document.sync
      if (!state) return []
      if (pending?.stamp !== state) pending = { stamp: state, op: typed(state) }
      return pending.op
    },

    /** The server's text has advanced. @param {Op | null} op @param {number} from */
    advance (op, from) {
      if (!op) recent = []
      else {
        if (recent.length === 2 * REMEMBERED) recent.splice(0, REMEMBERED)
        recent.push({ from, to: document.version, op })
      }
    },

    /**
     * Ops from a version to the one held, in order; null: that is not known (any more).
     * @param {number} version
     * @returns {Op[] | null}
     */
    since (version) {
      if (version === document.version) return []
      let low = 0
      for (let high = recent.length; low < high;) {
        const middle = (low + high) >> 1
        if (recent[middle].from < version) low = middle + 1
        else high = middle
      }
      return recent[low]?.from === version ? recent.slice(low).map(({ op }) => op) : null
    },

    /** @param {Op[]} ops */
    whole: ops => ops.reduce((all, op) => compose(all, op), /** @type {Op} */ ([]))
  }
}
