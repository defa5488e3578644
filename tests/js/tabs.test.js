import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'

import { Client } from '../../static/js/realtime/client.js'
import { Tabs } from '../../static/js/realtime/tabs.js'
import { FakeBrowser } from './browser.js'
import { randomFrom } from './random.js'
import { oneTo, ScriptedServer, until } from './server.js'

const TOPIC = 'chat.1'
let server
let browser

beforeEach(() => {
  server = new ScriptedServer().install()
  browser = new FakeBrowser().install()
})

afterEach(() => browser.uninstall())

/** Where everything hangs on who leads, a busy machine must not make a leader look stuck. @param {number} speed */
function slowly(speed) {
  browser.uninstall()
  browser = new FakeBrowser({ speed }).install()
}

/** Another tab; `cursor` is where its page goes on from. */
function openTab(seq = 0, { topic = TOPIC, shared = 'alice', ...options } = {}) {
  return browser.open((tab) => {
    const client = new Client({ shared, tabs: Tabs, isVisible: () => tab.isVisible, ...options })
    const heard = []
    client.follow(topic, { epoch: 'e1', seq }).on('message', (event) => heard.push(event.seq))
    client.start()
    return { client, heard, isLive: () => client.standing.state === 'live' }
  })
}

async function openLiveTab(...args) {
  const tab = openTab(...args)
  await until(tab.isLive, 'the tab is live')
  await until(() => server.socket?.follows.has(args[1]?.topic ?? TOPIC), 'its topic is followed')
  return tab
}

const open = () => server.sockets.filter(({ readyState }) => readyState === 1)
const count = (type, topic = TOPIC) =>
  server.sockets.flatMap(({ sent }) => sent).filter((frame) => frame.type === type && frame.topic === topic).length

test('many tabs cost the server one socket, and all hear everything', async () => {
  const all = []
  for (let n = 0; n < 10; n++) all.push(await openLiveTab())
  server.say(TOPIC)
  await until(() => all.every(({ heard }) => heard.length === 1))
  assert.equal(server.sockets.length, 1)
  assert.equal(count('subscribe'), 1)
  assert.equal(browser.leader.client.standing.tabs, 10)
})

test('a hundred tabs that open at once too', async () => {
  slowly(1)
  const all = oneTo(100).map(() => openTab())
  await until(() => all.every(({ isLive }) => isLive()), 'all are live', 30_000)
  server.say(TOPIC)
  await until(() => all.every(({ heard }) => heard.length === 1))
  assert.equal(open().length, 1)
})

test('a tab that comes a little later gets its replay from the leader', async () => {
  await openLiveTab()
  for (let n = 0; n < 3; n++) server.say(TOPIC)
  const later = await openLiveTab(1)
  await until(() => later.heard.length === 2)
  server.say(TOPIC)
  await until(() => later.heard.length === 3)
  assert.deepEqual(later.heard, [2, 3, 4])
  assert.equal(later.client.standing.replayed, 0)
  assert.deepEqual(server.requests, [])
})

test('what the leader does not remember, a tab fetches over HTTP', async () => {
  for (let n = 0; n < 50; n++) server.store(TOPIC)
  await openLiveTab(50)
  const later = openTab(0)
  await until(() => later.heard.length === 50)
  server.say(TOPIC)
  await until(() => later.heard.length === 51)
  assert.deepEqual(later.heard, oneTo(51))
  assert.equal(count('subscribe'), 1)
})

test('a tab with a cursor of another life is told to begin anew', async () => {
  await openLiveTab()
  server.say(TOPIC)
  const resets = []
  const old = openTab(7, { topic: 'chat.2' })
  await until(old.isLive)
  old.client.follow(TOPIC, { epoch: 'e0', seq: 7 }).on('reset', ({ data }) => resets.push(data))
  await until(() => resets.length)
  assert.deepEqual([resets[0].epoch, resets[0].head], ['e1', 1])
})

test('a tab that comes after a topic began anew is told of its new end', async () => {
  server.socketsWork = false
  for (let n = 0; n < 9; n++) server.store(TOPIC)
  const first = openTab(9)
  await until(() => first.client.standing.state === 'polling')
  const resets = []
  first.client.on('reset', ({ data }) => resets.push(data.head))
  Object.assign(server.topic(TOPIC), { epoch: 'e2', events: [] })
  server.store(TOPIC)
  await until(() => resets.length, 'the topic begins anew')
  const later = openTab(0, { topic: 'chat.2' })
  await until(() => later.client.standing.state === 'polling')
  const feed = later.run(() => later.client.follow(TOPIC))
  await until(() => feed.epoch !== null)
  assert.deepEqual(feed.cursor, { epoch: 'e2', seq: 1 })
})

