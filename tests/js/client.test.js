import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'

import { Client } from '../../static/js/realtime/client.js'
import { randomFrom } from './random.js'
import { oneTo, ScriptedServer, until } from './server.js'

const TOPIC = 'chat.1'
let server
let client
const timers = globalThis.setTimeout

beforeEach(() => {
  server = new ScriptedServer().install()
  // The same waits, a hundred times quicker.
  globalThis.setTimeout = (step, ms, ...rest) => timers(step, ms > 50 ? ms / 100 : ms, ...rest)
})

afterEach(() => {
  client?.stop()
  globalThis.setTimeout = timers
})

function following(options = {}, cursor = { epoch: 'e1', seq: 0 }) {
  client = new Client(options)
  const heard = []
  const states = []
  client.follow(TOPIC, cursor).on('message', ({ seq }) => heard.push(seq))
  client.watch(({ state }) => states.at(-1) === state || states.push(state))
  client.start()
  return { heard, states }
}

test('it replays from the cursor and goes on live', async () => {
  for (let n = 0; n < 3; n++) server.store(TOPIC)
  const { heard } = following()
  await until(() => heard.length === 3)
  server.say(TOPIC)
  assert.deepEqual(heard, [1, 2, 3, 4])
  assert.equal(client.standing.replayed, 0)
})

test('a lost event is fetched over HTTP and applied in its place', async () => {
  const { heard } = following()
  await until(() => client.standing.state === 'live' && server.socket.follows.has(TOPIC))
  server.say(TOPIC)
  server.store(TOPIC)
  server.store(TOPIC)
  server.say(TOPIC)
  await until(() => heard.length === 4)
  assert.deepEqual(heard, [1, 2, 3, 4])
})

test('what is missing is not asked for for ever: not if it is refused, nor when the page goes away', async () => {
  following()
  const refusals = []
  const questions = () => server.requests.filter((path) => path.includes('events')).length
  client.follow(TOPIC).on('unsubscribed', ({ data }) => refusals.push(data.code))
  const miss = () => {
    server.store(TOPIC)
    server.say(TOPIC)
  }
  await until(() => server.socket?.follows.has(TOPIC))
  server.forbidden.add(TOPIC)
  miss()
  await until(() => refusals.length)
  assert.deepEqual([refusals, questions()], [['not_found'], 1])

  server.httpWorks = false
  miss()
  await until(() => questions() === 3)
  client.stop()
  const before = questions()
  await new Promise((resolve) => timers(resolve, 60))
  assert.equal(questions(), before)
})

test('an answer from a life that has ended meanwhile is not taken for one of the new', async () => {
  following()
  const heard = []
  client.follow(TOPIC).on('message', ({ data }) => heard.push(data.life))
  await until(() => client.standing.state === 'live' && server.socket.follows.has(TOPIC))
  const answer = held()
  for (let n = 0; n < 3; n++) server.store(TOPIC, { life: 'old' })
  server.say(TOPIC, { life: 'old' })
  await answer.asked

  server.topics.set(TOPIC, { epoch: 'e2', floor: 0, events: [] })
  for (let n = 0; n < 2; n++) server.store(TOPIC, { life: 'new' })
  server.socket.push({ type: 'reset', topic: TOPIC, data: { epoch: 'e2', head: 2, floor: 0 } })
  answer.letGo()
  await new Promise((resolve) => timers(resolve, 20))
  server.say(TOPIC, { life: 'new' })
  server.store(TOPIC, { life: 'newer' })
  server.say(TOPIC, { life: 'newest' })
  await until(() => heard.includes('newest'))
  assert.deepEqual(heard, ['new', 'newer', 'newest'])
})

for (const [what, isForbidden] of [
  ['an answer', false],
  ['a refusal', true],
]) {
  test(`${what} about a topic that is followed no more is told to nobody`, async () => {
    const { heard } = following()
    client.on('unsubscribed', ({ data }) => heard.push(data.code))
    await until(() => client.standing.state === 'live' && server.socket.follows.has(TOPIC))
    const answer = held()
    if (isForbidden) server.forbidden.add(TOPIC)
    server.store(TOPIC)
    server.say(TOPIC)
    await answer.asked
    client.unfollow(TOPIC)
    answer.letGo()
    await new Promise((resolve) => timers(resolve, 20))
    assert.deepEqual(heard, [])
  })
}

test('after a cut it comes back and nothing is missing or double', async () => {
  const { heard, states } = following()
  await until(() => client.standing.state === 'live')
  server.say(TOPIC)
  await until(() => heard.length === 1)
  server.socket.cut()
  for (let n = 0; n < 5; n++) server.store(TOPIC)
  await until(() => heard.length === 6)
  assert.deepEqual(heard, oneTo(6))
  assert.deepEqual(states, ['idle', 'connecting', 'live', 'reconnecting', 'live'])
  assert.equal(client.standing.replayed, 5)
})

