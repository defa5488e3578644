import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, test } from 'node:test'

import { Connection } from '../../static/js/realtime/connection.js'

const CUT = { code: 1006, refusal: null }
const HANGS = 'it neither comes up nor ends'
const RAN_OUT = { code: 4401, refusal: null }

let now
/** Every line that was opened, oldest first. */
let lines

beforeEach(() => {
  now = 0
  lines = []
  mock.timers.enable({ apis: ['setTimeout'] })
  mock.method(performance, 'now', () => now)
})

afterEach(() => {
  mock.timers.reset()
  mock.restoreAll()
})

/** `fate` says of each line how it ends at once, or nothing if it comes up. */
function connect(fate = () => {}, options = {}) {
  const opener = (transport) => (listener) => {
    const line = { transport, at: now, ...listener, send: () => true, close: () => (line.isClosed = true), giveUp() {} }
    lines.push(line)
    line.open = () => queueMicrotask(() => whatBecomesOf(line))
    return line
  }
  const whatBecomesOf = (line) => {
    const ending = fate(line)
    if (ending === HANGS) return
    if (ending) line.closed(ending)
    else line.opened({})
  }
  const connection = new Connection({
    openers: { websocket: opener('websocket'), http: opener('http') },
    listener: { opened() {}, received() {}, changed() {} },
    random: () => 0.5,
    ...options,
  })
  connection.start()
  return connection
}

/** Let what was opened come up or end, and time go by. */
async function later(ms) {
  for (let step = 0; step < ms; step += 100) {
    await null
    now += 100
    mock.timers.tick(100)
    await null
  }
}

const count = (transport) => lines.filter((line) => line.transport === transport).length

test('a token that ran out is renewed at once, and with no network after it, with patience', async () => {
  let isAway = false
  const connection = connect(() => (isAway ? CUT : null), { canRenew: true })
  await later(20_000)
  isAway = true
  lines.at(-1).closed(RAN_OUT)
  await later(1000)
  assert.ok(count('websocket') <= 3, `${count('websocket')} attempts`)
  assert.equal(connection.status.state, 'reconnecting')
})

test('a server that ends each new line with 4401 is not stormed', async () => {
  connect(() => null, { canRenew: true })
  for (let n = 0; n < 50; n++) {
    await later(100)
    const [line] = lines.slice(-1)
    if (line.transport === 'websocket') line.closed(RAN_OUT)
  }
  assert.ok(count('websocket') <= 5, `${count('websocket')} lines in five seconds`)
})

test('a socket that is cut again and again is polled around, and trusted when it lasts', async () => {
  const connection = connect()
  const cut = async () => {
    await later(100)
    lines.findLast(({ transport }) => transport === 'websocket').closed(CUT)
    await later(3000)
  }
  for (let n = 0; n < 3; n++) await cut()
  assert.equal(count('http'), 1)
  await later(30_000)
  assert.equal(connection.status.state, 'live')
  await cut()
  assert.equal(count('http'), 1)
})

test('polling that breaks is taken up again long before the socket is tried', async () => {
  connect(({ transport }) => (transport === 'websocket' ? CUT : null), { random: () => 0.99 })
  await later(60_000)
  const polling = lines.findLast(({ transport }) => transport === 'http')
  const endedAt = now
  polling.closed(CUT)
  await later(3000)
  const again = lines.findLast(({ transport }) => transport === 'http')
  assert.ok(again.at > endedAt && again.at - endedAt <= 2000, `${again.at - endedAt} ms`)
})

test('polling that has not come up when the socket does is given up', async () => {
  let isAway = true
  const connection = connect(({ transport }) => (transport === 'http' ? HANGS : isAway && CUT))
  await later(20_000)
  const [polling] = lines.filter(({ transport }) => transport === 'http')
  assert.ok(!polling.isClosed)
  isAway = false
  connection.retry()
  await later(100)
  assert.deepEqual([connection.status.state, polling.isClosed], ['live', true])

  isAway = true
  lines.at(-1).closed(CUT)
  await later(20_000)
  assert.equal(count('http'), 2, 'it is tried anew after the next cut')
})

test('where nothing answers, polling is tried more and more rarely', async () => {
  const connection = connect(() => CUT)
  await later(120_000)
  assert.equal(connection.status.state, 'offline')
  assert.ok(lines.length < 40, `${lines.length} attempts in two minutes`)
})

test('a browser without WebSocket polls at once', async () => {
  const missing = { code: 1006, refusal: { code: 'not_supported', message: '' } }
  const connection = connect(({ transport }) => (transport === 'websocket' ? missing : null))
  await later(100)
  assert.equal(connection.status.state, 'polling')
})