test('each topic is followed once, and until the last tab has left it', async () => {
  const first = await openLiveTab()
  const second = await openLiveTab()
  const other = await openLiveTab(0, { topic: 'chat.2' })
  second.close()
  server.say('chat.2')
  await until(() => other.heard.length === 1)
  assert.equal(count('unsubscribe'), 0)
  first.client.unfollow(TOPIC)
  await until(() => count('unsubscribe') === 1)
})

test('the events of a topic wake only the tabs that follow it', async () => {
  await openLiveTab()
  const other = await openLiveTab(0, { topic: 'chat.2' })
  const woken = []
  other.client.on('message', (event) => woken.push(event))
  for (let n = 0; n < 5; n++) server.say(TOPIC)
  server.say('chat.2')
  await until(() => other.heard.length === 1)
  assert.equal(woken.length, 1)
})

test('somebody looks at a topic until the last tab that shows who does is gone', async () => {
  slowly(10)
  const [, first, second, third] = [await openLiveTab(), await openLiveTab(), await openLiveTab(), await openLiveTab()]
  const said = () => server.socket.sent.filter(({ type }) => type === 'presence').map(({ data }) => data.on ?? true)
  const whisper = (tab, data) => tab.run(() => tab.client.whisper('presence', TOPIC, data))
  for (const tab of [first, second, third]) whisper(tab, {})
  await until(() => said().length === 3)
  first.close()
  whisper(second, { on: false })
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.deepEqual(said(), [true, true, true])
  third.close()
  await until(() => said().length === 4)
  assert.equal(said().at(-1), false)
  assert.equal(count('unsubscribe'), 0)
})

test('an answer goes to the tab that asked, once', async () => {
  const first = await openLiveTab()
  const second = await openLiveTab()
  const ack = await second.client.send('message', TOPIC, { content: 'from the second' })
  assert.equal(ack.data.content, 'from the second')
  assert.deepEqual([first.client.standing.waiting, second.client.standing.waiting], [0, 0])
  assert.equal(count('message'), 1)
})

test('what two tabs have found in the outbox is answered to both, and happens once', async () => {
  slowly(10)
  const left = [{ id: 'left', type: 'message', topic: TOPIC, data: {}, keep: true }]
  const store = { all: async () => left, put: async () => {}, remove: async () => {} }
  server.acks = false
  const tabs = [await openLiveTab(0, { store }), await openLiveTab(0, { store })]
  await until(() => count('message') === 2)
  server.acks = true
  const [frame] = server.socket.sent.filter(({ type }) => type === 'message')
  server.answer(server.socket, frame)
  await until(() => tabs.every(({ client }) => client.standing.waiting === 0), 'both know')
  assert.deepEqual([server.done.length, count('message')], [1, 2])
})

test('a refused topic is refused to the tab that follows it', async () => {
  await openLiveTab()
  server.forbidden.add('chat.9')
  const second = await openLiveTab()
  const refusals = []
  const feed = second.run(() => second.client.follow('chat.9', { epoch: null, seq: 0 }))
  feed.on('unsubscribed', ({ topic, data }) => refusals.push([topic, data.code]))
  await until(() => refusals.length)
  assert.deepEqual(refusals, [['chat.9', 'not_found']])
})

for (const [how, end] of [
  ['closes', (tab) => tab.close()],
  ['crashes', (tab) => tab.crash()],
]) {
  test(`when the leading tab ${how} another takes over, and nothing is missing or double`, async () => {
    const [first, second, third] = [await openLiveTab(), await openLiveTab(), await openLiveTab()]
    server.say(TOPIC)
    await until(() => third.heard.length === 1)
    end(first)
    const sent = second.client.send('message', TOPIC, {})
    server.store(TOPIC)
    await sent
    server.say(TOPIC)
    await until(() => second.heard.length === 4 && third.heard.length === 4)
    assert.deepEqual([second.heard, third.heard], [oneTo(4), oneTo(4)])
    assert.equal(open().length, 1)
    assert.equal(server.done.length, 1)
  })
}

test('after a cut every tab is whole again, and nobody asks twice', async () => {
  const all = [await openLiveTab(), await openLiveTab(), await openLiveTab()]
  server.socket.cut()
  for (let n = 0; n < 4; n++) server.store(TOPIC)
  await until(() => all.every(({ heard }) => heard.length === 4))
  for (const { heard, client } of all) {
    assert.deepEqual(heard, oneTo(4))
    assert.deepEqual([client.standing.replayed, client.standing.lost], [4, 0])
  }
  assert.equal(count('subscribe'), 2)
  assert.deepEqual(server.requests, [])
})

