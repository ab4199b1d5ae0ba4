/** How much was written when, and a slider over it. */

import { slotOf } from '../app/colors.js'
import { momentOf } from './history.js'

/** @import { Bucket, Snapshot } from './history.js' */

const HEIGHT = 56

/** @param {{ buckets: Bucket[] }} props */
function Chart ({ buckets }) {
  const most = Math.max(1, ...buckets.map(({ inserted, deleted }) => Math.max(inserted, deleted)))
  const scale = (/** @type {number} */ n) => n === 0 ? 0 : Math.max(1.5, Math.sqrt(n / most) * HEIGHT / 2)
  return (
    <svg class='chart' viewBox={`0 0 ${buckets.length} ${HEIGHT}`} preserveAspectRatio='none' aria-hidden='true'>
      {buckets.map((bucket, i) => (
        <g key={i} class={bucket.users.length === 1 ? `bar-${slotOf(bucket.users[0])}` : 'bar-many'}>
          <rect x={i + 0.1} width='0.8' y={HEIGHT / 2 - scale(bucket.inserted)} height={scale(bucket.inserted)} />
          <rect class='gone' x={i + 0.1} width='0.8' y={HEIGHT / 2} height={scale(bucket.deleted)} />
        </g>
      ))}
    </svg>
  )
}

/**
 * @param {object} props
 * @param {Bucket[]} props.buckets
 * @param {Snapshot[]} props.labels
 * @param {number} props.first
 * @param {number} props.head
 * @param {number | null} props.version null: now
 * @param {(version: number | null) => void} props.onPick
 */
export function Timeline ({ buckets, labels, first, head, version, onPick }) {
  const at = version ?? head
  const moment = momentOf(buckets, at)
  const share = (/** @type {number} */ v) => head === first ? 100 : (v - first) / (head - first) * 100
  return (
    <div class='timeline'>
      <Chart buckets={buckets} />
      <div class='labels' aria-hidden='true'>
        {labels.map(label => <span key={label.version} class='label-mark' style={{ insetInlineStart: `${share(label.version)}%` }} title={label.label ?? ''}>⚑</span>)}
      </div>
      <input
        type='range' class='slider' aria-label='Version of the text' min={first} max={head} step='1' value={at}
        aria-valuetext={version === null ? `now, version ${head}` : `version ${at} of ${head}, ${moment?.toLocaleString() ?? ''}`}
        onInput={event => {
          const picked = Number(event.currentTarget.value)
          onPick(picked >= head ? null : picked)
        }}
      />
    </div>
  )
}
