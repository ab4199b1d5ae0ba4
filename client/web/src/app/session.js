/** Who uses the page: logged in, as a sample user of the demonstration, or as a guest. */

import { Client } from 'converge-client'
import { indexeddb } from 'converge-client/indexeddb'
import { Api, base } from './api.js'
import { settings } from './settings.js'
import { Store } from './store.js'

const KEY = 'converge.session'

/** @typedef {{ id: string, name: string, token: string, guest?: boolean }} User */

/** @returns {User | null} */
function read () {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? 'null')
  } catch {
    return null
  }
}

/** @type {Store<User | null>} */
export const session = new Store(read())
export const api = new Api(() => session.value?.token ?? null)

/** Whether a guest wants to log in. */
export const loggingIn = new Store(false)

/** Be a guest, until one logs in; nothing of it is kept. @param {import('./config.js').Guest} guest */
export function beGuest (guest) {
  if (session.value === null) session.set({ ...guest, guest: true })
}

/** @type {Client | null} */
let client = null
/** @type {string | null} whose client it is */
let owner = null

/** The client of the user who is logged in; what is typed offline outlives the tab. */
export function sessionClient () {
  const id = session.value?.id ?? null
  if (client !== null && owner !== id) {
    client.close()
    client = null
  }
  owner = id
  client ??= new Client({ url: base, token: async ({ fresh }) => fresh ? null : session.value?.token ?? null, storage: indexeddb() })
  return client
}

/**
 * Become a user. This tab keeps it, and new tabs begin with it.
 * @param {User | null} user
 */
export function become (user) {
  try {
    for (const storage of [sessionStorage, localStorage]) {
      if (user === null) storage.removeItem(KEY)
      else storage.setItem(KEY, JSON.stringify(user))
    }
  } catch { /* it lasts as long as the page */ }
  loggingIn.set(false)
  session.set(user)
  // one whose login had expired goes on with what they had open
  if (user !== null && owner === user.id) client?.authenticate()
}

/** @param {string} address @param {string} password */
export async function logIn (address, password) {
  const { userId, token } = await new Api(() => null).post('login', { address, password })
  if (typeof token !== 'string') throw new Error('This server checks passwords and issues no tokens: log in where your tokens come from.')
  become({ id: userId, token, name: settings.value.names[userId] ?? address.split('@')[0] })
}

/** @param {string} name @param {string} address @param {string} password */
export async function signUp (name, address, password) {
  await new Api(() => null).post('signup', { name, address, password })
  await logIn(address, password)
  if (session.value !== null) become({ ...session.value, name })
}

/** What a user is called: as they wish, else as the account says. @param {User} user */
export const nameOf = user => settings.value.names[user.id] ?? user.name