test('a leader that hangs loses the lead, and follows when it goes on', async () => {
  const first = await openLiveTab()
  const second = await openLiveTab()
  first.hang()
  await until(() => browser.leader === second || second.client.standing.leads, 'the second leads')
  await until(second.isLive)
  server.say(TOPIC)
  await until(() => second.heard.length === 1)

  first.goOn()
  await until(() => !first.client.standing.leads && first.isLive(), 'the first follows')
  server.say(TOPIC)
  await until(() => first.heard.length === 2 && second.heard.length === 2)
  assert.deepEqual([first.heard, second.heard], [oneTo(2), oneTo(2)])
  await until(() => open().length === 1, 'one socket is left', 20_000)
})

test('a tab holds no channel of those who lead no more', async () => {
  slowly(10)
  const [first, second, third] = [await openLiveTab(), await openLiveTab(), await openLiveTab()]
  const last = await openLiveTab()
  const held = () => browser.channelsOf(last).length
  const before = held()
  for (const [n, leader] of [first, second].entries()) {
    leader.close()
    await until(() => browser.leader?.isLive())
    server.say(TOPIC)
    await until(() => last.heard.length === n + 1)
    await until(() => held() === before, 'it holds as many as with the first')
  }
  third.hang()
  await until(() => last.client.standing.leads && last.isLive())
  third.goOn()
  await until(() => !third.client.standing.leads && third.isLive())
  await until(() => browser.channelsOf(third).length === before, 'who led holds as many as who never did')
})

test('what a tab leaves while nobody leads, it hears no more', async () => {
  slowly(10)
  const [first, next, last] = [await openLiveTab(), await openLiveTab(), await openLiveTab()]
  next.hang()
  first.close()
  await until(() => last.client.standing.state === 'reconnecting')
  last.run(() => last.client.unfollow(TOPIC))
  next.goOn()
  await until(last.isLive)
  assert.deepEqual(
    browser.channelsOf(last).filter(({ name }) => name.endsWith(TOPIC)),
    [],
  )
})

test('word of an earlier cut that comes after the line is up again holds nothing back', async () => {
  slowly(10)
  const [, second] = [await openLiveTab(), await openLiveTab()]
  const held = browser.holdBack(({ say, status }) => say === 'known' && status.state !== 'live')
  server.socketsWork = server.httpWorks = false
  server.socket.cut()
  await until(() => held.length, 'the second has asked how it stands')
  server.socketsWork = server.httpWorks = true
  second.client.retry()
  await until(second.isLive)
  const believed = []
  second.client.watch(({ state }) => believed.push(state))
  browser.letGo()
  await until(() => believed.some((state) => state !== 'live'), 'it has come')
  second.run(() => second.client.send('message', TOPIC, {}))
  await until(() => server.done.length === 1, 'what it writes is sent')
})

test('a hidden leader is left the lead while its line is up, and loses it with the line', async () => {
  const first = await openLiveTab()
  const second = await openLiveTab()
  first.isVisible = false
  await new Promise((resolve) => setTimeout(resolve, 5000))
  assert.ok(first.client.standing.leads)
  server.socketsWork = server.httpWorks = false
  server.socket.cut()
  await until(() => second.client.standing.leads, 'the one that is looked at leads')
  server.socketsWork = server.httpWorks = true
  await until(() => first.isLive() && second.isLive())
})

test('a tab that was thought dead is welcome when it wakes', async () => {
  const first = await openLiveTab()
  const second = await openLiveTab()
  second.isVisible = false
  second.hang()
  await until(() => first.client.standing.tabs === 1, 'the leader gives it up')
  server.say(TOPIC)
  second.goOn()
  await until(() => second.heard.length === 1)
  server.say(TOPIC)
  await until(() => second.heard.length === 2)
  assert.deepEqual(second.heard, [1, 2])
})

test('retry, wake and measure reach the line from every tab', async () => {
  const first = await openLiveTab()
  const second = await openLiveTab()
  const pings = () => server.socket.sent.filter(({ type }) => type === 'ping').length
  await until(() => first.client.standing.latency !== null)
  const before = pings()
  server.time = 1_764_000_000_000
  second.client.measure()
  await until(() => pings() > before)
  await until(() => second.client.standing.serverTime === server.time, 'every tab knows what time it is')
  server.socketsWork = server.httpWorks = false
  server.socket.cut()
  await until(() => second.client.standing.state === 'offline')
  server.socketsWork = server.httpWorks = true
  second.client.retry()
  await until(() => first.isLive() && second.isLive())
})

test('signed out is signed out in every tab, and a page that is written later tries again', async () => {
  const all = [await openLiveTab(), await openLiveTab()]
  server.socket.cut(4401)
  await until(() => all.every(({ client }) => client.standing.state === 'stopped'))
  assert.equal(all[1].client.standing.refusal.code, 'unauthenticated')
  await openLiveTab()
  await until(() => all.every(({ isLive }) => isLive()))
})

