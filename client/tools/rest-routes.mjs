#!/usr/bin/env node
// Print src/rest_routes.js: the routes of doc/openapi.json, and their types.
//
//   node tools/rest-routes.mjs >src/rest_routes.js        (or: npm run routes)

import fs from 'node:fs'
import { pathToFileURL } from 'node:url'

const METHODS = ['get', 'put', 'post', 'patch', 'delete']
/** @param {string} id */
const camel = id => id.replace(/[-_](\w)/g, (_, letter) => letter.toUpperCase())
const key = name => /^\w+$/.test(name) ? name : JSON.stringify(name)

/** A schema as TypeScript writes it. */
function type (schema) {
  if (schema === undefined) return 'unknown'
  if (schema.$ref !== undefined) return schema.$ref.split('/').pop()
  if (schema.enum !== undefined) return schema.enum.map(one => `'${one}'`).join(' | ')
  if (schema.oneOf !== undefined) return schema.oneOf.map(type).join(' | ')
  if (Array.isArray(schema.type)) return schema.type.map(one => type({ ...schema, type: one })).join(' | ')
  switch (schema.type) {
    case 'integer': return 'number'
    case 'array': return `(${type(schema.items)})[]`
    case 'object': return fields(schema.properties ?? {}, schema.required ?? [])
    default: return schema.type ?? 'unknown'
  }
}

function fields (properties, required) {
  const all = Object.entries(properties).map(([name, schema]) => `${key(name)}${required.includes(name) ? '' : '?'}: ${type(schema)}`)
  return all.length === 0 ? '{}' : `{ ${all.join(', ')} }`
}

/** What a method takes beside the parts of its path: its body, arguments of the URL and headers. */
function argument ({ parameters = [], requestBody }) {
  const given = parameters.filter(parameter => parameter.in !== 'path')
  const schemas = given.map(({ name, schema, required }) => ({ type: 'object', properties: { [camel(name.replace(/^If-/, 'if-').replace(/-[A-Z]/g, part => part.toLowerCase()))]: schema }, required: required ? [camel(name)] : [] }))
  const body = requestBody?.content['application/json'].schema
  if (body !== undefined) schemas.push(body)
  if (schemas.length === 0) return null
  const whole = schemas.every(schema => schema.properties) ? [{ type: 'object', properties: Object.assign({}, ...schemas.map(schema => schema.properties)), required: schemas.flatMap(schema => schema.required ?? []) }] : schemas
  return { type: whole.map(type).join(' & '), needed: whole.some(schema => schema.$ref || schema.required?.length > 0) }
}

function answer ({ responses }) {
  const good = Object.entries(responses).filter(([status]) => status < 400)
  const body = good.map(([, response]) => response.content?.['application/json']?.schema).find(Boolean)
  if (body === undefined) return 'null'
  const tagged = good.some(([status]) => status === '304')
  const paged = good.some(([, { headers }]) => headers?.Link !== undefined)
  return `${type(body)}${paged ? ` & Paged<${type(body)}>` : ''}${tagged ? ' & Tagged | null' : ''}`
}

/** All routes: name, method, path, whether a token is needed, and the description's. */
export function routes (description) {
  return Object.entries(description.paths).flatMap(([path, of]) => METHODS.filter(method => of[method]).map(method => {
    const operation = { ...of[method], parameters: [...of.parameters ?? [], ...of[method].parameters ?? []] }
    return { name: camel(operation.operationId), method: method.toUpperCase(), path, open: operation.security?.length === 0, operation }
  }))
}

export function print (description) {
  const all = routes(description)
  const typedefs = Object.entries(description.components.schemas).map(([name, schema]) => ` * @typedef {${type(schema)}} ${name}`)
  const methods = all.map(({ name, path, operation }) => {
    const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, part]) => `${part}: string`)
    const given = argument(operation)
    if (given !== null) parts.push(`fields${given.needed ? '' : '?'}: ${given.type}`)
    return ` * @property {(${parts.join(', ')}) => Promise<${answer(operation)}>} ${name} ${operation.summary ?? ''}`.trimEnd()
  })
  const table = all.map(({ name, method, path, open }) => `  ${name}: '${method} ${path}${open ? ' open' : ''}'`)
  return `/** The routes of the REST API: made by tools/rest-routes.mjs of doc/openapi.json, not by hand. */

/**
${typedefs.join('\n')}
 * @typedef {{ etag: string | null }} Tagged what to give as \`ifNoneMatch\`: null comes, if it is that still
 */

/**
 * @template T
 * @typedef {{ next: null | (() => Promise<T & Paged<T>>), all: () => Promise<T> }} Paged asks for the next page, where there is one, or reads all there are
 */

/**
 * @typedef {object} Rest
${methods.join('\n')}
 */

/** @type {Record<keyof Rest, string>} */
export const ROUTES = {
${table.join(',\n')}
}
`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(print(JSON.parse(fs.readFileSync(new URL('../../doc/openapi.json', import.meta.url), 'utf8'))))
}
