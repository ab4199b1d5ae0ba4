/** Between the panes: PostgreSQL, its newest commits, and the two wires that can be cut. */

import { useEffect, useState } from 'preact/hooks'
import { slotOf } from '../app/colors.js'
import { called } from '../app/names.js'
import { Icon } from '../parts/Icon.jsx'

/** @import { ChangeEvent, Document } from 'converge-client' */

const SHOWN = 6

/** Text on one line, with blanks that can be seen where there is nothing else. @param {string} text */
const visible = text => (text.trim() === '' ? text.replaceAll(' ', '␣') : text).replaceAll('\n', '↵')

/** @param {ChangeEvent} event */
function summary ({ changes }) {
  let inserted = ''
  let deleted = 0
  for (const { from, to, insert } of changes) {
    inserted += insert
    deleted += to - from
  }
  return { inserted: inserted.length > 16 ? `${inserted.slice(0, 15)}…` : inserted, deleted }
}

/**
 * The newest commits, as a client that only reads learns of them.
 * @param {Document} observer
 */
export function useCommits (observer) {
  const [state, set] = useState({ version: 0, commits: /** @type {{ version: number, userId: string | null, inserted: string, deleted: number }[]} */ ([]) })
  useEffect(() => {
    observer.loaded.then(() => set(before => ({ ...before, version: observer.version })), () => {})
    return observer.on('change', event => set(({ commits }) => ({
      version: event.version,
      commits: [{ version: event.version, userId: event.userId, ...summary(event) }, ...commits].slice(0, SHOWN)
    })))
  }, [observer])
  return state
}

/** @param {{ name: string, cut: boolean, onToggle: () => void, side: string }} props */
function WireButton ({ name, cut, onToggle, side }) {
  return (
    <div class={`wire ${side}${cut ? ' cut' : ''}`}>
      <span class='line' aria-hidden='true' />
      <button type='button' class='scissors' aria-pressed={cut} onClick={onToggle}>
        <Icon name={cut ? 'join' : 'cut'} /><span class='wire-text'>{cut ? `Join ${name}’s wire` : `Cut ${name}’s wire`}</span>
      </button>
      <span class='elbow' aria-hidden='true' />
    </div>
  )
}

/**
 * @param {object} props
 * @param {ReturnType<typeof useCommits>} props.log
 * @param {{ name: string, cut: boolean, onToggle: () => void }[]} props.wires
 */
export function Middle ({ log, wires }) {
  return (
    <section class='middle' aria-label='PostgreSQL'>
      <WireButton {...wires[0]} side='first' />
      <div class='database'>
        <svg class='cylinder' viewBox='0 0 64 44' aria-hidden='true'>
          <path d='M6 9v26c0 4 12 7 26 7s26-3 26-7V9' />
          <ellipse cx='32' cy='9' rx='26' ry='7' />
          <path d='M6 22c0 4 12 7 26 7s26-3 26-7' class='ring' />
        </svg>
        <h2>PostgreSQL</h2>
        <p class='version'>version <b key={log.version}>{log.version}</b></p>
        <ol class='commits' aria-label='Newest commits'>
          {log.commits.map(({ version, userId, inserted, deleted }) => (
            <li key={version}>
              <span class={`by-dot by-${userId === null ? 'none' : slotOf(userId)}`} aria-hidden='true' />
              <span class='commit-who'>{called(userId)}</span>
              <span class='commit-what'>{inserted !== '' && <ins><bdi>{visible(inserted)}</bdi></ins>}{deleted > 0 && <del>−{deleted}</del>}</span>
            </li>
          ))}
        </ol>
      </div>
      <WireButton {...wires[1]} side='second' />
    </section>
  )
}
