/** Where in the past the user is, and moving there: by the slider, step by step, or playing. */

import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { explain, Problem } from '../app/api.js'
import { applied, before, History, pieces } from './history.js'
import { PastEditor } from './past_editor.js'

/** @import { Api } from '../app/api.js' */
/** @import { Bucket, Snapshot } from './history.js' */

const BUCKETS = 120
/** How long a pause of the writers may last when their typing is played. */
const LONGEST_PAUSE_MS = 1500
/** The colours are asked for when the slider rests. */
const REST_MS = 120
const REFRESH_MS = 1500

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
const pause = (ms, signal) => new Promise(resolve => {
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => {
    clearTimeout(timer)
    resolve()
  }, { once: true })
})

/**
 * The buckets of a document's past, fetched anew now and then while it grows.
 * @param {History} history
 * @param {number} head
 */
export function useTimeline (history, head) {
  const [state, set] = useState({ buckets: /** @type {Bucket[]} */ ([]), labels: /** @type {Snapshot[]} */ ([]), absent: false })
  const [read, setRead] = useState(0)
  const wanted = useRef(0)
  useEffect(() => {
    let gone = false
    const refresh = async () => {
      wanted.current = Date.now()
      try {
        const [buckets, labels] = await Promise.all([history.timeline(BUCKETS), history.labels()])
        if (!gone) set({ buckets, labels, absent: false })
      } catch (error) {
        if (!gone && error instanceof Problem && error.status === 404) set(before => ({ ...before, absent: true }))
      }
    }
    const timer = setTimeout(refresh, Math.max(0, wanted.current + REFRESH_MS - Date.now()))
    return () => {
      gone = true
      clearTimeout(timer)
    }
  }, [history, head, read])
  return { ...state, reread: () => setRead(n => n + 1) }
}

/**
 * @param {object} given
 * @param {Api} given.api
 * @param {string} given.id
 * @param {number} given.head the newest version
 * @param {number | null} [given.begin] the version to begin with
 * @param {(version: number | null) => void} [given.onMove]
 * @param {string} [given.title] which may say the language
 * @param {string} [given.language] chosen for it
 */
