// API.md from the declarations that tsc makes of the sources:
//
//   node tools/api.mjs types >API.md          (npm run api does both)
//
// It prints what each entry of package.json exports: classes and types with their members,
// functions, and what their comments say. What is marked @internal tsc has left out.

import fs from 'node:fs'
import path from 'node:path'

const ENTRIES = ['index', 'talk', 'indexeddb', 'codemirror', 'codemirror-talk', 'monaco', 'monaco-talk', 'textarea', 'react', 'rest']

const uncommented = text => text.replace(/\/\*[\s\S]*?\*\//g, '').trim()

/** Cut a text at the ends of statements: a `;` at no depth, or the end of a class. */
function statements (text) {
  const out = []
  let depth = 0
  let from = 0
  for (let i = 0; i < text.length; i++) {
    if (text.startsWith('/*', i)) i = text.indexOf('*/', i) + 1
    else if ('({[<'.includes(text[i])) depth++
    else if (')}]'.includes(text[i]) || (text[i] === '>' && text[i - 1] !== '=')) depth--
    if (depth === 0 && (text[i] === ';' || (text[i] === '}' && /^export (declare |default )*(class|interface)/.test(uncommented(text.slice(from, i)))))) {
      out.push(text.slice(from, i + 1).trim())
      from = i + 1
    }
  }
  return out
}

/** What a tag of a comment says, without its type. */
function said (tag) {
  const [, kind, rest] = /^@(\w+)\s*([\s\S]*)$/.exec(tag)
  let text = rest
  if (text.startsWith('{')) {
    let depth = 0
    let end = 0
    do depth += text[end] === '{' ? 1 : text[end] === '}' ? -1 : 0
    while (depth > 0 && ++end < text.length)
    text = text.slice(end + 1).trim()
  }
  if (kind === 'returns') return text === '' ? '' : `Returns ${text}.`
  const named = kind === 'param' ? /^\[?(\w+)\]?\s+([\s\S]+)$/.exec(text) : null
  return named === null ? '' : `\`${named[1]}\`: ${named[2]}.`
}

/** A statement's comment, as prose, and what it declares. */
function parts (statement) {
  const before = /^(\s*\/\*[\s\S]*?\*\/)+/.exec(statement)?.[0] ?? ''
  const comment = before.slice(before.lastIndexOf('/**')).replace(/^\/\*\*|\*\/$/g, '').replace(/^\s*\* ?/gm, '')
  const [prose, ...tags] = comment.replace(/\s+/g, ' ').trim().split(/ ?(?=@(?:param|returns|type|internal|typedef|template|import|extends)\b)/)
  return {
    prose: prose.startsWith('@') ? [prose, ...tags].map(said).filter(each => each).join(' ') : [prose, ...tags.map(said).filter(each => each)].join(' '),
    code: statement.slice(before.length).trim(),
    internal: comment.includes('@internal')
  }
}

/** What a file exports, by name. */
function exportsOf (file) {
  const text = fs.readFileSync(file, 'utf8')
  const out = new Map()
  for (const statement of statements(text)) {
    const { prose, code } = parts(statement)
    const from = /^export (?:type )?\{([^}]*)\} from '(.*)'/.exec(code)
    const alias = /^export type (\w+) = import\('(.*)'\)\.(\w+);$/.exec(code)
    const own = /^export (?:declare |default )*(?:class|function|type|const|interface|let) (\w+)/.exec(code)
    const at = other => path.join(path.dirname(file), other.replace(/\.js$/, '.d.ts'))
    if (from) for (const name of from[1].split(',').map(each => each.trim()).filter(each => each !== '')) out.set(name, exportsOf(at(from[2])).get(name))
    else if (alias) out.set(alias[1], exportsOf(at(alias[2])).get(alias[3]))
    else if (own) out.set(own[1], { prose, code })
  }
  return out
}

/** The members of a class or an object type. */
function members (code) {
  const open = code.indexOf('{')
  return statements(code.slice(open + 1, code.lastIndexOf('}'))).map(parts).filter(({ code, internal }) => !internal && !/^(#|private\b|constructor\b)/.test(code))
}

const short = code => uncommented(code).replace(/\s+/g, ' ').replace(/import\("[^"]*"\)\./g, '').replace(/;$/, '').replace(/; \}/g, ' }').trim()

function describe (name, { prose, code }) {
  const kind = /class|function/.exec(code.slice(0, 30))?.[0] ?? 'type'
  console.log(`### ${kind === 'class' ? `class ${name}` : kind === 'function' ? `${name}()` : name}\n`)
  if (kind === 'function') console.log(`    ${short(code).replace(/^export (default )?(declare )?function /, '')}\n`)
  if (prose) console.log(`${prose}\n`)
  if (kind === 'function') return
  if (kind === 'type' && !/^export type \w+ = \{/.test(code)) return console.log(`    ${short(code).replace(/^export (declare )?/, '')}\n`)
  for (const { prose, code: member } of members(code)) console.log(`- \`${short(member)}\`${prose ? `: ${prose}` : ''}`)
  console.log()
}

const top = process.argv[2]
console.log('# API\n\nMade from the types by `npm run api`.\n')
for (const entry of ENTRIES) {
  const file = path.join(top, `${entry}.d.ts`)
  if (!fs.existsSync(file)) continue
  console.log(`## converge-client${entry === 'index' ? '' : `/${entry}`}\n`)
  for (const [name, declaration] of exportsOf(file)) if (declaration && name !== 'default') describe(name, declaration)
}
