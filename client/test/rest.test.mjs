// The REST API's methods against its description, and what they do with answers.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import test from 'node:test'
import { Client } from '../src/index.js'
import { rest } from '../src/rest.js'
import { ROUTES } from '../src/rest_routes.js'
import { print, routes } from '../tools/rest-routes.mjs'

const description = JSON.parse(fs.readFileSync(new URL('../../doc/openapi.json', import.meta.url), 'utf8'))

/** A relay that notes what it is asked and answers one thing after the other. */
function relay (...answers) {
  const asked = []
  const fetch = async (url, { method, headers, body }) => {
    asked.push({ url: String(url), method, headers, body: body === undefined ? undefined : JSON.parse(body) })
    const { status = 200, body: given = {}, headers: told = {} } = answers.length > 1 ? answers.shift() : answers[0] ?? {}
    return new Response(status === 204 || status === 304 ? null : JSON.stringify(given), { status, headers: told })
  }
  return { asked, fetch }
}

const api = (fetch, options = {}) => rest({ url: 'wss://relay.example.org/prefix/', token: ({ fresh }) => fresh ? 'fresh' : 'old', fetch, ...options })

test('the routes are those of the description, with their types', () => {
  assert.equal(fs.readFileSync(new URL('../src/rest_routes.js', import.meta.url), 'utf8'), print(description), 'run: npm run routes')
  const described = Object.entries(description.paths).flatMap(([path, of]) => Object.keys(of).filter(method => method !== 'parameters').map(method => `${method.toUpperCase()} ${path}`))
  assert.deepEqual(Object.values(ROUTES).map(route => route.replace(/ open$/, '')).sort(), described.sort())
})

test('each method asks what its route is', async () => {
  for (const { name, method, path, open, operation } of routes(description)) {
    const { asked, fetch } = relay()
    const parts = [...path.matchAll(/\{(\w+)\}/g)].map((_, i) => ['0-1', 'zoë/b?'][i])
    await api(fetch)[name](...parts, { some: 'thing' })
    const [{ url, method: used, headers, body }] = asked
    const bodied = operation.requestBody !== undefined
    const filled = path.replace('{id}', '0-1').replace(/\{\w+\}/, encodeURIComponent('zoë/b?'))
    assert.deepEqual({ name, url, used, body, authorization: headers.authorization, type: headers['content-type'] }, {
      name,
      url: `https://relay.example.org/prefix${filled}${bodied ? '' : '?some=thing'}`,
      used: method,
      body: bodied ? { some: 'thing' } : undefined,
      authorization: open ? undefined : 'Bearer old',
      type: bodied ? 'application/json' : undefined
    })
  }
})

test('a refusal is an error with its code; a token that is refused is renewed once', async () => {
  const problem = { type: 'about:blank', title: 'Unauthorized', status: 401, code: 'unauthenticated', detail: 'the token has expired' }
  const { asked, fetch } = relay({ status: 401, body: problem }, { status: 429, body: { ...problem, code: 'rate_limited', detail: 'too many' }, headers: { 'retry-after': '3' } })
  await assert.rejects(api(fetch).document('0-1'), { code: 'rate_limited', message: 'too many', status: 429, retryAfter: 3000 })
  assert.deepEqual(asked.map(({ headers }) => headers.authorization), ['Bearer old', 'Bearer fresh'])
  const never = relay({ status: 401, body: problem })
  await assert.rejects(api(never.fetch).document('0-1'), { code: 'unauthenticated', status: 401 })
  assert.equal(never.asked.length, 2)
  await assert.rejects(api(async () => new Response('<html>', { status: 502 })).document('0-1'), { code: 'unavailable', status: 502 })
})

test('pages lead to the next, tags to what has not changed', async () => {
  const { asked, fetch } = relay({ body: { ops: [1] }, headers: { link: '</v1/docs/0-1/history?from=3&limit=2>; rel="next"' } }, { body: { ops: [2] } })
  const page = await api(fetch).history('0-1', { from: 1, limit: 2 })
  const last = await page.next()
  assert.deepEqual([page, last, last.next], [{ ops: [1] }, { ops: [2] }, null])
  assert.equal(asked[1].url, 'https://relay.example.org/prefix/v1/docs/0-1/history?from=3&limit=2')
  const tagged = relay({ body: { content: 'x' }, headers: { etag: '"5"' } }, { status: 304 })
  const { etag } = await api(tagged.fetch).content('0-1', { version: 5, at: undefined })
  assert.equal(await api(tagged.fetch).content('0-1', { ifNoneMatch: etag }), null)
  assert.deepEqual(tagged.asked.map(({ url, headers }) => [url, headers['if-none-match']]), [
    ['https://relay.example.org/prefix/v1/docs/0-1/content?version=5', undefined], ['https://relay.example.org/prefix/v1/docs/0-1/content', '"5"']
  ])
})

test('all pages of a list are read, as many as may be', async () => {
  const link = n => ({ link: `</v1/docs/0-1/members?after=${n}>; rel="next"` })
  const { asked, fetch } = relay({ body: { members: [1, 2], changed: 7 }, headers: link(2) }, { body: { members: [3], changed: 9 }, headers: link(3) }, { body: { members: [] , changed: 9 } })
  const first = await api(fetch).members('0-1')
  assert.deepEqual([first, await first.all(), first.members], [{ members: [1, 2], changed: 7 }, { members: [1, 2, 3], changed: 7 }, [1, 2]])
  assert.deepEqual(asked.map(({ url }) => url.split('members')[1]), ['', '?after=2', '?after=3'])
  const one = relay({ body: { version: 3, runs: [1] }, headers: { etag: '"a.3"' } })
  assert.deepEqual(await (await api(one.fetch).blame('0-1')).all(), { version: 3, runs: [1] })
  // links that never end
  const endless = relay({ body: { members: [1] }, headers: link(1) })
  await assert.rejects((await api(endless.fetch).members('0-1')).all(), { code: 'too_large', message: 'the list has more than 1000 pages' })
  assert.equal(endless.asked.length, 1000)
  // a page that is refused
  const refused = relay({ body: { members: [1] }, headers: link(1) }, { status: 429, body: { code: 'rate_limited' } })
  await assert.rejects((await api(refused.fetch).members('0-1')).all(), { code: 'rate_limited' })
})

test('a client has the same, with its tokens, and is no promise', async () => {
  const { asked, fetch } = relay({ body: { documentId: '0-1' } })
  const client = new Client({ url: 'http://relay.example.org', token: () => 'one', fetch })
  assert.equal(await client.rest, client.rest)
  assert.deepEqual(await client.rest.createDocument({ title: 'Soup' }), { documentId: '0-1' })
  assert.deepEqual([asked[0].method, asked[0].url, asked[0].body, asked[0].headers.authorization], ['POST', 'http://relay.example.org/v1/docs', { title: 'Soup' }, 'Bearer one'])
})
