/** How Markdown and code look. */

import { HighlightStyle } from '@codemirror/language'
import { tags } from '@lezer/highlight'

export const style = HighlightStyle.define([
  { tag: tags.heading1, fontSize: '1.5em', fontWeight: '700', lineHeight: '1.3' },
  { tag: tags.heading2, fontSize: '1.22em', fontWeight: '700' },
  { tag: tags.heading, fontWeight: '700' },
  { tag: tags.strong, fontWeight: '700' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: tags.strikethrough, textDecoration: 'line-through' },
  { tag: [tags.link, tags.url], color: 'var(--accent)' },
  { tag: tags.monospace, fontFamily: 'var(--code-font)', fontSize: '0.92em' },
  { tag: tags.quote, color: 'var(--soft)', fontStyle: 'italic' },
  { tag: [tags.processingInstruction, tags.contentSeparator], color: 'var(--faint-text)' },
  { tag: [tags.keyword, tags.modifier, tags.self, tags.tagName, tags.definitionKeyword, tags.controlKeyword], color: 'var(--by-3)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.attributeValue], color: 'var(--by-2)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.literal, tags.unit, tags.color], color: 'var(--by-4)' },
  { tag: [tags.comment, tags.docComment, tags.meta], color: 'var(--faint-text)', fontStyle: 'italic' },
  { tag: [tags.typeName, tags.className, tags.namespace], color: 'var(--by-5)' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.definition(tags.variableName), tags.labelName, tags.attributeName], color: 'var(--by-0)' },
  { tag: tags.invalid, color: 'var(--danger)' }
])
