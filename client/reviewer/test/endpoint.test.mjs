// Questions to an endpoint over HTTP, and everything that can come in place of an answer.

import assert from 'node:assert/strict'
import test, { after } from 'node:test'
import { addressOf, Endpoint, estimate } from '../endpoint.js'
import { retryAfter } from '../http.js'
import { completion, StandIn } from './lib/standin.mjs'

const running = []
after(() => Promise.all(running.map(standin => standin.stop())))

const QUESTION = [{ role: 'system', content: 'a task' }, { role: 'user', content: 'a text' }]

/** An endpoint with these answers; time passes when it is waited for, and only then. */
async function endpoint (answers, options = {}, more = {}) {
  const standin = await new StandIn(...answers).start()
  running.push(standin)
  const clock = { now: 1_000_000, waits: [] }
  const ended = new AbortController()
  const surroundings = {
    fetch, now: () => clock.now, random: () => 0.5, signal: ended.signal, deadline: clock.now + 600_000, log: () => {},
    sleep: async ms => {
      clock.waits.push(ms)
      clock.now += ms
    },
    ...more
  }
  const made = new Endpoint({ endpoint: standin.url, model: 'a-model', key: undefined, answerTokens: 500, temperature: undefined, timeout: 20_000, ...options }, surroundings)
  return { ask: () => made.ask(QUESTION), standin, clock, ended }
}

test('a question is a chat completion with the schema of remarks, and the key in its header', async () => {
  const { ask, standin } = await endpoint([completion('{"remarks":[]}')], { key: 'a key', temperature: 0 })
  assert.deepEqual(await ask(), { kind: 'answer', content: '{"remarks":[]}', tokens: 120 })
  const [{ method, path, headers, body }] = standin.asked
  assert.deepEqual([method, path, headers.authorization, body.model, body.max_tokens, body.temperature, body.messages], ['POST', '/v1/chat/completions', 'Bearer a key', 'a-model', 500, 0, QUESTION])
  assert.deepEqual([body.response_format.type, body.response_format.json_schema.strict, body.response_format.json_schema.schema.required], ['json_schema', true, ['remarks']])
  assert.deepEqual(Object.keys(body).sort(), ['max_tokens', 'messages', 'model', 'response_format', 'temperature'], 'no tools, nothing else')
})

test('without a key or a temperature none is sent', async () => {
  const { ask, standin } = await endpoint([completion('x')])
  await ask()
  assert.deepEqual([standin.asked[0].headers.authorization, 'temperature' in standin.asked[0].body], [undefined, false])
})

test('the address is that of chat completions, however it is given', () => {
  for (const given of ['http://localhost:1/v1', 'http://localhost:1/v1/', 'http://localhost:1/v1/chat/completions']) assert.equal(String(addressOf(given)), 'http://localhost:1/v1/chat/completions')
  assert.equal(String(addressOf('https://example.org/x/chat/completions?api-version=1')), 'https://example.org/x/chat/completions?api-version=1')
  for (const wrong of ['file:///etc/passwd', 'https://ann:word@example.org/v1']) assert.throws(() => addressOf(wrong), TypeError)
})

test('429 is asked again after what Retry-After says: seconds, or a date', async () => {
  const { ask, clock, standin } = await endpoint([
    { status: 429, headers: { 'retry-after': '7' }, body: { error: { message: 'slow down' } } },
    { status: 429, headers: { 'retry-after': new Date(1_020_000).toUTCString() }, body: {} },
    completion('done')
  ])
  assert.equal((await ask()).content, 'done')
  assert.deepEqual([clock.waits, standin.asked.length], [[7000, 13_000], 3])
})

test('Retry-After that says nothing is none', () => {
  assert.deepEqual([null, '', 'soon', '3', '0', '1.5', new Date(5000).toUTCString(), new Date(0).toUTCString()].map(header => retryAfter(header, 1000)), [null, null, null, 3000, 0, 1500, 4000, 0])
})

test('5xx, a broken connection and 408 are asked again, later each time', async () => {
  const { ask, clock } = await endpoint([{ status: 500, body: 'oh' }, () => null, { status: 503, body: {} }, { status: 408, body: {} }, completion('done')])
  assert.equal((await ask()).content, 'done')
  assert.deepEqual(clock.waits, [1000, 2000, 4000, 8000])
})

test('an endpoint that never gets better is given up', async () => {
  const { ask, standin } = await endpoint([{ status: 502, body: '<html>Bad Gateway</html>' }])
  await assert.rejects(ask(), { code: 'unavailable', message: /502, 5 times/ })
  assert.equal(standin.asked.length, 5)
})

test('a wait longer than the time left, or than a minute, is not waited', async () => {
  for (const [after, more] of [['120', {}], ['30', { deadline: 1_010_000 }]]) {
    const { ask, standin, clock } = await endpoint([{ status: 429, headers: { 'retry-after': after }, body: {} }], {}, more)
    await assert.rejects(ask(), { code: 'unavailable' })
    assert.deepEqual([standin.asked.length, clock.waits], [1, []])
  }
})

test('an account without money is not asked again', async () => {
  const { ask, standin } = await endpoint([{ status: 429, body: { error: { code: 'insufficient_quota', message: 'You have no credit' } } }])
  await assert.rejects(ask(), { code: 'endpoint', message: /429: You have no credit/ })
  assert.equal(standin.asked.length, 1)
})

