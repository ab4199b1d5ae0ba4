/** A button for what cannot be taken back: it tells what it does, and asks twice. */

import { useEffect, useRef, useState } from 'preact/hooks'

/**
 * @param {object} props
 * @param {string} props.label of the button that begins
 * @param {import('preact').ComponentChildren} props.children what it does, told plainly
 * @param {string} props.last the last question
 * @param {string} props.sure the label of the button that does it
 * @param {() => void | Promise<void>} props.onSure
 * @param {boolean} [props.disabled]
 */
export function Twice ({ label, children, last, sure, onSure, disabled = false }) {
  const [asked, setAsked] = useState(0)
  const [busy, setBusy] = useState(false)
  const begin = useRef(/** @type {HTMLButtonElement | null} */ (null))
  const cancel = useRef(/** @type {HTMLButtonElement | null} */ (null))
  const moved = useRef(false)
  // the safe button has the focus at each question, and the first one afterwards
  useEffect(() => {
    if (moved.current) (asked === 0 ? begin : cancel).current?.focus()
    moved.current = true
  }, [asked])
  const act = async () => {
    setBusy(true)
    try {
      await onSure()
    } finally {
      setBusy(false)
      setAsked(0)
    }
  }
  if (asked === 0) return <button type='button' class='quiet danger' ref={begin} disabled={disabled} onClick={() => setAsked(1)}>{label}</button>
  return (
    <div class='part asked' role='group' aria-label={label}>
      <div role='alert'>{asked === 1 ? children : <p><b>{last}</b></p>}</div>
      <div class='row'>
        <button type='button' class='quiet' ref={cancel} onClick={() => setAsked(0)}>Cancel</button>
        {asked === 1
          ? <button type='button' class='quiet danger' onClick={() => setAsked(2)}>Go on</button>
          : <button type='button' class='primary danger' disabled={busy} onClick={act}>{sure}</button>}
      </div>
    </div>
  )
}
