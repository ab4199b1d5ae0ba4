// A user of the REST API, whose every answer is held against the description.

import fs from 'node:fs'
import assert from 'node:assert/strict'
import Ajv from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { token } from './token.mjs'

export const description = JSON.parse(fs.readFileSync(new URL('../../../doc/openapi.json', import.meta.url)))

// The description's references are to itself: let ajv find them.
const ajv = formats.default(new Ajv.default({ strict: false, allErrors: true }))
ajv.addSchema(description, 'openapi')
const validators = new Map()
function validate (pointer, value) {
  if (!validators.has(pointer)) validators.set(pointer, ajv.compile({ $ref: `openapi#${pointer}` }))
  const good = validators.get(pointer)
  assert.ok(good(value), `${pointer}: ${ajv.errorsText(good.errors)}: ${JSON.stringify(value).slice(0, 300)}`)
}

const escape = key => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))

// The path of the description that a request has taken.
export function describedPath (pathname) {
  const fits = path => new RegExp(`^${path.replace(/\{user\}$/, '.+').replace(/\{\w+\}/g, '[^/]+')}$`).test(pathname)
  return Object.keys(description.paths).find(path => path === pathname) ?? Object.keys(description.paths).find(fits)
}

export class User {
  constructor (relay, name, claims) {
    this.relay = relay
    this.name = name
    this.token = name && token(name, claims)
  }

  // Ask; the answer's status and headers, and what was in it.
  async ask (method, place, body, headers = {}) {
    const given = { ...(this.token ? { authorization: `Bearer ${this.token}` } : {}), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }
    const answer = await this.relay.get(place, { method, headers: given, body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body) })
    const text = await answer.text()
    const type = answer.headers.get('content-type')
    const value = /json/.test(type ?? '') && text !== '' ? JSON.parse(text) : text
    if (answer.status !== 405) this.check(method, place, answer, type, value)
    return { status: answer.status, headers: answer.headers, body: value }
  }

  // Is the answer one that the description tells of?
  check (method, place, answer, type, value) {
    const path = describedPath(new URL(place, 'http://relay').pathname)
    if (path === undefined) return
    const described = description.paths[path][method.toLowerCase()].responses[answer.status]
    assert.ok(described, `${method} ${path} may answer ${answer.status}: ${JSON.stringify(value)}`)
    const pointer = described.$ref ? described.$ref.slice(1) : `/paths/${escape(path)}/${method.toLowerCase()}/responses/${answer.status}`
    const content = described.$ref ? description.components.responses[described.$ref.split('/').pop()].content : described.content
    if (content === undefined) return assert.equal(value, '')
    assert.ok(content[type], `${method} ${path} ${answer.status} may be ${type}`)
    validate(`${pointer}/content/${escape(type)}/schema`, value)
    if (answer.status >= 400) assert.equal(value.status, answer.status)
  }

  get (place, headers) { return this.ask('GET', place, undefined, headers) }
  post (place, body) { return this.ask('POST', place, body) }
  put (place, body) { return this.ask('PUT', place, body) }
  patch (place, body) { return this.ask('PATCH', place, body) }
  delete (place) { return this.ask('DELETE', place) }

  // A new document of this user's; its place.
  async create (content = '', title = 'a title') {
    const { status, body, headers } = await this.post('/v1/docs', { title, content })
    assert.equal(status, 201)
    assert.equal(headers.get('location'), `/v1/docs/${body.documentId}`)
    return headers.get('location')
  }
}
