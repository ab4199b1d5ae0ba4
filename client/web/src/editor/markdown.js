/** Markdown, highlighted. A part of its own, fetched after the editor stands. */

import { markdown } from '@codemirror/lang-markdown'
import { LanguageDescription, syntaxHighlighting } from '@codemirror/language'
import { style } from './highlight.js'

/** Of blocks of code, by what they are called. @type {Map<string, LanguageDescription>} */
const known = new Map()

/** The language of a block of code, which is fetched when there is one. @param {string} info */
function inBlock (info) {
  const name = /^\w[\w+#.-]{0,30}/.exec(info)?.[0]
  if (name === undefined) return null
  let found = known.get(name)
  if (found === undefined) known.set(name, found = LanguageDescription.of({ name, load: async () => (await import('./code.js')).supportOrNone(name) }))
  return found
}

export const markdownHighlighting = () => [markdown({ completeHTMLTags: false, pasteURLAsLink: false, codeLanguages: inBlock }), syntaxHighlighting(style)]
