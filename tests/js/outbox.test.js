import assert from 'node:assert/strict'
import { beforeEach, mock, test } from 'node:test'

import { Outbox } from '../../static/js/realtime/outbox.js'

beforeEach(() => {
  mock.timers.reset()
  mock.timers.enable({ apis: ['setTimeout', 'Date'] })
})

const entry = (id, { topic = 'chat.1', keep = true } = {}) => ({ id, type: 'message', topic, data: { id }, keep })

class KeptInMemory {
  entries = []
  async all() {
    return [...this.entries]
  }
  async put(one) {
    const place = this.entries.findIndex(({ id }) => id === one.id)
    this.entries.splice(place < 0 ? this.entries.length : place, 1, one)
  }
  async remove(id) {
    this.entries = this.entries.filter((one) => one.id !== id)
  }
}

function outbox(options = {}) {
  const sent = []
  const box = new Outbox({ send: (frame) => sent.push(frame.id) > 0, ...options })
  return { box, sent, ack: (id) => box.answered({ type: 'ack', id, data: { id } }) }
}

test('on one topic the next goes when the one before is answered', async () => {
  const { box, sent, ack } = outbox()
  const first = box.add(entry('a'))
  box.add(entry('b'))
  box.add(entry('c', { topic: 'chat.2' }))
  box.resume()
  assert.deepEqual(sent, ['a', 'c'])
  ack('a')
  assert.deepEqual(sent, ['a', 'c', 'b'])
  assert.deepEqual(await first, { id: 'a' })
})

test('what was sent on a line that broke is sent again under the same id', () => {
  const { box, sent, ack } = outbox()
  box.resume()
  box.add(entry('a'))
  box.pause()
  box.add(entry('b'))
  box.resume()
  ack('a')
  assert.deepEqual(sent, ['a', 'a', 'b'])
  assert.equal(box.resent, 1)
})

test('what a line that is up does not take is tried again', () => {
  let takes = false
  const sent = []
  const { box } = outbox({ send: (frame) => takes && sent.push(frame.id) > 0 })
  box.add(entry('a'))
  box.resume()
  mock.timers.tick(3000)
  assert.deepEqual([sent, box.resent], [[], 0])
  takes = true
  mock.timers.tick(1000)
  assert.deepEqual([sent, box.resent], [['a'], 0])
})

test('a refusal goes to the one who wrote it, and the next is sent', async () => {
  const { box, sent } = outbox()
  box.resume()
  const first = box.add(entry('a'))
  box.add(entry('b'))
  box.answered({ type: 'error', id: 'a', data: { code: 'invalid', message: 'content: too long' } })
  await assert.rejects(first, { code: 'invalid', message: 'content: too long' })
  assert.deepEqual(sent, ['a', 'b'])
})

test('too fast means later, not never, and keeps the order', async () => {
  const { box, sent } = outbox()
  box.resume()
  box.add(entry('a'))
  box.add(entry('b'))
  box.answered({ type: 'error', id: 'a', data: { code: 'too_fast', message: '', retry_after: 2 } })
  assert.deepEqual(sent, ['a'])
  mock.timers.tick(2000)
  assert.deepEqual(sent, ['a', 'a'])
})

test('the 101st is refused, and nothing that waits is lost', async () => {
  const { box } = outbox()
  for (let n = 0; n < 100; n++) box.add(entry(String(n)))
  await assert.rejects(box.add(entry('one more')), { code: 'outbox_full' })
  assert.equal(box.size, 100)
})

test('a reload goes on with what the earlier page had written, before what is new', async () => {
  const store = new KeptInMemory()
  const earlier = outbox({ store })
  earlier.box.add(entry('a'))
  earlier.box.add(entry('b'))

  const { box, sent, ack } = outbox({ store })
  box.add(entry('c'))
  await box.load()
  box.resume()
  for (const id of ['a', 'b', 'c']) ack(id)
  assert.deepEqual(sent, ['a', 'b', 'c'])
  assert.deepEqual(await store.all(), [])
})

test('a button that nobody answers gives up and leaves nothing behind', async () => {
  const store = new KeptInMemory()
  const { box } = outbox({ store })
  const asked = box.add(entry('a', { keep: false }))
  mock.timers.tick(15_000)
  await assert.rejects(asked, { code: 'timeout' })
  assert.deepEqual([box.size, store.entries.length], [0, 0])
})

test('a button that was pressed before the page went away does nothing when it comes back', async () => {
  const { box, sent } = outbox()
  const asked = box.add(entry('a', { keep: false }))
  box.add(entry('b'))
  mock.timers.setTime(3_600_000)
  box.resume()
  await assert.rejects(asked, { code: 'timeout' })
  assert.deepEqual(sent, ['b'])
})

test('what a person wrote and the server refused is kept over a reload, until it is dismissed', async () => {
  const store = new KeptInMemory()
  const told = []
  const earlier = outbox({ store, refused: ({ id, refusal }) => told.push([id, refusal.code]) })
  earlier.box.resume()
  for (const id of ['a', 'b']) earlier.box.add(entry(id))
  const refusal = { code: 'invalid', message: 'content: too long' }
  earlier.box.answered({ type: 'error', id: 'a', data: refusal })
  assert.deepEqual(told, [['a', 'invalid']])

  const { box, sent } = outbox({ store })
  await box.load()
  box.resume()
  assert.deepEqual(sent, ['b'])
  assert.deepEqual(box.refused, [{ ...entry('a'), refusal }])
  box.dismiss('a')
  assert.deepEqual([box.refused, store.entries.map(({ id }) => id)], [[], ['b']])
})

test('what was refused can be sent again, as the same frame', async () => {
  const store = new KeptInMemory()
  const { box, sent, ack } = outbox({ store })
  box.resume()
  box.add(entry('a'))
  box.answered({ type: 'error', id: 'a', data: { code: 'forbidden', message: '' } })
  const answer = box.again('a')
  assert.deepEqual([box.refused, sent, store.entries], [[], ['a', 'a'], [entry('a')]])
  ack('a')
  await answer
  assert.deepEqual(store.entries, [])
})

test('a button that is refused is not kept', () => {
  const store = new KeptInMemory()
  const { box } = outbox({ store })
  box.resume()
  box.add(entry('a', { keep: false }))
  box.answered({ type: 'error', id: 'a', data: { code: 'forbidden', message: '' } })
  assert.deepEqual([box.refused, store.entries], [[], []])
})
