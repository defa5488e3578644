import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'

import { Client } from '../../static/js/realtime/client.js'
import { Tabs } from '../../static/js/realtime/tabs.js'
import { FakeBrowser } from './browser.js'
import { oneTo, ScriptedServer, until } from './server.js'

let server
let browser

beforeEach(() => {
  server = new ScriptedServer().install()
  browser = new FakeBrowser({ speed: 50 }).install()
})

afterEach(() => browser.uninstall())

/** A tab that follows topics from their beginning; `heard` is what each has told. */
function openTab(topics, { shared = 'alice', ...options } = {}) {
  return browser.open(() => {
    const client = new Client({ shared, tabs: Tabs, ...options })
    const heard = Object.fromEntries(topics.map((topic) => [topic, []]))
    for (const topic of topics)
      client.follow(topic, { epoch: 'e1', seq: 0 }).on('message', ({ seq }) => heard[topic].push(seq))
    client.start()
    return { client, heard }
  })
}

const asked = (topic) =>
  server.sockets.flatMap(({ sent }) => sent).filter((frame) => frame.type === 'subscribe' && frame.topic === topic)
const polls = (topic) => server.requests.filter((path) => path.includes(`topic=${topic}&`)).length
const named = (kind, count) => oneTo(count).map((n) => `${kind}.${n}`)

for (const [what, refusal] of [
  ['the database is busy', { code: 'unavailable', message: '', retry_after: 1 }],
  ['too much was asked at once', { code: 'too_fast', message: '', retry_after: 0.2 }],
  ['nothing is answered', false],
]) {
  test(`a topic is asked for until it is followed: ${what}`, async () => {
    let tries = 0
    server.refuses = () => (++tries <= 2 ? refusal : null)
    server.store('run.1')
    const { heard } = openTab(['run.1'])
    await until(() => heard['run.1'].length === 1)
    server.say('run.1')
    await until(() => heard['run.1'].length === 2)
    assert.equal(asked('run.1').length, 3)
  })
}

test('what has been answered is not asked for again, nor what was left', async () => {
  server.refuses = (topic) => (topic === 'run.2' ? false : null)
  const tab = openTab(['run.1', 'run.2'])
  await until(() => asked('run.2').length === 2)
  tab.run(() => tab.client.unfollow('run.2'))
  const { length } = asked('run.2')
  await new Promise((resolve) => setTimeout(resolve, 40_000))
  assert.deepEqual([asked('run.1').length, asked('run.2').length], [1, length])
})

for (const shared of ['alice', '']) {
  test(`what the socket has no room for is polled, until there is (${shared ? 'tabs' : 'one tab'})`, async () => {
    server.most = 3
    const topics = named('run', 5)
    const tab = openTab(topics, { shared })
    await until(() => polls('run.5'))
    for (const topic of topics) server.say(topic)
    await until(() => topics.every((topic) => tab.heard[topic].length === 1))
    assert.deepEqual([polls('run.3'), asked('run.4').length, tab.client.standing.state], [0, 0, 'live'])

    tab.run(() => tab.client.unfollow('run.1'))
    await until(() => server.socket.follows.has('run.4'))
    assert.deepEqual(asked('run.4')[0].data, { after: 1, epoch: 'e1' })
    const { length } = server.requests
    for (const topic of topics.slice(1, 4)) server.say(topic)
    await until(() => topics.slice(1, 4).every((topic) => tab.heard[topic].length === 2))
    assert.deepEqual(tab.heard['run.4'], [1, 2])
    assert.equal(server.requests.slice(length).filter((path) => path.includes('run.4')).length, 0)
  })
}

test('a tab that finds no room hears what is polled for it, and the socket when another tab has gone', async () => {
  server.most = 3
  openTab(['chat.1'])
  await until(() => server.socket?.follows.has('chat.1'))
  const crowd = openTab(named('agent', 4))
  await until(() => polls('agent.4'))
  const late = openTab(['run.1'])
  await until(() => polls('run.1'))
  server.say('run.1')
  await until(() => late.heard['run.1'].length === 1)
  assert.equal(server.socket.follows.size, 3)

  crowd.close()
  await until(() => server.socket.follows.has('run.1'))
  server.say('run.1')
  await until(() => late.heard['run.1'].length === 2)
  assert.deepEqual([server.socket.follows.size, asked('agent.4').length], [2, 0])
})

test('polling beside the socket survives its own cuts, and ends with the socket', async () => {
  server.most = 1
  const tab = openTab(['run.1', 'run.2'])
  const { heard, client } = tab
  server.store('run.2')
  await until(() => heard['run.2'].length === 1)
  server.httpWorks = false
  await new Promise((resolve) => setTimeout(resolve, 4000))
  server.store('run.2')
  server.httpWorks = true
  await until(() => heard['run.2'].length === 2)
  assert.equal(client.standing.state, 'live')

  server.socket.cut()
  server.store('run.2')
  await until(() => heard['run.2'].length === 3)
  assert.deepEqual(heard['run.2'], [1, 2, 3])
  tab.run(() => client.stop())
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const { length } = server.requests
  await new Promise((resolve) => setTimeout(resolve, 10_000))
  assert.equal(server.requests.length, length)
})

test('a topic that is polled and may not be read any more is refused to who follows it', async () => {
  server.most = 1
  const { client } = openTab(['run.1', 'run.2'])
  const refusals = []
  client.follow('run.2').on('unsubscribed', ({ data }) => refusals.push(data.code))
  await until(() => polls('run.2') > 1)
  server.forbidden.add('run.2')
  await until(() => refusals.length)
  assert.deepEqual(refusals, ['not_found'])
})

test('what is polled beside it does not make a dead socket alive', async () => {
  server.most = 1
  const tab = openTab(['run.1', 'run.2'])
  server.store('run.2')
  await until(() => tab.heard['run.2'].length === 1 && tab.client.standing.latency !== null)
  server.answersPing = false
  tab.run(() => tab.client.measure())
  await until(() => server.store('run.2') && tab.client.standing.state === 'reconnecting')
})

test('an agent’s answers come together, and are understood', async () => {
  const { heard } = openTab(['run.1'])
  await until(() => server.socket?.readyState === 1)
  const { push } = server.socket
  server.socket.push = function (frame) {
    push.call(this, frame.id ? { type: 'batch', messages: [frame] } : frame)
  }
  await until(() => server.socket.follows.has('run.1'))
  server.say('run.1')
  await until(() => heard['run.1'].length === 1)
  await new Promise((resolve) => setTimeout(resolve, 20_000))
  assert.equal(asked('run.1').length, 1)
})
