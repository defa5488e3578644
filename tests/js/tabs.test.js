import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'

import { Client } from '../../static/js/realtime/client.js'
import { ScriptedServer, until } from './server.js'

const TOPIC = 'chat.1'
let server
let number = 0
const tabs = []

beforeEach(() => {
  server = new ScriptedServer().install()
  number += 1
})

afterEach(() => {
  for (const { client } of tabs.splice(0)) client.stop()
})

/** Another tab of the same browser and user. */
function openTab(seq = 0, topic = TOPIC) {
  const client = new Client({ user: `alice ${number}` })
  const heard = []
  client.follow(topic, { epoch: 'e1', seq }).on('message', (event) => heard.push(event.seq))
  client.start()
  const tab = { client, heard, isLive: () => client.standing.state === 'live' }
  tabs.push(tab)
  return tab
}

async function openLiveTab(...args) {
  const tab = openTab(...args)
  await until(tab.isLive)
  return tab
}

const open = () => server.sockets.filter(({ readyState }) => readyState === 1)

test('many tabs cost the server one socket, and all hear everything', async () => {
  const all = []
  for (let n = 0; n < 10; n++) all.push(await openLiveTab())
  server.say(TOPIC)
  await until(() => all.every(({ heard }) => heard.length === 1))
  assert.equal(server.sockets.length, 1)
})

test('a tab that comes later fetches what it lacks by itself', async () => {
  await openLiveTab()
  for (let n = 0; n < 3; n++) server.say(TOPIC)
  const later = await openLiveTab(1)
  await until(() => later.heard.length === 2)
  server.say(TOPIC)
  await until(() => later.heard.length === 3)
  assert.deepEqual(later.heard, [2, 3, 4])
})

test('each topic is followed once, and until the last tab has left it', async () => {
  const first = await openLiveTab()
  const second = await openLiveTab()
  const other = await openLiveTab(0, 'chat.2')
  await until(() => server.socket.follows.has('chat.2'))
  const count = (type) => server.socket.sent.filter((frame) => frame.type === type && frame.topic === TOPIC).length
  assert.equal(count('subscribe'), 1)
  second.client.stop()
  server.say('chat.2')
  await until(() => other.heard.length === 1)
  assert.equal(count('unsubscribe'), 0)
  first.client.unfollow(TOPIC)
  await until(() => count('unsubscribe') === 1)
})

test('an answer goes to the tab that asked', async () => {
  await openLiveTab()
  const second = await openLiveTab()
  const ack = await second.client.send('message', TOPIC, { content: 'from the second' })
  assert.equal(ack.data.content, 'from the second')
})

test('when the leading tab closes another takes over, and nothing is missing or double', async () => {
  const first = await openLiveTab()
  const second = await openLiveTab()
  const third = await openLiveTab()
  server.say(TOPIC)
  await until(() => third.heard.length === 1)
  first.client.stop()
  const sent = second.client.send('message', TOPIC, {})
  server.store(TOPIC)
  await sent
  server.say(TOPIC)
  await until(() => second.heard.length === 4 && third.heard.length === 4)
  assert.deepEqual(second.heard, [1, 2, 3, 4])
  assert.deepEqual(third.heard, [1, 2, 3, 4])
  assert.equal(open().length, 1)
})

test('after a cut every tab is whole again', async () => {
  const all = [await openLiveTab(), await openLiveTab()]
  server.socket.cut()
  for (let n = 0; n < 4; n++) server.store(TOPIC)
  await until(() => all.every(({ heard }) => heard.length === 4))
  for (const { heard } of all) assert.deepEqual(heard, [1, 2, 3, 4])
})

test('a leader that says nothing any more loses the lead', async () => {
  const first = await openLiveTab()
  const second = await openLiveTab()
  // Frozen: it keeps its lock, hears nothing and says nothing.
  const frozen = freeze()
  second.client.wake()
  await until(() => frozen.isOver(), 'the second tab takes the lead', 6000)
  await until(second.isLive)
  server.say(TOPIC)
  await until(() => second.heard.length === 1)
  assert.deepEqual(second.heard, [1])
  first.client.stop()

  function freeze() {
    const before = server.sockets.length
    const post = BroadcastChannel.prototype.postMessage
    BroadcastChannel.prototype.postMessage = function (note) {
      if (note.to === 'leader') return
      post.call(this, note)
    }
    return {
      isOver() {
        if (server.sockets.length === before) return false
        BroadcastChannel.prototype.postMessage = post
        return true
      },
    }
  }
})

test('signed out is signed out in every tab', async () => {
  const all = [await openLiveTab(), await openLiveTab()]
  server.socket.cut(4401)
  await until(() => all.every(({ client }) => client.standing.state === 'stopped'))
})
