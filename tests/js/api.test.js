import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'

import { Api } from '../../static/js/realtime/api.js'

/** What the server has begun to answer. @type {ReadableStreamDefaultController} */
let body
let traffic
let api

beforeEach(() => {
  traffic = { received: 0, sent: 0 }
  api = new Api({ traffic })
  globalThis.fetch = async (_address, { signal }) => {
    const stream = new ReadableStream({
      start(controller) {
        body = controller
        signal.addEventListener('abort', () => controller.error(signal.reason))
      },
    })
    return new Response(stream)
  }
})

const soon = () => new Promise((resolve) => setImmediate(resolve))

const bytesOf = (text) => new TextEncoder().encode(text)

async function write(bytes) {
  const before = traffic.received
  body.enqueue(bytes)
  while (traffic.received === before) await soon()
}

test('a page that comes slowly comes whole, however long it takes', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const page = { events: Array(20).fill({ text: 'ü€😀' }) }
  const bytes = bytesOf(JSON.stringify(page))
  const answer = api.events('chat.1', { after: 0 })
  await soon()
  for (let at = 0; at < bytes.length; at += 99) {
    context.mock.timers.tick(9000)
    await write(bytes.slice(at, at + 99))
  }
  body.close()
  assert.deepEqual(await answer, page)
})

test('one that stops coming is given up', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const answer = api.events('chat.1', { after: 0, wait: 20 })
  await soon()
  await write(bytesOf('{"events":'))
  context.mock.timers.tick(10_000)
  await assert.rejects(answer, { name: 'Problem', code: 'timeout' })
})

test('one that breaks off did not come', async () => {
  const answer = api.get('api/v1/teams/')
  await soon()
  await write(bytesOf('[{"id":'))
  body.error(new TypeError('network error'))
  await assert.rejects(answer, { name: 'Problem', code: 'connection_failed' })
})

test('what is no answer of the server is a problem in words', async () => {
  globalThis.fetch = async () => new Response('<h1>Welcome to our hotel</h1>')
  await assert.rejects(api.get('api/v1/teams/'), { name: 'Problem', code: 'server_error', message: /sign in to it/ })
  globalThis.fetch = async () => new Response('<h1>Bad gateway</h1>', { status: 503, headers: { 'Retry-After': '7' } })
  await assert.rejects(api.get('api/v1/teams/'), { code: 'unavailable', retryAfter: 7 })
})

test('whoever asked may take it back while it comes', async () => {
  const asker = new AbortController()
  const answer = api.get('api/v1/teams/', { signal: asker.signal })
  await soon()
  await write(bytesOf('['))
  asker.abort()
  await assert.rejects(answer, { name: 'AbortError' })
})
