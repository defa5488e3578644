import assert from 'node:assert/strict'
import { test } from 'node:test'

globalThis.location = new URL('http://server.test/tasks/?mine=1')
const { inWords, inBytes } = await import('../../static/js/elements/words.js')

const standing = (more) => ({
  state: 'live',
  transport: 'websocket',
  delay: null,
  latency: null,
  attempt: 0,
  retryIn: null,
  refusal: null,
  waiting: 0,
  replayed: 0,
  lost: 0,
  ...more,
})
const refused = (code, more) => standing({ refusal: { code, message: '' }, ...more })

test('each level has its badge', () => {
  const badge = (more, online) => inWords(standing(more), online).words
  assert.equal(badge({ latency: 12.3 }), 'Live')
  assert.equal(badge({ state: 'polling', transport: 'http' }), 'HTTP long polling')
  assert.equal(badge({ state: 'polling', transport: 'http', delay: 5000 }), 'HTTP Polling (5s delay)')
  assert.equal(badge({ state: 'polling', transport: 'http', delay: 30_000 }), 'HTTP Polling (30s delay)')
  assert.equal(badge({ state: 'reconnecting' }), 'Reconnecting…')
  assert.equal(badge({ state: 'reconnecting' }, false), 'Offline: waiting for the network')
  assert.equal(badge({ state: 'offline' }), 'Disconnected')
  assert.ok(inWords(standing({ state: 'offline' })).detail.startsWith('no updates'))
})

test('the details say what one can count', () => {
  assert.equal(inWords(standing({ latency: 3.21 })).detail, 'WebSocket · 3.2 ms')
  assert.equal(inWords(standing({ replayed: 212 })).detail, 'WebSocket · 212 replayed, 0 lost')
  assert.equal(inWords(standing({ lost: Number.NaN })).detail, 'WebSocket · 0 replayed, nobody knows how many lost')
  assert.equal(inWords(standing({ state: 'reconnecting', attempt: 2, waiting: 3 })).detail, 'try 3 · 3 to be sent')
  assert.equal(
    inWords(standing({ state: 'offline', attempt: 3, retryIn: 4200 })).detail,
    'no updates · next try in 5 s',
  )
})

// Row by row: what went wrong, what is said, and what one can do.
for (const [code, state, online, reason, action] of [
  ['not_supported', 'polling', true, 'no WebSocket', null],
  ['connection_failed', 'offline', true, 'can’t be reached', 'Retry'],
  ['timeout', 'offline', true, 'did not answer in time', 'Retry'],
  ['server_error', 'offline', true, 'had a problem', 'Retry'],
  ['connection_failed', 'offline', false, 'This device is offline', 'Retry'],
  ['unauthenticated', 'stopped', true, 'signed out', 'Log in'],
  ['revoked', 'stopped', true, 'access has ended', 'Log in'],
  ['out_of_date', 'stopped', true, 'older than the server', 'Reload'],
  ['forbidden', 'stopped', true, 'may not do that', 'Retry'],
]) {
  test(`${code}${online ? '' : ', offline'}: ${reason}, ${action ?? 'it goes on by itself'}`, () => {
    const said = inWords(refused(code, { state }), online)
    assert.ok(said.reason.includes(reason), said.reason)
    assert.equal(said.wayOn?.words ?? (said.retry ? 'Retry' : null), action)
  })
}

test('the way to the login leads back here', () => {
  const { wayOn } = inWords(refused('unauthenticated', { state: 'stopped' }))
  assert.equal(wayOn.href, '/login/?next=%2Ftasks%2F%3Fmine%3D1')
})

test('bytes are as short as people say them', () => {
  assert.deepEqual([0, 999, 1234, 5_600_000].map(inBytes), ['0 B', '999 B', '1.2 kB', '5.6 MB'])
})