test('a wrong key, model or address ends it, and the message has no key in it', async () => {
  for (const [status, body, message] of [[401, { error: { message: 'Incorrect API key provided' } }, /401: Incorrect/], [404, { error: 'model not found' }, /404: model not found/], [403, 'no', /403: no/]]) {
    const { ask, standin } = await endpoint([{ status, body }], { key: 'secret-key' })
    await assert.rejects(ask(), error => error.code === 'endpoint' && message.test(error.message) && !error.message.includes('secret-key'))
    assert.equal(standin.asked.length, 1)
  }
})

test('a redirect is not followed', async () => {
  const { ask, standin } = await endpoint([{ status: 307, headers: { location: '/elsewhere' }, body: '' }], { key: 'k' })
  await assert.rejects(ask(), { message: /redirects/ })
  assert.equal(standin.asked.length, 1)
})

test('an endpoint that does not know the schema is asked for JSON, then for text, and is not asked for more again', async () => {
  const no = { status: 400, body: { error: { message: 'response_format is not supported' } } }
  const { ask, standin } = await endpoint([no, { ...no, status: 422 }, completion('one'), completion('two')])
  assert.deepEqual([(await ask()).content, (await ask()).content], ['one', 'two'])
  assert.deepEqual(standin.asked.map(({ body }) => body.response_format?.type), ['json_schema', 'json_object', undefined, undefined])
  const never = await endpoint([{ status: 400, body: { error: { message: 'wrong in another way' } } }])
  await assert.rejects(never.ask(), { code: 'endpoint', message: /400: wrong in another way/ })
})

test('an endpoint that calls the limit by its other name gets that', async () => {
  const { ask, standin } = await endpoint([{ status: 400, body: { error: { message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead." } } }, completion('done')])
  assert.equal((await ask()).content, 'done')
  assert.deepEqual(standin.asked.map(({ body }) => [body.max_tokens, body.max_completion_tokens, body.response_format.type]), [[500, undefined, 'json_schema'], [undefined, 500, 'json_schema']])
})

test('a question that does not fit is told as such, and not asked again', async () => {
  for (const given of [{ status: 400, body: { error: { code: 'context_length_exceeded', message: 'too many' } } }, { status: 500, body: { error: { message: 'the request exceeds the available context size' } } }]) {
    const { ask, standin } = await endpoint([given])
    assert.equal((await ask()).kind, 'too_long')
    assert.equal(standin.asked.length, 1)
  }
})

test('refusals, cut-off answers and answers without text are told apart', async () => {
  const kind = async given => (await (await endpoint([given])).ask()).kind
  assert.equal(await kind(completion(null, { message: { refusal: 'I cannot help with that' } })), 'refused')
  assert.equal(await kind(completion('', { finish: 'content_filter' })), 'refused')
  assert.equal(await kind(completion('{"remarks":[{"ki', { finish: 'length' })), 'truncated')
  assert.equal(await kind(completion(null, { finish: 'tool_calls', message: { tool_calls: [{ function: { name: 'rm' } }] } })), 'malformed')
  for (const given of ['', 'not JSON', '<html>', [], { choices: [] }, { choices: 7 }, { choices: [null] }, { error: 'late' }]) assert.equal(await kind({ body: given }), 'malformed', JSON.stringify(given))
  const parts = await (await endpoint([completion(null, { message: { content: [{ type: 'text', text: 'one ' }, { type: 'image' }, { type: 'text', text: 'two' }] } })])).ask()
  assert.deepEqual([parts.kind, parts.content], ['answer', 'one two'])
})

test('tokens are those of usage, or guessed where that is missing or nonsense', async () => {
  const tokens = async usage => (await (await endpoint([completion('answer', { usage })])).ask()).tokens
  assert.equal(await tokens({ total_tokens: 77 }), 77)
  assert.equal(await tokens({ prompt_tokens: 50, completion_tokens: 5 }), 55)
  assert.equal(await tokens({ prompt_tokens: 50, completion_tokens: 5, total_tokens: 1 }), 55)
  const guess = estimate('a task' + 'a text' + 'answer')
  for (const usage of [undefined, null, {}, { total_tokens: -5 }, { total_tokens: '9' }, { total_tokens: 0.5 }]) assert.equal(await tokens(usage ?? null), guess)
})

test('an answer without end is not read to its end', async () => {
  const { ask, standin } = await endpoint([{ body: 'x'.repeat(5_000_000) }])
  await assert.rejects(ask(), { code: 'too_large' })
  assert.equal(standin.asked.length, 1)
})

test('an answer that does not come in time is asked for again', async () => {
  let asked = 0
  const slow = (url, { signal, ...init }) => ++asked > 1 ? fetch(url, init) : new Promise((resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  const { ask, clock } = await endpoint([completion('done')], { timeout: 20 }, { fetch: slow })
  assert.equal((await ask()).content, 'done')
  assert.deepEqual([asked, clock.waits], [2, [1000]])
})

test('the end of the run ends a question under way', async () => {
  let late
  const { ask, ended } = await endpoint([() => new Promise(resolve => {
    late = resolve
    ended.abort(new Error('ended by a test'))
  })])
  await assert.rejects(ask(), /ended by a test/)
  late(null)
})

test('the end of the run ends a wait, and says why', async () => {
  const { ask, ended } = await endpoint([{ status: 503, body: {} }], {}, { sleep: (ms, signal) => new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('The operation was aborted')))
    ended.abort(new Error('ended by a test'))
  }) })
  await assert.rejects(ask(), /ended by a test/)
})

test('after the deadline nothing is asked', async () => {
  const { ask, standin } = await endpoint([completion('x')], {}, { deadline: 1_000_000 })
  await assert.rejects(ask(), { code: 'no_time' })
  assert.equal(standin.asked.length, 0)
})
