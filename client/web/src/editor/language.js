/** Which language a text is in: what its user chose, else what its title ends with, else Markdown. */

import { Compartment } from '@codemirror/state'
import { EditorView } from '@codemirror/view'

/** @import { Extension } from '@codemirror/state' */

export const MARKDOWN = 'Markdown'
export const PLAIN = 'Plain text'
/** Those of the menu, as CodeMirror calls them; titles may end as files of any other do. */
export const LANGUAGES = [MARKDOWN, PLAIN, 'C', 'C++', 'C#', 'CSS', 'Dockerfile', 'Go', 'HTML', 'Java', 'JavaScript', 'JSON', 'Kotlin', 'LaTeX', 'Lua', 'Perl', 'PHP', 'PostgreSQL', 'Python', 'Ruby', 'Rust', 'Shell', 'SQL', 'Swift', 'TOML', 'TypeScript', 'XML', 'YAML']

/** A title that may be a file's: "main.rs", "Dockerfile". */
const FILE = /^\S+\.\w{1,12}$|^(Dockerfile|Makefile|CMakeLists\.txt|PKGBUILD|Jenkinsfile)$/

/**
 * @param {string} title
 * @param {string} chosen a name of the menu, or ''
 * @returns {Promise<string>}
 */
export async function languageOf (title, chosen) {
  if (chosen !== '') return chosen
  const name = title.trim()
  if (!FILE.test(name) || /\.(md|markdown)$/i.test(name)) return MARKDOWN
  if (/\.(txt|text|log)$/i.test(name)) return PLAIN
  return (await import('./code.js')).nameFor(name) ?? MARKDOWN
}

/** @param {string} name @returns {Promise<Extension>} */
async function highlighting (name) {
  if (name === PLAIN) return []
  if (name === MARKDOWN) return (await import('./markdown.js')).markdownHighlighting()
  return (await import('./code.js')).codeHighlighting(name)
}

/**
 * A language's highlighting, fetched when the editor stands.
 * @returns {{ extension: Extension, speak: (view: EditorView, title: string, chosen: string) => Promise<void> }}
 */
export function lazyLanguage () {
  const language = new Compartment()
  let spoken = ''
  return {
    extension: language.of([]),
    async speak (view, title, chosen) {
      const name = await languageOf(title, chosen)
      if (name === spoken) return
      spoken = name
      const extension = await highlighting(name)
      if (name === spoken) view.dispatch({ effects: language.reconfigure(extension) })
    }
  }
}
