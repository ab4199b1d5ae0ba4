// The budgets: what a page loads, minified by esbuild and packed by gzip -9. A binding is
// what it adds to the core, without the editor it is for.

import assert from 'node:assert/strict'
import path from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const src = fileURLToPath(new URL('../src', import.meta.url))
const EDITORS = ['@codemirror/*', 'monaco-editor', 'react']
const CORE = /^(index|client|document)\.js$|^(core|net|ot)\//

/** Leaves out what the core has. */
const withoutCore = {
  name: 'without core',
  setup: builder => builder.onResolve({ filter: /^\./ }, ({ path: to, resolveDir, kind }) => {
    if (kind === 'entry-point') return undefined
    return CORE.test(path.relative(src, path.resolve(resolveDir, to))) ? { path: to, external: true, sideEffects: false } : undefined
  })
}

/** Kilobytes of what is loaded at once; what is imported later is not. */
async function weight (contents, plugins = []) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: src }, outdir: '/out', bundle: true, splitting: true, minify: true, format: 'esm', write: false, metafile: true, external: EDITORS, plugins, logLevel: 'error'
  })
  const files = new Map(outputFiles.map(({ path: name, contents: bytes }) => [path.basename(name), bytes]))
  const outputs = new Map(Object.entries(metafile.outputs).map(([name, output]) => [path.basename(name), output]))
  const loaded = new Set(['stdin.js'])
  for (const name of loaded) {
    for (const { path: other, kind, external } of outputs.get(name).imports) if (!external && kind === 'import-statement') loaded.add(path.basename(other))
  }
  let total = 0
  for (const name of loaded) total += gzipSync(files.get(name), { level: 9 }).length
  return total / 1000
}

for (const [name, most] of Object.entries({ index: 10, indexeddb: 3 })) {
  test(`${name} takes at most ${most} kB`, async t => {
    const kilobytes = await weight(`export * from './${name}.js'`)
    t.diagnostic(`${name}: ${kilobytes.toFixed(2)} kB`)
    assert.ok(kilobytes > 0.1 && kilobytes <= most, `${kilobytes.toFixed(2)} kB`)
  })
}

const budgets = { talk: 8.5, codemirror: 4, 'codemirror-talk': 3, monaco: 3, 'monaco-talk': 2.5, textarea: 1.5, react: 1 }
for (const [name, most] of Object.entries(budgets)) {
  test(`${name} adds at most ${most} kB`, async t => {
    const kilobytes = await weight(`export * from './${name}.js'`, [withoutCore])
    t.diagnostic(`${name}: ${kilobytes.toFixed(2)} kB`)
    assert.ok(kilobytes > 0.1 && kilobytes <= most, `${kilobytes.toFixed(2)} kB`)
  })
}

test('what an editor that works offline loads of this package is at most 17 kB', async t => {
  const kilobytes = await weight("export { Client } from './index.js'; export { converge } from './codemirror.js'; export { indexeddb } from './indexeddb.js'")
  t.diagnostic(`core, codemirror and indexeddb: ${kilobytes.toFixed(2)} kB`)
  assert.ok(kilobytes > 5 && kilobytes <= 17, `${kilobytes.toFixed(2)} kB`)
})
