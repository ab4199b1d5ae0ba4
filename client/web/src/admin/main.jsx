/**
 * The page for operators: what this relay says of itself, drawn, and read again every two
 * seconds; and how large documents are.
 */

import '../css/admin.css'
import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { base } from '../app/api.js'
import { applyTheme } from '../app/settings.js'
import { Logo } from '../parts/Logo.jsx'
import { Documents } from './Documents.jsx'
import { levels, parseMetrics, rates } from './metrics.js'

/** @import { Reading } from './metrics.js' */

const EVERY_MS = 2000
const KEPT = 120

/** @type {{ title: string, unit: string, name: string, rate: boolean, scale?: number }[]} */
const CHARTS = [
  { title: 'Edits committed', unit: 'a second', name: 'ops_applied_total', rate: true },
  { title: 'Clients', unit: 'connected', name: 'connections', rate: false },
  { title: 'Documents', unit: 'open here', name: 'rooms', rate: false },
  { title: 'Sent to clients', unit: 'kB a second', name: 'bytes_out_total', rate: true, scale: 1 / 1000 },
  { title: 'Edits under way', unit: 'to PostgreSQL', name: 'ops_held', rate: false },
  { title: 'Carried over others', unit: 'edits a second', name: 'ops_transformed_total', rate: true }
]

/** What should stay at nothing, and what it means when it does not. */
const TROUBLE = [
  ['checksums_total{result="different"}', 'Clients whose text was not the server’s', 'A defect of a client: see the error line in the log.'],
  ['batch_failures_total', 'Batches that PostgreSQL failed', 'A trigger raised an error, or the database refused.'],
  ['rejects_total', 'Edits rejected', 'By their codes in /metrics: a right was taken, or a limit reached.'],
  ['ring_misses_total', 'Clients served from the tables', 'They were too far behind: slow networks, or --ring-entries is small.'],
  ['room_gaps_total', 'Times a room missed operations', 'The replication stream was interrupted.'],
  ['rooms_lost_total', 'Rooms that the database had lost', 'It came back without its last commits.']
]

function useReadings () {
  const [state, set] = useState({ readings: /** @type {Reading[]} */ ([]), ready: '', problem: '' })
  useEffect(() => {
    let gone = false
    /** @type {any} */
    let timer
    const read = async () => {
      try {
        const [metrics, ready] = await Promise.all([fetch(`${base}metrics`), fetch(`${base}readyz`)])
        const values = parseMetrics(await metrics.text())
        const said = ready.ok ? 'ready' : (await ready.text()).trim() || 'not ready'
        if (!gone) set(({ readings }) => ({ readings: [...readings, { at: Date.now(), values }].slice(-KEPT), ready: said, problem: '' }))
      } catch {
        if (!gone) set(before => ({ ...before, problem: 'The relay does not answer.' }))
      }
      if (!gone) timer = setTimeout(read, EVERY_MS)
    }
    read()
    return () => {
      gone = true
      clearTimeout(timer)
    }
  }, [])
  return state
}

/** @param {number} value */
const shown = value => value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString() : value.toFixed(1)

/** @param {{ title: string, unit: string, points: number[] }} props */
function Chart ({ title, unit, points }) {
  const most = Math.max(1e-9, ...points)
  const from = KEPT - points.length
  const path = points.map((value, i) => `${i === 0 ? 'M' : 'L'}${from + i} ${(38 - value / most * 35).toFixed(1)}`).join('')
  return (
    <section class='card tile' aria-label={title}>
      <h2>{title}</h2>
      <p><b>{shown(points.at(-1) ?? 0)}</b> {unit}</p>
      <svg viewBox={`0 0 ${KEPT} 40`} preserveAspectRatio='none' aria-hidden='true'>
        {points.length > 1 && <path class='area' d={`${path}L${KEPT - 1} 40L${from} 40Z`} />}
        <path class='line' d={path} vector-effect='non-scaling-stroke' />
      </svg>
    </section>
  )
}

function Page () {
  const { readings, ready, problem } = useReadings()
  const last = readings.at(-1)?.values ?? new Map()
  return (
    <>
      <header class='top'>
        <a class='brand' href={base}><Logo /><span>converge</span></a>
        <span class='top-middle' />
        <span class={`badge ${problem || ready !== 'ready' ? 'offline' : 'saved'}`}><span class='dot' aria-hidden='true' /><span role='status'>{problem || ready || 'asking…'}</span></span>
      </header>
      <main class='admin' tabIndex={-1}>
        <h1>This relay</h1>
        <div class='tiles'>
          {CHARTS.map(({ title, unit, name, rate, scale = 1 }) => <Chart key={name} title={title} unit={unit} points={(rate ? rates : levels)(readings, name).map(value => value * scale)} />)}
        </div>
        <h2>Since it began</h2>
        <table class='card'>
          <thead><tr><th scope='col'>What</th><th scope='col'>Times</th><th scope='col'>Meaning</th></tr></thead>
          <tbody>
            {TROUBLE.map(([name, what, means]) => <tr key={name}><th scope='row'>{what}</th><td class={(last.get(name) ?? 0) > 0 ? 'some' : ''}>{shown(last.get(name) ?? 0)}</td><td>{means}</td></tr>)}
          </tbody>
        </table>
        <p class='faint'>Drawn from <a href={`${base}metrics`}>/metrics</a>, for the last four minutes.</p>
        <Documents />
      </main>
    </>
  )
}

applyTheme()
const page = /** @type {HTMLElement} */ (document.getElementById('page'))
page.textContent = ''
render(<Page />, page)
