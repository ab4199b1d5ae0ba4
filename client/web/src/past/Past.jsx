/** The past of a document: the slider, what can be done with it, and the text as it was. */

import { useState } from 'preact/hooks'
import { explain } from '../app/api.js'
import { called } from '../app/names.js'
import { slotOf } from '../app/colors.js'
import { Icon } from '../parts/Icon.jsx'
import { momentOf } from './history.js'
import { Search } from './Search.jsx'
import { Timeline } from './Timeline.jsx'
import { useTimeline } from './use_past.js'

const SPEEDS = [1, 4, 16, 64]

/** @typedef {ReturnType<typeof import('./use_past.js').usePast>} PastState */

/** @param {{ past: PastState }} props the authors of what is shown */
export function Legend ({ past }) {
  if (past.version === null) return null
  if (past.compared) return <p class='legend'><span class='chip diff-new'>only {past.against === null ? 'now' : `in version ${past.against}`}</span> <span class='chip diff-old'>only in version {past.version}</span></p>
  return (
    <ul class='legend' aria-label='Authors of this text'>
      {past.authors.slice(0, 8).map(userId => <li key={userId}><span class={`chip by by-${slotOf(userId)}`}>{called(userId)}</span></li>)}
    </ul>
  )
}

/** @param {{ past: PastState, labels: import('./history.js').Snapshot[] }} props */
function Controls ({ past, labels }) {
  const { version, playing, step, play, stop, pick, speed, setSpeed, compared, setCompared, against, setAgainst, byLines, setByLines } = past
  // a second moment is any version: this one, and then the slider moves on
  const unnamed = [...new Set([against, version])].filter(one => one !== null && !labels.some(({ version }) => version === one))
  return (
    <div class='controls' role='toolbar' aria-label='Move through the past'>
      <button type='button' class='round' aria-label='One change back' onClick={() => step(-1)}><Icon name='back' /></button>
      <button type='button' class='round main' aria-label={playing ? 'Pause' : 'Play'} onClick={() => playing ? stop() : play()}><Icon name={playing ? 'pause' : 'play'} /></button>
      <button type='button' class='round' aria-label='Next change' disabled={version === null} onClick={() => step(1)}><Icon name='next' /></button>
      <label class='speed'><span class='hidden'>Speed of playing</span>
        <select value={String(speed)} onChange={event => setSpeed(Number(event.currentTarget.value))}>
          {SPEEDS.map(one => <option key={one} value={String(one)}>{one === 1 ? 'real speed' : `${one} × faster`}</option>)}
        </select>
      </label>
      <label class='check'><input type='checkbox' checked={compared} disabled={version === null} onChange={event => setCompared(event.currentTarget.checked)} /> compare with {compared ? '' : 'now'}</label>
      {compared && (
        <select aria-label='Compare with' value={String(against ?? '')} onChange={event => setAgainst(event.currentTarget.value === '' ? null : Number(event.currentTarget.value))}>
          <option value=''>now</option>
          {labels.map(one => <option key={one.version} value={String(one.version)}>{one.label}</option>)}
          {unnamed.map(one => <option key={one} value={String(one)}>version {one}{one === version ? ', this one' : ''}</option>)}
        </select>
      )}
      {compared && <label class='check'><input type='checkbox' checked={byLines} onChange={event => setByLines(event.currentTarget.checked)} /> whole lines</label>}
      {version !== null && <button type='button' class='quiet' onClick={() => pick(null)}>Back to now</button>}
    </div>
  )
}

/**
 * @param {object} props
 * @param {PastState} props.past
 * @param {number} props.head
 * @param {boolean} props.mayEdit
 * @param {import('../app/api.js').Api} props.api
 * @param {string} props.id
 * @param {string} [props.title]
 */
export function PastBar ({ past, head, mayEdit, api, id, title = 'The past' }) {
  const { buckets, labels, absent, reread } = useTimeline(past.history, head)
  const [said, say] = useState('')
  const first = Math.max(0, (buckets[0]?.fromVersion ?? 1) - 1)
  const { version } = past
  const moment = momentOf(buckets, version ?? head)

  const restore = async () => {
    try {
      await api.post(`docs/${id}/revert`, { version })
      say(`The text of version ${version} is back; nothing that came after it is lost.`)
      past.pick(null)
    } catch (error) {
      say(explain(error))
    }
  }
  const restorePart = async () => {
    try {
      say(await past.restoreSelection() ? `What you selected is as it was in version ${version}.` : 'What you selected is the same today.')
    } catch (error) {
      say(explain(error))
    }
  }
  const undoBetween = async () => {
    if (past.between === null) return
    const { from, to } = past.between
    try {
      const made = await past.history.undo(past.between)
      say(made > head ? `What versions ${from} to ${to} did is undone; what came after them stays.` : `Nothing of versions ${from} to ${to} is left to undo.`)
    } catch (error) {
      say(explain(error))
    }
  }
  /** @param {SubmitEvent} event */
  const label = async event => {
    event.preventDefault()
    const form = /** @type {HTMLFormElement} */ (event.currentTarget)
    const name = String(new FormData(form).get('label')).trim()
    if (name === '') return
    try {
      const { version } = await api.post(`docs/${id}/snapshots`, { label: name })
      form.reset()
      say(`Version ${version} is called “${name}”.`)
      reread()
    } catch (error) {
      say(explain(error))
    }
  }

  if (absent) return <section class='past-bar' aria-label={title}><p>This server keeps no timeline.</p></section>
  return (
    <section class='past-bar' aria-label={title}>
      <div class='past-head'>
        <h2>{title}</h2>
        <p class='moment'>{version === null ? <>now <span class='faint'>version {head}</span></> : <>version {version} <span class='faint'>of {head}{moment && ` · ${moment.toLocaleString()}`}</span></>}</p>
      </div>
      <Timeline buckets={buckets} labels={labels} first={first} head={head} version={version} onPick={past.pick} />
      <div class='past-foot'>
        <Controls past={past} labels={labels} />
        {mayEdit && version !== null && (
          <div class='row'>
            {past.between && <button type='button' class='quiet' onClick={undoBetween}>{past.between.from === past.between.to ? `Undo version ${past.between.to}` : `Undo versions ${past.between.from} to ${past.between.to}`}</button>}
            {past.selected && <button type='button' class='quiet' onClick={restorePart}>Restore the selection</button>}
            <button type='button' class='primary' onClick={restore}>Restore this version</button>
          </div>
        )}
        {mayEdit && version === null && (
          <form class='label-form' onSubmit={label}>
            <label><span class='hidden'>Name for the version as it is now</span><input name='label' maxLength={100} placeholder='Name this version' autocomplete='off' /></label>
            <button type='submit' class='quiet'>Keep</button>
          </form>
        )}
        {labels.length > 0 && (
          <label class='pick-label'><span class='hidden'>Go to a named version</span>
            <select value='' onChange={event => event.currentTarget.value !== '' && past.pick(Number(event.currentTarget.value))}>
              <option value=''>Named versions</option>
              {labels.map(one => <option key={one.version} value={String(one.version)}>{one.label}</option>)}
            </select>
          </label>
        )}
      </div>
      <Search past={past} />
      <Legend past={past} />
      <p class='said' role='status'>{past.problem || said}</p>
    </section>
  )
}

/** The text of the past, where there is one to show. @param {{ past: PastState }} props */
export function PastText ({ past }) {
  return <div class={`editor past-text${past.version === null ? ' away' : ''}`} ref={past.mount} />
}
