// What is done to a built folder last: its files are listed in the service worker, with the
// hashes of the scripts, and each that gains by it gets a packed copy beside it, NAME.gz,
// which the relay sends to browsers that take it. To be run anew where a file was changed.
//
//   node seal.mjs FOLDER

import crypto from 'node:crypto'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import zlib from 'node:zlib'

const WORKER = 'offline.js'
const PACKED = /\.(html|js|css|svg|ttf)$/
/** Smaller ones fit into a packet as they are. */
const WORTH_BYTES = 1000

const hash = content => `sha256-${crypto.createHash('sha256').update(content).digest('base64')}`

/** Tell the worker of the files that a browser keeps; where they are not named, those that it knows. */
async function list (folder, names) {
  const place = path.join(folder, WORKER)
  const [, known, worker] = /^(?:globalThis\.PAGE=(.*);\n)?([^]*)$/.exec(await readFile(place, 'utf8'))
  const files = {}
  const all = crypto.createHash('sha256')
  for (const name of names ?? Object.keys(JSON.parse(known).files)) {
    const content = await readFile(path.join(folder, name))
    // an operator may change the page and its settings without building anew
    files[name] = /\.(js|css)$/.test(name) ? hash(content) : ''
    if (name !== 'config.json') all.update(name).update(content)
  }
  await writeFile(place, `globalThis.PAGE=${JSON.stringify({ version: all.digest('hex').slice(0, 16), files })};\n${worker}`)
}

async function pack (folder) {
  for (const name of await readdir(folder)) {
    const packed = path.join(folder, `${name}.gz`)
    if (!PACKED.test(name)) continue
    const content = await readFile(path.join(folder, name))
    const small = zlib.gzipSync(content, { level: 9 })
    if (content.length >= WORTH_BYTES && small.length < 0.9 * content.length) await writeFile(packed, small)
    else await rm(packed, { force: true })
  }
}

export async function seal (folder, names = null) {
  await list(folder, names)
  await pack(folder)
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await seal(path.resolve(process.argv[2]))
