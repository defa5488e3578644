// Where sockets are, and what time it is.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inMinutes, inWords, serverNow, serverSaid } from '../../static/js/clock.js'
import { hasWebSocket, projectSocketUrl } from '../../static/js/realtime/address.js'

test('a project has a socket, as safe as the page', () => {
  assert.equal(projectSocketUrl('p1', 'https://box.example/'), 'wss://box.example/ws/admin/agent-swarm/p1')
  assert.equal(
    projectSocketUrl('p 1/..', 'http://box.example:8000/'),
    'ws://box.example:8000/ws/admin/agent-swarm/p%201%2F..',
  )
  assert.equal(hasWebSocket(), typeof WebSocket === 'function')
})

test('the clock is the server’s, however wrong this device is, and never goes back', () => {
  const year = 365 * 86_400_000
  const ahead = Date.now() + year
  serverSaid(new Date(ahead).toISOString())
  assert.ok(Math.abs(serverNow() - ahead) < 1000)
  serverSaid(new Date(ahead - 5000).toISOString())
  assert.ok(serverNow() >= ahead - 1)
  serverSaid('nonsense')
  serverSaid(undefined)
  assert.ok(serverNow() >= ahead - 1)
})

test('seconds are said as exactly as they deserve', () => {
  assert.deepEqual([0, 59.9, 60, 3725].map(inMinutes), ['0:00', '0:59', '1:00', '1:02:05'])
  assert.deepEqual([-1, 0.44, 12.9, 61, 3725].map(inWords), ['0.0 s', '0.4 s', '12 s', '1:01 min', '1:02:05 h'])
})
