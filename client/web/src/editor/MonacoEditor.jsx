/** A live document in Monaco. */

import { useEffect, useRef, useState } from 'preact/hooks'
import { explain } from '../app/api.js'
import { settings } from '../app/settings.js'
import { useStore } from '../app/store.js'
import { idle } from './LiveEditor.jsx'
import { markOf } from './authors.js'

/** @import { LiveEditorProps } from './LiveEditor.jsx' */

/** What build.mjs has made of monaco.js. @type {string} */
const SCRIPT = /** @type {any} */ (globalThis).MONACO_SCRIPT
/** @type {string} */
const STYLE = /** @type {any} */ (globalThis).MONACO_STYLE

/** @type {Promise<typeof import('./monaco.js')> | null} */
let loading = null

function load () {
  loading ??= (async () => {
    const style = document.createElement('link')
    style.rel = 'stylesheet'
    style.href = String(new URL(STYLE, import.meta.url))
    const styled = new Promise((resolve, reject) => {
      style.onload = resolve
      style.onerror = () => reject(new Error('The styles of Monaco could not be loaded.'))
    })
    document.head.append(style)
    const [module] = await Promise.all([import(String(new URL(SCRIPT, import.meta.url))), styled])
    return module
  })()
  loading.catch(() => { loading = null })
  return loading
}

/** @param {'auto' | 'light' | 'dark'} theme */
const isDark = theme => theme === 'dark' || (theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches)

/** @param {LiveEditorProps} props */
export function MonacoEditor ({ document, label, language, title, focus = false, onView, talk }) {
  const said = useRef(talk)
  said.current = talk
  const { theme } = useStore(settings)
  const parent = useRef(/** @type {HTMLDivElement | null} */ (null))
  const [editor, setEditor] = useState(/** @type {ReturnType<typeof import('./monaco.js').create> | null} */ (null))
  const [problem, setProblem] = useState('')
  useEffect(() => {
    let gone = false
    /** @type {typeof editor} */
    let made = null
    setProblem('')
    Promise.all([load(), document.loaded]).then(([{ create }]) => {
      if (gone) return
      const own = made = create(/** @type {HTMLElement} */ (parent.current), document, {
        label, language, title, dark: isDark(theme), phrases: { placeholder: 'Write something…' },
        talk: talk && { onThread: id => said.current?.onThread(id), onSuggestion: id => said.current?.onSuggestion(id), onComment: place => said.current?.onComment(place) }
      })
      setEditor(own)
      if (focus && idle()) own.focus()
      onView?.({
        reveal: own.reveal,
        color (runs, newest) {
          /** @type {{ from: number, to: number, className: string }[]} */
          const marks = []
          /** @type {Map<string, number>} */
          const lengths = new Map()
          let from = 0
          for (const run of runs ?? []) {
            const to = from + run.content.length
            if (run.userId !== null) {
              marks.push({ from, to, className: markOf(run, newest) })
              lengths.set(run.userId, (lengths.get(run.userId) ?? 0) + run.content.length)
            }
            from = to
          }
          own.color(marks)
          return [...lengths].sort((a, b) => b[1] - a[1]).map(([userId]) => userId)
        },
        selection: own.selection,
        look (id, from) {
          own.look(id)
          own.reveal(from)
        }
      })
    }, error => { if (!gone) setProblem(explain(error)) })
    return () => {
      gone = true
      onView?.(null)
      made?.destroy()
    }
  }, [document])
  useEffect(() => editor?.name(label), [editor, label])
  useEffect(() => editor?.speak(language, title), [editor, language, title])
  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const shade = () => editor?.shade(isDark(theme))
    shade()
    dark.addEventListener('change', shade)
    return () => dark.removeEventListener('change', shade)
  }, [editor, theme])
  return <div class='editor monaco' ref={parent}>{problem && <p class='problem' role='alert'>Monaco could not be loaded: {problem}</p>}</div>
}
