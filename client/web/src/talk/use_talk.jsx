/** Comments, suggestions and chat of an open document, as panels of its margin. */

import { useEffect, useState } from 'preact/hooks'
import { go } from '../app/router.js'
import { settings } from '../app/settings.js'
import { useDocument, useStore } from '../app/store.js'
import { Chat } from './Chat.jsx'
import { Comments } from './Comments.jsx'
import { Reviewer } from './Reviewer.jsx'
import { Suggestions } from './Suggestions.jsx'

/** @import { Document } from 'converge-client' */
/** @import { View } from '../editor/LiveEditor.jsx' */
/** @import { Panel } from '../parts/Margin.jsx' */
/** @import { Place } from './Comments.jsx' */

/** @import { Change } from 'converge-client' */

/** Where a place is after changes; null: it is gone. @param {Place | null} place @param {readonly Change[]} changes */
const carried = (place, changes) => changes.reduceRight((/** @type {Place | null} */ where, { from, to, insert }) => {
  if (where === null || from >= where.to) return where
  const by = insert.length - (to - from)
  if (to <= where.from) return { from: where.from + by, to: where.to + by }
  const next = { from: Math.min(where.from, from), to: Math.max(where.to + by, from + insert.length) }
  return next.from < next.to ? next : null
}, place)

/**
 * @param {Document} document
 * @param {{ current: View | null }} view
 * @param {import('../app/config.js').Reviewer} [reviewer]
 * @returns {{ panels: Panel[], panel: string | null, setPanel: (name: string | null) => void, talk: import('../editor/LiveEditor.jsx').TalkProps }}
 */
export function useTalk (document, view, reviewer) {
  useDocument(document, ['thread', 'comment', 'suggestion', 'chat', 'rejected', 'role', 'change'])
  const [panel, setPanel] = useState(/** @type {string | null} */ (null))
  const [place, setPlace] = useState(/** @type {Place | null} */ (null))
  /** What another wording is suggested for. */
  const [worded, setWorded] = useState(/** @type {Place | null} */ (null))
  const { editor } = useStore(settings)
  const [looked, setLooked] = useState(/** @type {string | null} */ (null))
  const [suggesting, setSuggesting] = useState(false)
  const [, redraw] = useState({})
  const { comments, suggestions, chat, role } = document
  useEffect(() => {
    for (const part of [document.comments, document.suggestions, document.chat]) part.loaded.then(() => redraw({}), () => {})
    setSuggesting(false)
  }, [document])

  // where a new comment or another wording is to be moves with the text
  useEffect(() => document.on('change', ({ changes }) => {
    setPlace(where => carried(where, changes))
    setWorded(where => carried(where, changes))
  }), [document])

  /** @param {string} id */
  const look = id => {
    setLooked(id)
    const from = comments.get(id)?.from ?? suggestions.get(id)?.changes?.[0]?.from
    if (typeof from === 'number') view.current?.look(id, from)
  }

  const may = role !== null && role !== 'viewer'
  return {
    panel,
    setPanel,
    panels: [
      {
        name: 'comments', title: 'Comments', count: comments.list.filter(({ resolved }) => !resolved).length,
        content: <Comments document={document} view={view.current} place={place} onPlace={setPlace} looked={looked} onLook={look} onVersion={version => go({ doc: document.id, version })} />
      },
      { name: 'suggestions', title: 'Suggestions', count: suggestions.list.length, content: <Suggestions {...{ document, suggesting, looked, worded }} view={view.current} byTyping={editor !== 'monaco'} onSuggesting={setSuggesting} onLook={look} onWorded={setWorded} /> },
      { name: 'chat', title: 'Chat', count: panel === 'chat' ? 0 : chat.unread, content: <Chat document={document} /> },
      ...reviewer ? [{ name: 'reviewer', title: 'Reviewer', content: <Reviewer {...{ document, reviewer, view, looked }} onLook={look} onVersion={version => go({ doc: document.id, version })} /> }] : []
    ],
    talk: {
      suggesting: suggesting && may && editor !== 'monaco',
      onThread: id => {
        setLooked(id)
        // on a narrow screen it would lie over the text
        setPanel(now => now === 'suggestions' ? 'comments' : now)
      },
      onSuggestion: id => {
        setLooked(id)
        setPanel(now => now === 'comments' ? 'suggestions' : now)
      },
      onComment: where => {
        if (!may) return
        setPlace(where)
        setPanel('comments')
      }
    }
  }
}
