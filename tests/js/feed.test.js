import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Feed } from '../../static/js/realtime/feed.js'

const event = (seq) => ({ type: 'message', topic: 'chat.1', seq, timestamp: '', data: {} })

function listening(cursor) {
  const feed = new Feed('chat.1', cursor)
  const heard = []
  feed.on('message', ({ seq }) => heard.push(seq))
  return { feed, heard }
}

test('it applies events in order, each once', () => {
  const { feed, heard } = listening({ epoch: 'e', seq: 2 })
  for (const seq of [1, 2, 3, 3, 4, 2]) assert.ok(feed.accept(event(seq)))
  assert.deepEqual(heard, [3, 4])
  assert.equal(feed.duplicates, 4)
})

test('it refuses what comes after a gap and says how far it is behind', () => {
  const { feed, heard } = listening({ epoch: 'e', seq: 2 })
  assert.equal(feed.accept(event(5)), false)
  assert.ok(feed.isBehind())
  for (const seq of [3, 4, 5]) feed.accept(event(seq))
  assert.deepEqual(heard, [3, 4, 5])
  assert.equal(feed.isBehind(), false)
})

test('without a cursor it starts at the head', () => {
  const { feed, heard } = listening({ epoch: null, seq: null })
  feed.subscribed({ epoch: 'e', head: 7 })
  assert.ok(feed.accept(event(8)))
  assert.deepEqual(heard, [8])
})

test('it counts what was replayed and what nobody can give back', () => {
  const { feed } = listening({ epoch: 'e', seq: 2 })
  feed.subscribed({ epoch: 'e', head: 4 })
  for (const seq of [3, 4]) feed.accept(event(seq))
  assert.ok(feed.isReplay(event(4)))
  assert.equal(feed.replayed, 0, 'what was there before is no replay')

  feed.subscribed({ epoch: 'e', head: 6 })
  for (const seq of [5, 6, 7]) feed.accept(event(seq))
  assert.equal(feed.replayed, 2)

  feed.reset({ epoch: 'e', head: 17 })
  assert.equal(feed.lost, 10)
  assert.equal(feed.seq, 17)
})

test('of a topic that began anew nobody can know what was lost', () => {
  const { feed } = listening({ epoch: 'e', seq: 2 })
  feed.reset({ epoch: 'of a backup', head: 1 })
  feed.reset({ epoch: 'of a backup', head: 3 })
  assert.ok(Number.isNaN(feed.lost))
})

test('what happens after a topic began anew is no replay, however long it was before', () => {
  const { feed } = listening({ epoch: 'e', seq: 2 })
  feed.subscribed({ epoch: 'e', head: 6 })
  feed.reset({ epoch: 'of a backup', head: 3 })
  assert.equal(feed.isReplay(event(4)), false)
})

test('a broken listener does not cost the others their event', (context) => {
  const { feed, heard } = listening({ epoch: 'e', seq: 0 })
  const reported = context.mock.fn()
  globalThis.reportError = reported
  feed.on('message', () => {
    throw new Error('broken')
  })
  const later = []
  feed.on('message', ({ seq }) => later.push(seq))
  feed.accept(event(1))
  assert.deepEqual([heard, later], [[1], [1]])
  assert.equal(reported.mock.calls[0].arguments[0].message, 'broken')
})
