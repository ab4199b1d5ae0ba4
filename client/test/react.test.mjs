// The React hook, with a component that is mounted twice as React's StrictMode does.

import { page } from './lib/dom.mjs'
import assert from 'node:assert/strict'
import test from 'node:test'
import { act, createElement, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { useDocument } from '../src/react.js'
import { Setup } from './lib/setup.mjs'

globalThis.IS_REACT_ACT_ENVIRONMENT = true

const seen = []
function Show ({ client, id }) {
  const document = useDocument(client, id)
  seen.push(document)
  return createElement('p', null, document === null ? 'none' : `${document.status} ${document.title} ${document.text}`)
}

test('a component sees the document as it comes, in StrictMode too, and lets it go', async () => {
  const setup = new Setup({ content: 'hello' })
  const client = setup.client()
  const home = page.body.appendChild(page.createElement('div'))
  const root = createRoot(home)
  await act(() => root.render(createElement(StrictMode, null, createElement(Show, { client, id: 'doc' }))))
  const document = client.open('doc')
  document.release()
  assert.equal(home.textContent, 'connecting null ')
  await act(() => setup.until(() => document.status === 'connected'))
  assert.equal(home.textContent, 'connected a title hello')
  assert.deepEqual([...new Set(seen)], [null, document])
  await act(() => root.render(createElement(StrictMode, null, createElement(Show, { client, id: null }))))
  assert.equal(home.textContent, 'none')
  await act(() => setup.until(() => document.status === 'closed'))
  await act(() => root.unmount())
})

test('another id is another document, at once', async () => {
  const setup = new Setup({ content: 'hello' })
  const client = setup.client()
  const home = page.body.appendChild(page.createElement('div'))
  const root = createRoot(home)
  await act(() => root.render(createElement(Show, { client, id: 'doc' })))
  const first = client.open('doc')
  first.release()
  seen.length = 0
  await act(() => root.render(createElement(Show, { client, id: 'other' })))
  assert.equal(seen[0], null)
  assert.equal(seen[seen.length - 1].id, 'other')
  await act(() => setup.until(() => first.status === 'closed'))
  await act(() => root.unmount())
})

test('on a server nothing is opened', () => {
  const client = { open: () => assert.fail('it was opened') }
  assert.equal(renderToString(createElement(Show, { client, id: 'doc' })), '<p>none</p>')
})
