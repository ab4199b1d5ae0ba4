// The budgets: what a page loads, minified by esbuild and packed by gzip -9.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import test from 'node:test'
import zlib from 'node:zlib'
import { build } from 'esbuild'

const BUDGETS = { index: 10, indexeddb: 3, codemirror: 4, monaco: 3, textarea: 1.5, react: 1 }

/** Bytes of some entries in one bundle, without the editors they are for. */
async function size (...names) {
  const { outputFiles: [{ contents }] } = await build({
    stdin: { contents: names.map(name => `export * from './src/${name}.js'`).join('\n'), resolveDir: new URL('..', import.meta.url).pathname },
    bundle: true, minify: true, format: 'esm', target: 'es2022', write: false,
    external: ['@codemirror/*', 'monaco-editor', 'react', 'react-dom']
  })
  return zlib.gzipSync(contents, { level: 9 }).length
}

for (const [name, kilobytes] of Object.entries(BUDGETS)) {
  const there = fs.existsSync(new URL(`../src/${name}.js`, import.meta.url))
  test(`${name} takes at most ${kilobytes} kB`, { skip: there ? false : 'it is not there yet' }, async () => {
    const bytes = await size(name)
    assert.ok(bytes <= kilobytes * 1000, `${bytes} bytes`)
  })
}