test('after three failures polling takes over, and the socket takes back', async () => {
  server.socketsWork = false
  const { heard, states } = following()
  await until(() => client.standing.state === 'polling')
  assert.equal(server.sockets.length, 3)
  server.store(TOPIC)
  await until(() => heard.length === 1)

  server.socketsWork = true
  await until(() => client.standing.state === 'live')
  server.say(TOPIC)
  await until(() => heard.length === 2)
  assert.deepEqual(heard, [1, 2])
  assert.deepEqual(
    states,
    ['idle', 'connecting', 'reconnecting', 'polling', 'live'].filter((state) => states.includes(state)),
  )
})

test('with nothing to be reached it says so and keeps trying', async () => {
  server.socketsWork = server.httpWorks = false
  const { heard } = following()
  await until(() => client.standing.state === 'offline')
  assert.equal(client.standing.refusal.code, 'connection_failed')
  server.socketsWork = server.httpWorks = true
  server.store(TOPIC)
  await until(() => heard.length === 1 && client.standing.state === 'live')
})

test('one tab too many polls at once', async () => {
  following()
  await until(() => client.standing.state === 'live')
  server.socketsWork = false
  server.socket.push({ type: 'error', data: { code: 'too_many_connections', message: '', retry_after: 500 } })
  server.socket.cut(4409)
  await until(() => client.standing.state === 'polling')
  assert.equal(server.sockets.length, 1)
})

test('polling by choice never opens a socket', async () => {
  const { heard } = following({ transport: 'poll' })
  await until(() => client.standing.state === 'polling')
  server.store(TOPIC)
  await until(() => heard.length === 1)
  assert.equal(server.sockets.length, 0)
})

test('polling without a cursor starts at the head', async () => {
  server.store(TOPIC)
  const { heard } = following({ transport: 'poll' }, { epoch: null, seq: null })
  await until(() => client.follow(TOPIC).seq === 1)
  server.store(TOPIC)
  await until(() => heard.length === 1)
  assert.deepEqual(heard, [2])
})

test('polling tells a topic that began anew, even if it is as long as before', async () => {
  server.store(TOPIC)
  const { heard } = following({ transport: 'poll' })
  const resets = []
  client.follow(TOPIC).on('reset', ({ data }) => resets.push([data.epoch, data.head]))
  await until(() => heard.length === 1)
  server.topics.set(TOPIC, { epoch: 'e2', floor: 0, events: [] })
  server.store(TOPIC)
  await until(() => resets.length)
  assert.deepEqual(resets, [['e2', 1]])
})

for (const transport of ['socket', 'poll']) {
  test(`a topic that one may not read is refused to who follows it (${transport})`, async () => {
    server.forbidden.add('chat.9')
    const { heard } = following({ transport })
    const refusals = []
    client.follow('chat.9', { epoch: null, seq: 0 }).on('unsubscribed', ({ data }) => refusals.push(data.code))
    await until(() => refusals.length)
    server.say(TOPIC)
    await until(() => heard.length === 1)
    assert.deepEqual(refusals, ['not_found'])
  })
}

test('frames go over HTTP while polling', async () => {
  following({ transport: 'poll' })
  const ack = await client.send('message', TOPIC, { content: 'Hello' })
  assert.equal(ack.seq, 1)
})

test('what is written while the line is down is sent once, in order', async () => {
  const { heard } = following()
  await until(() => client.standing.state === 'live')
  server.acks = false
  const acks = oneTo(5).map((n) => client.send('message', TOPIC, { n }))
  await until(() => server.socket.sent.some(({ type }) => type === 'message'))
  server.socket.cut()
  server.acks = true
  await Promise.all(acks)
  assert.deepEqual(
    server.done.map(({ n }) => n),
    oneTo(5),
  )
  await until(() => heard.length === 5)
})

test('what an earlier page left is known before the connection is, and its refusal is told', async () => {
  const left = { id: 'left', type: 'message', topic: 'chat.9', data: {}, keep: true }
  const refused = { ...left, id: 'refused', refusal: { code: 'invalid', message: '' } }
  const put = []
  const store = { all: async () => [refused, left], put: async (one) => put.push(one), remove: async () => {} }
  client = new Client({ store })
  const earlier = await client.loaded
  assert.deepEqual(
    [earlier.waiting.map(({ id, topic }) => [id, topic]), earlier.refused],
    [[['left', 'chat.9']], [refused]],
  )
  assert.deepEqual(client.refused, [refused])

  const told = []
  client.on('refused', ({ data }) => told.push([data.id, data.refusal.code]))
  server.answer = (socket, { id, type }) =>
    type === 'message' && socket.push({ type: 'error', id, data: { code: 'not_found', message: '' } })
  client.start()
  await until(() => told.length)
  assert.deepEqual(told, [['left', 'not_found']])
  assert.deepEqual(
    client.refused.map(({ id }) => id),
    ['refused', 'left'],
  )
  assert.equal(put.at(-1).refusal.code, 'not_found')
})

