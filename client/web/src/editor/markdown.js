/** Markdown, highlighted. A part of its own, fetched after the editor stands. */

import { markdown } from '@codemirror/lang-markdown'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { tags } from '@lezer/highlight'

const style = HighlightStyle.define([
  { tag: tags.heading1, fontSize: '1.5em', fontWeight: '700', lineHeight: '1.3' },
  { tag: tags.heading2, fontSize: '1.22em', fontWeight: '700' },
  { tag: tags.heading, fontWeight: '700' },
  { tag: tags.strong, fontWeight: '700' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: tags.strikethrough, textDecoration: 'line-through' },
  { tag: [tags.link, tags.url], color: 'var(--accent)' },
  { tag: tags.monospace, fontFamily: 'var(--code-font)', fontSize: '0.92em' },
  { tag: tags.quote, color: 'var(--soft)', fontStyle: 'italic' },
  { tag: [tags.processingInstruction, tags.contentSeparator], color: 'var(--faint-text)' }
])

export const markdownHighlighting = () => [markdown({ completeHTMLTags: false, pasteURLAsLink: false }), syntaxHighlighting(style)]