export function usePast ({ api, id, head, begin = null, onMove, title = '', language = '' }) {
  const history = useMemo(() => new History(api, id), [api, id])
  const [version, drawVersion] = useState(begin)
  // where the user is; what is drawn follows a moment later
  const at = useRef(begin)
  /** Grows when the editor is to show a version that no step has led to. */
  const [picks, setPicks] = useState(0)
  const [playing, setPlaying] = useState(false)
  const [speed, setSpeed] = useState(4)
  const [compared, setCompared] = useState(false)
  const [byLines, setByLines] = useState(false)
  /** What a version is compared with; null: now. */
  const [against, setAgainst] = useState(/** @type {number | null} */ (null))
  const [problem, setProblem] = useState('')
  const [authors, setAuthors] = useState(/** @type {string[]} */ ([]))
  const editor = useRef(/** @type {PastEditor | null} */ (null))
  const [ready, setReady] = useState(false)
  /** What the comparison that is shown is made of. */
  const difference = useRef({ version: 0, pieces: /** @type {ReturnType<typeof pieces>} */ ([]) })
  /** What is selected in the text that is shown. */
  const [selected, setSelected] = useState(/** @type {{ from: number, to: number } | null} */ (null))
  const moving = useRef(new AbortController())
  const speedNow = useRef(speed)
  speedNow.current = speed
  /** The version that the editor shows, which steps go on from. */
  const shown = useRef(/** @type {number | null} */ (null))

  /** @param {number | null} to */
  const setVersion = to => {
    at.current = to
    drawVersion(to)
  }

  const stop = () => {
    moving.current.abort()
    moving.current = new AbortController()
    setPlaying(false)
    return moving.current.signal
  }

  /** What is to be shown of the version that was picked, in code points. */
  const sought = useRef(/** @type {{ from: number, length: number } | null} */ (null))

  /** @param {number | null} to @param {{ from: number, length: number } | null} [part] to select in it */
  const pick = (to, part = null) => {
    stop()
    sought.current = part
    if (part !== null) setCompared(false)
    setVersion(to)
    setPicks(n => n + 1)
    onMove?.(to)
  }

  // show what was picked; steps show what they lead to
  useEffect(() => {
    const to = at.current
    if (to === null) shown.current = null
    if (to === null || !ready || (shown.current === to && !compared && sought.current === null)) return
    const { signal } = moving.current
    show(to, signal).catch(error => { if (!signal.aborted) setProblem(explain(error)) })
  }, [picks, compared, against, byLines, ready])

  /** @param {number} version @param {AbortSignal} signal */
  async function show (version, signal) {
    const text = await history.text(version)
    if (signal.aborted || editor.current === null) return
    setProblem('')
    if (compared) {
      const to = against ?? head
      const made = byLines ? await history.lines(version, to) : pieces(text, await history.diff(version, to))
      if (signal.aborted || editor.current === null) return
      difference.current = { version, pieces: made }
      editor.current.compare(difference.current.pieces)
      shown.current = null
      return
    }
    editor.current.show(text, null, version)
    shown.current = version
    if (sought.current !== null) editor.current.select(sought.current.from, sought.current.length)
    sought.current = null
    await paint(version, signal)
  }

  /** Colour what is shown, when the user rests there. @param {number} version @param {AbortSignal} signal */
  async function paint (version, signal) {
    await pause(REST_MS, signal)
    if (signal.aborted) return
    const runs = await history.runs(version)
    if (signal.aborted || editor.current === null || shown.current !== version) return
    editor.current.color(runs, version)
    setAuthors(editor.current.authors)
  }

  /** @param {AbortSignal} signal @returns {Promise<boolean>} false at the end */
  async function forward (signal) {
    const from = shown.current
    const entry = from === null ? null : await history.entry(from + 1)
    if (signal.aborted || entry === null || editor.current === null) return false
    editor.current.step(applied(editor.current.text, entry.op).changes, entry)
    shown.current = entry.version
    setVersion(entry.version)
    return true
  }

  /** One change on or back. @param {1 | -1} by */
  const step = async by => {
    const signal = stop()
    const from = at.current
    if (from === null) return by < 0 ? pick(head - 1) : undefined
    if (by > 0 && shown.current === from && !compared) {
      const went = await forward(signal).catch(() => false)
      if (!went) return
      onMove?.(shown.current)
      // one who was quicker than the colours
      if (editor.current?.colored === false) paint(from + 1, signal).catch(() => {})
      return
    }
    const to = from + by
    pick(to >= head ? null : Math.max(0, to))
  }

  /** Play from here on, as it was typed. */
  const play = async () => {
    const signal = stop()
    setCompared(false)
    setPlaying(true)
    try {
      const from = at.current ?? 0
      if (shown.current !== from || editor.current?.colored === false) {
        setVersion(from)
        shown.current = from
        const [text, runs] = await Promise.all([history.text(from), history.runs(from)])
        if (signal.aborted) return
        editor.current?.show(text, runs, from)
      }
      let last = null
      for (let n = 0; !signal.aborted; n++) {
        const next = await history.entry(/** @type {number} */ (shown.current) + 1)
        if (next === null) break
        const now = Date.parse(next.at)
        const wait = last === null ? 0 : Math.min(LONGEST_PAUSE_MS, now - last) / speedNow.current
        last = now
        // what is faster than the screen is shown together
        if (wait > 4 || n % 16 === 0) await pause(Math.max(wait, 4), signal)
        if (signal.aborted || !await forward(signal)) break
        if (n % 10 === 0 && editor.current !== null) setAuthors(editor.current.authors)
      }
    } catch (error) {
      if (!signal.aborted) setProblem(explain(error))
    }
    if (!signal.aborted) {
      setPlaying(false)
      onMove?.(shown.current)
    }
  }

  useEffect(() => () => moving.current.abort(), [])

  useEffect(() => { if (ready) editor.current?.speak(title, language) }, [ready, title, language])

  const part = useMemo(() => selected !== null && compared ? before(difference.current.pieces, selected) : selected, [selected, compared])

  /** Have what is selected as it was in the version that is shown. @returns {Promise<boolean>} whether it was another by now */
  const restoreSelection = async () => {
    const version = compared ? difference.current.version : shown.current
    if (version === null || part === null) return false
    return history.restore(version, part)
  }

  /** Read anew what is shown: the past itself was changed. */
  const reread = () => {
    history.forget()
    shown.current = null
    stop()
    setPicks(n => n + 1)
  }

  /** The versions that lie between the two that are compared; null: none. */
  const other = against ?? head
  const between = !compared || version === null || version === other ? null : { from: Math.min(version, other) + 1, to: Math.max(version, other) }

  /** @param {HTMLElement | null} parent */
  const mount = useMemo(() => (/** @type {HTMLElement | null} */ parent) => {
    editor.current?.destroy()
    editor.current = parent === null ? null : new PastEditor(parent, setSelected)
    shown.current = null
    setReady(parent !== null)
  }, [])

  return { history, version, pick, step, play, stop, playing, speed, setSpeed, compared, setCompared, against, setAgainst, byLines, setByLines, problem, authors, mount, selected: part, restoreSelection, between, reread }
}
