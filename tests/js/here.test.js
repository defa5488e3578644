import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { ScriptedServer, until } from './server.js'

const server = new ScriptedServer().install()
const written = (/** @type {string} */ topic) => ({ dataset: { topic, epoch: 'e1', seq: '1' } })
const page = [written('team.1'), written('agent.1')]
Object.assign(globalThis, {
  document: { body: { dataset: { agentMonitoring: 'off' } }, querySelectorAll: () => page },
  signalbox: { base: '/' },
})
const { client, feeds, followFrom } = await import('../../static/js/here.js')

after(() => client.stop())

test('where agents are not watched, nobody follows one, whoever asks', async () => {
  for (const topic of ['team.1', 'agent.1']) for (let n = 0; n < 3; n++) server.store(topic)
  followFrom(page[1])
  client.follow('terminal.1')
  client.start()
  await until(() => feeds[0].seq === 3)
  assert.deepEqual([...server.socket.follows], ['team.1'])
  assert.equal(feeds[1].seq, 1)
})

test('a topic is followed from the cursor that the page was written with', () => {
  const asked = server.socket.sent.find(({ type }) => type === 'subscribe')
  assert.deepEqual([asked.topic, asked.data.after, asked.data.epoch], ['team.1', 1, 'e1'])
})
