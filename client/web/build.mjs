// Build the page: node build.mjs [FOLDER], by default .local/web of the checkout.
// What a browser loads first stands in main.js, main.css and the chunks they import; the
// rest is fetched when it is used.

import { build } from 'esbuild'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { seal } from './seal.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const client = path.join(here, '../src')
const out = path.resolve(process.argv[2] ?? path.join(here, '../../.local/web'))

await rm(out, { recursive: true, force: true })
await mkdir(out, { recursive: true })
const common = { absWorkingDir: here, outdir: out, bundle: true, target: 'es2022', minify: true, legalComments: 'eof', logLevel: 'warning', metafile: true }
const alias = {
  'converge-client': path.join(client, 'index.js'),
  'converge-client/ot': path.join(client, 'ot/index.js'),
  'converge-client/indexeddb': path.join(client, 'indexeddb.js'),
  'converge-client/codemirror': path.join(client, 'codemirror.js'),
  'converge-client/codemirror-talk': path.join(client, 'codemirror-talk.js'),
  'converge-client/monaco': path.join(client, 'monaco.js'),
  'converge-client/monaco-talk': path.join(client, 'monaco-talk.js'),
  // the bindings get the copies of this folder, whatever else is installed beside them
  ...Object.fromEntries(['@codemirror/state', '@codemirror/view'].map(name => [name, path.join(here, 'node_modules', name)]))
}

// Monaco by itself, with its worker and its styles: a part of the page like the others, by name.
const named = { entryNames: 'part-[hash]', chunkNames: 'part-[hash]', assetNames: 'part-[hash]' }
/** What an entry became. */
const made = ({ metafile: { outputs } }, entry) => {
  const [name, { cssBundle }] = Object.entries(outputs).find(([, output]) => output.entryPoint?.endsWith(entry))
  return [name, cssBundle ?? ''].map(file => JSON.stringify(`./${path.basename(file)}`))
}
const [worker] = made(await build({ ...common, ...named, entryPoints: ['monaco-editor/editor/editor.worker.js'], format: 'iife' }), 'editor.worker.js')
const [script, style] = made(await build({
  ...common, ...named, entryPoints: ['src/editor/monaco.js'], format: 'esm', splitting: true, alias, loader: { '.ttf': 'file' }, define: { 'globalThis.MONACO_WORKER': worker }
}), 'src/editor/monaco.js')

const { metafile } = await build({
  ...common, entryPoints: { main: 'src/main.jsx', admin: 'src/admin/main.jsx' }, format: 'esm', splitting: true, chunkNames: 'part-[hash]', jsx: 'automatic', jsxImportSource: 'preact', alias,
  define: { 'globalThis.MONACO_SCRIPT': script, 'globalThis.MONACO_STYLE': style }
})
for (const file of ['icon.svg', 'config.json']) await cp(path.join(here, file), path.join(out, file))
await build({ absWorkingDir: here, entryPoints: { offline: 'src/offline/worker.js' }, outdir: out, target: 'es2022', minify: true, logLevel: 'warning' })

// What a browser keeps for the time without a relay: all that a document needs, and no editor
// or language that only some ask for; those are kept when they were used.
const KEPT_LATER = ['src/editor/markdown.js', '../src/core/extra.js', '../src/offline/extra.js', '../src/rest.js', '../src/talk.js', '../src/talk/accept_all.js']
const outputs = new Map(Object.entries(metafile.outputs).map(([name, output]) => [path.basename(name), output]))
/** A script with all that it imports at once, and later if it is one of these. */
const closure = (entry, later = []) => {
  const names = new Set([entry])
  for (const name of names) {
    for (const { path: other, kind } of outputs.get(name)?.imports ?? []) {
      const part = path.basename(other)
      if (kind === 'import-statement' || later.includes(outputs.get(part)?.entryPoint ?? '')) names.add(part)
    }
  }
  return names
}
const kept = closure('main.js', KEPT_LATER)
// a browser asks for all of them when it has read the page, and not one after the other
for (const [file, entry] of [['index.html', 'main.js'], ['admin.html', 'admin.js']]) {
  const page = await readFile(path.join(here, file), 'utf8')
  const parts = [...closure(entry)].filter(name => name !== entry).map(name => `  <link rel="modulepreload" href="${name}">\n`).join('')
  await writeFile(path.join(out, file), page.replace('</head>', `${parts}</head>`))
}
await seal(out, ['index.html', 'main.css', 'icon.svg', 'config.json', ...kept])
