/**
 * A reviewer that stays at all documents that its user may comment: those it is let in to come
 * by themselves, and those it is put out of go. Requests of all of them are one queue.
 */

import { wait } from './wait.js'

/** @import { Client } from '../src/client.js' */
/** @import { Options } from './options.js' */
/** @import { Given } from './wait.js' */

/** Documents that it is at, each by a connection; those that were edited last. */
const MOST_DOCUMENTS = 100

/**
 * Answer requests until the signal comes.
 * @param {Options} options
 * @param {Client} client with a commenter's token
 * @param {Given} surroundings
 */
export async function waitEverywhere (options, client, surroundings) {
  const { signal, sleep, log } = surroundings
  /** @type {Map<string, Promise<void>>} */
  const waiting = new Map()
  /** Why a document cannot be waited at: it is said once. @type {Map<string, string>} */
  const trouble = new Map()
  const turn = queue()

  /** @param {string} document */
  const begin = document => {
    const own = { ...surroundings, turn, log: (/** @type {string} */ line) => log(`${document}: ${line}`) }
    waiting.set(document, wait({ ...options, document }, client, own).catch(({ message }) => {
      if (trouble.get(document) !== message) own.log(message)
      trouble.set(document, message)
    }).finally(() => waiting.delete(document)))
  }

  log(`waiting at all documents that this user may comment, at most ${MOST_DOCUMENTS}`)
  while (!signal.aborted) {
    await documents(client).then(list => list.filter(id => !waiting.has(id)).slice(0, MOST_DOCUMENTS - waiting.size).forEach(begin), error => {
      // a token that is not accepted will not be
      if (error.status === 401) throw error
      log(`the documents cannot be listed: ${error.message}`)
    })
    await sleep(options.look, signal).catch(() => {})
  }
  await Promise.all(waiting.values())
}

/** The documents that the user may comment, those edited last first. @param {Client} client */
async function documents (client) {
  /** @type {string[]} */
  const ids = []
  for (let page = /** @type {any} */ (await client.rest.myDocuments()); page && ids.length < MOST_DOCUMENTS; page = await page.next?.()) {
    for (const { documentId, role } of page.documents) if (role !== 'viewer') ids.push(documentId)
  }
  return ids.slice(0, MOST_DOCUMENTS)
}

/** One piece of work at a time, in the order of asking. @returns {<T>(work: () => Promise<T>) => Promise<T>} */
function queue () {
  /** @type {Promise<unknown>} */
  let last = Promise.resolve()
  return work => {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }
}
