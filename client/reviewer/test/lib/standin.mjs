// A stand-in for an OpenAI-compatible endpoint: it answers by what it was given, one answer
// a question, and notes what it is asked.

import http from 'node:http'
import { once } from 'node:events'

/** A completion as such endpoints answer it. */
export const completion = (content, { finish = 'stop', usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 }, message = {} } = {}) => ({
  id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'stand-in', usage,
  choices: [{ index: 0, finish_reason: finish, message: { role: 'assistant', content: typeof content === 'string' || content === null ? content : JSON.stringify(content), ...message } }]
})

export const remark = (kind, quote, more = {}) => ({ kind, quote, before: '', after: '', occurrence: null, body: `about ${quote}`, replacement: null, ...more })
export const comment = (quote, body, more) => remark('comment', quote, { body, ...more })
export const suggestion = (quote, replacement, more) => remark('suggestion', quote, { replacement, ...more })

/** The text of the part that a question is about. */
export const partOf = ({ messages }) => /^BEGIN (\S+)\n([\s\S]*?)\nEND \1(\n\nWISH |$)/.exec(messages[1].content)[2]
/** What the member who asks wants to be looked for. */
export const wishOf = ({ messages }) => /\n\nWISH (\S+)\n([\s\S]*)\nEND \1$/.exec(messages[1].content)?.[2]

export class StandIn {
  /** What was asked: `headers` and `body`. */
  asked = []

  /** @param {(function | object)[]} answers the last one answers all that follows; a function gets the question */
  constructor (...answers) {
    this.answers = answers
    this.server = http.createServer((request, response) => this.#answer(request, response))
  }

  async start () {
    await once(this.server.listen(0, '127.0.0.1'), 'listening')
    this.url = `http://127.0.0.1:${this.server.address().port}/v1`
    return this
  }

  async #answer (request, response) {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const question = { method: request.method, path: request.url, headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) }
    this.asked.push(question)
    const next = this.answers.length > 1 ? this.answers.shift() : this.answers[0]
    const given = typeof next === 'function' ? await next(question.body, request) : next
    if (given === null) return request.socket.destroy()
    const { status = 200, headers = {}, body = given } = given
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body))
  }

  async stop () {
    this.server.closeAllConnections()
    await new Promise(resolve => this.server.close(resolve))
  }
}
