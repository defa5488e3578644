import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'

import { IndexedStore } from '../../static/js/realtime/store.js'

const WRITTEN = { id: 'a', type: 'message', topic: 'chat.1', data: {}, keep: true }
/** Every connection that was opened, the newest last. */
let opened
let isOutOfOrder
let store

/** A request that is answered in a moment. */
function answer(work) {
  const request = {}
  setImmediate(() => {
    try {
      request.result = work()
      request.onsuccess?.()
    } catch (error) {
      request.error = error
      request.onerror?.()
    }
  })
  return request
}

class Connection {
  isOpen = true

  transaction() {
    if (!this.isOpen) throw new DOMException('closed', 'InvalidStateError')
    return { objectStore: () => ({ getAll: () => answer(() => [{ ...WRITTEN, n: 1 }]) }) }
  }

  close() {
    this.isOpen = false
  }
}

beforeEach(() => {
  opened = []
  isOutOfOrder = false
  store = new IndexedStore('3')
  globalThis.indexedDB = {
    open: () =>
      answer(() => {
        if (isOutOfOrder) throw new DOMException('no', 'UnknownError')
        opened.push(new Connection())
        return opened.at(-1)
      }),
  }
})

test('it is opened once, and again after the page was away', async () => {
  assert.deepEqual([await store.all(), await store.all()], [[WRITTEN], [WRITTEN]])
  assert.equal(opened.length, 1)
  await store.close()
  assert.deepEqual([await store.all(), opened.length], [[WRITTEN], 2])
})

test('what could not be opened once is tried again', async () => {
  isOutOfOrder = true
  await assert.rejects(store.all(), { name: 'UnknownError' })
  isOutOfOrder = false
  assert.deepEqual(await store.all(), [WRITTEN])
})

test('what the browser has closed is opened again', async () => {
  await store.all()
  opened[0].close()
  opened[0].onclose?.()
  assert.deepEqual(await store.all(), [WRITTEN])
})

test('it does not stand in the way of a newer page, nor of whoever deletes what is kept', async () => {
  await store.all()
  opened[0].onversionchange?.()
  assert.equal(opened[0].isOpen, false)
  assert.deepEqual(await store.all(), [WRITTEN])
})