test('a server that says nothing is left, and found again', async () => {
  following()
  await until(() => client.standing.state === 'live')
  server.answersPing = false
  client.wake()
  await until(() => client.standing.state === 'reconnecting')
  server.answersPing = true
  await until(() => client.standing.state === 'live' && client.standing.latency !== null)
})

test('signed out means stop, and a reason', async () => {
  following()
  await until(() => client.standing.state === 'live')
  server.socket.cut(4401)
  assert.equal(client.standing.state, 'stopped')
  assert.equal(client.standing.refusal.code, 'unauthenticated')
  await new Promise((resolve) => timers(resolve, 60))
  assert.equal(server.sockets.length, 1)
})

test('a token that ran out is renewed once', async () => {
  let renewals = 0
  following({ token: async () => `token ${++renewals}` })
  await until(() => client.standing.state === 'live')
  server.socket.cut(4401)
  await until(() => server.sockets.length === 2 && client.standing.state === 'live')
  assert.ok(renewals >= 2)
})

test('a lost history resets the feed to the head, and says so', async () => {
  const resets = []
  const { heard } = following()
  client.follow(TOPIC).on('reset', ({ data }) => resets.push(data.head))
  await until(() => client.standing.state === 'live')
  server.say(TOPIC)
  await until(() => heard.length === 1)
  server.topics.set(TOPIC, { epoch: 'e2', floor: 0, events: [] })
  for (let n = 0; n < 4; n++) server.store(TOPIC)
  server.socket.cut()
  await until(() => resets.length)
  assert.deepEqual(resets, [4])
  server.say(TOPIC)
  await until(() => heard.length === 2)
  assert.deepEqual(heard, [1, 5])
})

test('own handlers hear every topic and whispers', async () => {
  following()
  const heard = []
  client.on('custom_event', ({ data }) => heard.push(data.n))
  await until(() => client.standing.state === 'live' && server.socket.follows.has(TOPIC))
  server.say(TOPIC, { n: 1 }, 'custom_event')
  server.socket.push({ type: 'custom_event', topic: TOPIC, data: { n: 2 } })
  assert.deepEqual(heard, [1, 2])
})

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`whatever the network does, the page ends with the server's log (seed ${seed})`, async () => {
    const random = randomFrom(seed)
    const { heard } = following()
    await until(() => client.standing.state === 'live')
    const sent = []
    for (let step = 0; step < 120; step++) {
      const dice = random()
      if (dice < 0.35) server.say(TOPIC)
      else if (dice < 0.55) server.store(TOPIC)
      else if (dice < 0.65) resend(server, random)
      else if (dice < 0.75) server.socket?.cut(random() < 0.5 ? 1006 : 1012)
      else if (dice < 0.8) server.socketsWork = !server.socketsWork
      else if (dice < 0.83) server.httpWorks = !server.httpWorks
      else if (dice < 0.9) sent.push(client.send('message', TOPIC, { step }))
      else await new Promise((resolve) => timers(resolve, random() * 30))
    }
    server.socketsWork = server.httpWorks = true
    await Promise.all(sent)
    server.say(TOPIC)
    client.retry()
    await until(() => client.standing.state === 'live')
    server.say(TOPIC)
    await until(() => heard.length === server.topic(TOPIC).events.length, 'the page has the whole log')
    assert.deepEqual(heard, oneTo(heard.length))
    assert.deepEqual(server.done.length, sent.length)
  })
}

/** The next answer over HTTP is written at once, and arrives when it is let go. */
function held() {
  const { fetch } = globalThis
  const gate = {}
  const arrives = new Promise((resolve) => {
    gate.letGo = resolve
  })
  gate.asked = new Promise((resolve) => {
    globalThis.fetch = async (...question) => {
      globalThis.fetch = fetch
      const answer = await fetch(...question)
      resolve()
      await arrives
      return answer
    }
  })
  return gate
}

/** Push something old again, or something out of order. */
function resend(server, random) {
  const { events } = server.topic(TOPIC)
  const event = events[Math.floor(random() * events.length)]
  if (event) server.socket?.push(event)
}
