/** Languages of code, each fetched when a document has it. */

import { LanguageDescription, LanguageSupport, StreamLanguage, syntaxHighlighting } from '@codemirror/language'
import { languages } from '@codemirror/language-data'
import { EditorView } from '@codemirror/view'
import { style } from './highlight.js'

/** The name of the language that files of a name are in, or null. @param {string} title */
export const nameFor = title => LanguageDescription.matchFilename(languages, title)?.name ?? null

/** @param {string} name also one of its other names */
export async function supportOf (name) {
  const found = LanguageDescription.matchLanguageName(languages, name, false)
  if (found === null) throw new Error(`no language is called ${name}`)
  return found.load()
}

/** Text that is in no language. */
const none = new LanguageSupport(StreamLanguage.define({
  token (line) {
    line.skipToEnd()
    return null
  }
}))

/** @param {string} name */
export async function supportOrNone (name) {
  try {
    return await supportOf(name)
  } catch {
    return none
  }
}

/** Code of a language, highlighted, in letters for code. @param {string} name */
export async function codeHighlighting (name) {
  return [await supportOf(name), syntaxHighlighting(style), EditorView.editorAttributes.of({ class: 'code' }), EditorView.contentAttributes.of({ spellcheck: 'false', autocapitalize: 'off', autocorrect: 'off' })]
}
