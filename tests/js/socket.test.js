import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'

import { Socket } from '../../static/js/realtime/socket.js'
import { ScriptedServer, until } from './server.js'

let server
const open = []
beforeEach(() => {
  server = new ScriptedServer().install()
})

afterEach(() => {
  for (const socket of open.splice(0)) socket.close()
})

async function opened(token) {
  const heard = []
  const endings = []
  let hello = null
  const socket = new Socket(
    'ws://server.test/ws/',
    {
      opened: (data) => {
        hello = data
      },
      received: (frame) => heard.push(frame),
      closed: (ending) => endings.push(ending),
    },
    { token },
  )
  open.push(socket)
  socket.open()
  await until(() => hello)
  return { socket, heard, endings }
}

test('frames keep their order although inflating takes time', async () => {
  const { heard } = await opened()
  const padding = 'x'.repeat(200_000)
  for (let seq = 1; seq <= 20; seq++) {
    const event = { type: 'message', topic: 't', seq, data: seq % 3 ? {} : { padding } }
    if (seq % 3 === 0) server.socket.pushDeflated(event)
    else server.socket.push(event)
  }
  await until(() => heard.length === 20)
  assert.deepEqual(
    heard.map(({ seq }) => seq),
    Array.from({ length: 20 }, (_, n) => n + 1),
  )
})

test('a close waits for what came before it', async () => {
  const { heard, endings } = await opened()
  const wire = server.socket
  wire.pushDeflated({ type: 'message', topic: 't', seq: 1, data: {} })
  wire.cut(1012)
  await until(() => endings.length)
  assert.deepEqual([heard.length, endings[0].code], [1, 1012])
})

test('it confirms what it has read before the server stops sending, and not in step with others', async () => {
  const confirmed = new Set()
  for (let socket = 0; socket < 20; socket++) {
    await opened()
    const text = 'x'.repeat(8 * 1024)
    for (let seq = 1; seq <= 32; seq++) server.socket.push({ type: 'message', topic: 't', seq, data: { text } })
    const { data } = server.socket.sent.find(({ type }) => type === 'received')
    assert.ok(data.t >= 16, `after ${data.t} of 32`)
    confirmed.add(data.t)
  }
  assert.ok(confirmed.size > 3)
})

test('with a cookie it says nothing but that it can inflate; with a token it introduces itself first', async () => {
  await opened()
  assert.deepEqual(server.socket.sent[0].data, { compress: true })

  await opened(async () => 'secret')
  await until(() => server.socket.sent.length)
  assert.deepEqual(server.socket.sent[0], { type: 'auth', id: 'auth', data: { token: 'secret', compress: true } })
})

test('the last error frame tells what a server without close codes means', async () => {
  const { endings } = await opened()
  server.socket.push({ type: 'error', data: { code: 'too_fast', message: 'Slowly.', retry_after: 7 } })
  server.socket.cut(1006)
  assert.deepEqual(endings, [{ code: 4429, refusal: { code: 'too_fast', message: 'Slowly.', retry_after: 7 } }])
})

test('after close() nothing is told any more', async () => {
  const { socket, heard, endings } = await opened()
  const wire = server.socket
  socket.close()
  wire.onmessage?.({ data: '{"type":"message"}' })
  wire.cut()
  assert.deepEqual([heard, endings], [[], []])
})