test('another user or another login shares nothing', async () => {
  const first = await openLiveTab()
  const second = await openLiveTab(0, { shared: 'alice again' })
  assert.equal(open().length, 2)
  server.socket.cut(4440)
  await until(() => second.client.standing.state === 'stopped')
  assert.ok(first.isLive())
})

test('without a socket the leader polls for all', async () => {
  server.socketsWork = false
  const all = oneTo(5).map(() => openTab())
  await until(() => all.every(({ client }) => client.standing.state === 'polling'))
  server.store(TOPIC)
  await until(() => all.every(({ heard }) => heard.length === 1))
  const asked = server.requests.filter((path) => path.includes('events')).length
  assert.ok(asked < 10, `${asked} questions for five tabs`)
})

test('where locks are forbidden each tab leads itself, and asks for them once', async () => {
  slowly(10)
  let asked = 0
  navigator.locks.request = async () => {
    asked += 1
    throw new DOMException('no', 'SecurityError')
  }
  const all = [await openLiveTab(), await openLiveTab()]
  server.say(TOPIC)
  await until(() => all.every(({ heard }) => heard.length === 1))
  assert.deepEqual([asked, open().length], [2, 2])

  const [first] = all
  first.client.stop()
  await until(() => open().length === 1)
  first.run(() => first.client.start())
  await until(first.isLive)
  server.say(TOPIC)
  await until(() => all.every(({ heard }) => heard.length === 2))
})

test('a page in the back-forward cache comes back as a tab', async () => {
  const first = await openLiveTab()
  const second = await openLiveTab()
  first.client.stop()
  await until(() => second.isLive() && second.client.standing.leads)
  server.say(TOPIC)
  first.run(() => first.client.start())
  await until(() => first.heard.length === 1)
  assert.deepEqual([first.heard, second.heard], [[1], [1]])
  assert.equal(open().length, 1)
})

for (const seed of oneTo(12)) {
  test(`whatever tabs and network do, every tab ends with the server's log (seed ${seed})`, async () => {
    const random = randomFrom(seed)
    browser.uninstall()
    browser = new FakeBrowser({ random }).install()
    browser.loss = seed % 3 === 0 ? 0.1 : 0
    const oneOf = (list) => list[Math.floor(random() * list.length)]
    const steps = [
      [6, () => server.say(TOPIC)],
      [3, () => server.store(TOPIC)],
      [2, () => server.socket?.push(oneOf(server.topic(TOPIC).events) ?? { type: 'pong' })],
      [1, () => server.socket?.cut(random() < 0.5 ? 1006 : 1012)],
      [0.6, () => (server.socketsWork = !server.socketsWork)],
      [0.4, () => (server.httpWorks = !server.httpWorks)],
      [1, () => browser.living.length < 6 && openTab(Math.floor(random() * server.topic(TOPIC).events.length))],
      [0.4, () => browser.living.length > 2 && forget(oneOf(browser.living), 'close')],
      [0.4, () => browser.living.length > 2 && forget(oneOf(browser.living), 'crash')],
      [0.4, () => oneOf(browser.living).hang()],
      [1, () => browser.living.find(({ isHung }) => isHung)?.goOn()],
      [0.5, () => (oneOf(browser.living).isVisible = random() < 0.5)],
      [2, () => write(oneOf(browser.living.filter(({ isHung }) => !isHung)))],
      [4, () => new Promise((resolve) => setTimeout(resolve, random() * 30))],
    ]
    const total = steps.reduce((sum, [weight]) => sum + weight, 0)

    for (let n = 0; n < 2; n++) openTab()
    for (let n = 0; n < 150; n++) {
      const dice = random() * total
      await steps.find((_, last) => steps.slice(0, last + 1).reduce((sum, [weight]) => sum + weight, 0) > dice)[1]()
    }
    server.socketsWork = server.httpWorks = true
    for (const tab of browser.living) {
      tab.isVisible = true
      tab.goOn()
    }
    for (const tab of browser.living) tab.run(() => tab.client.retry())
    await until(() => browser.living.every(({ client }) => client.standing.state === 'live'), 'all are live', 20_000)
    await until(() => browser.living.every(({ client }) => client.standing.waiting === 0), 'all is answered', 20_000)
    server.say(TOPIC)
    // What a tab sent that is gone may still happen.
    const head = () => server.topic(TOPIC).events.length
    await until(() => browser.living.every(({ heard }) => heard.at(-1) === head()), 'all have the last event', 20_000)
    for (const { heard } of browser.living) assert.deepEqual(heard, oneTo(head()).slice(heard[0] - 1))
    await until(() => open().length === 1, 'one socket is left', 20_000)

    /** Its frames may have been carried out or not; nobody waits for them. */
    function forget(tab, how) {
      if (how === 'close' && tab.isHung) return
      tab[how]()
    }

    function write(tab) {
      tab?.run(() => tab.client.send('message', TOPIC, {}))
    }
  })
}
