import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'

import { readPlace, readPrefs, writePlace, writePrefs } from '../../static/js/console/prefs.js'
import { tellNews } from '../../static/js/elements/news.js'
import { forget, recall, remember, storageOf } from '../../static/js/memory.js'
import { Feed } from '../../static/js/realtime/feed.js'
import { Reloads } from '../../static/js/reloads.js'
import { OpenRuns } from '../../static/js/runs/open-runs.js'

const NAMES = { local: 'localStorage', session: 'sessionStorage' }
let kept

const refuse = (name) => () => {
  throw new DOMException('no', name)
}

beforeEach(() => {
  kept = { local: new Map(), session: new Map() }
  for (const [kind, name] of Object.entries(NAMES)) {
    const [here, storage] = [kept[kind], storageOf(kind)]
    const value = {
      getItem: (key) => here.get(key) ?? null,
      setItem: (key, text) => void here.set(key, text),
      removeItem: (key) => void here.delete(key),
    }
    Object.defineProperty(globalThis, name, { value, configurable: true })
    for (const key of ['a', 'reloads', 'told system', 'open-runs 3']) storage.removeItem(key)
  }
})

/** A browser in which nothing more can be kept. */
const storages = {
  full() {
    for (const name of Object.values(NAMES)) globalThis[name].setItem = refuse('QuotaExceededError')
  },
  forbidden() {
    for (const name of Object.values(NAMES))
      Object.defineProperty(globalThis, name, { get: refuse('SecurityError'), configurable: true })
  },
}

test('what is remembered is where the browser keeps it, until it is forgotten', () => {
  remember('a', { n: 1 })
  assert.deepEqual([...kept.local], [['a', '{"n":1}']])
  assert.deepEqual(recall('a'), { n: 1 })
  forget('a')
  assert.deepEqual([recall('a'), kept.local.size], [null, 0])
})

for (const [how, become] of Object.entries(storages)) {
  test(`where the storage is ${how}, the page itself remembers`, () => {
    become()
    for (const kind of Object.keys(NAMES)) {
      const storage = storageOf(kind)
      assert.equal(storage.setItem('a', '1'), false)
      assert.equal(storage.getItem('a'), '1')
      storage.removeItem('a')
      assert.equal(storage.getItem('a'), null)
    }
  })

  test(`where the storage is ${how}, news are told, each once`, () => {
    become()
    const feed = new Feed('system', { epoch: 'e', seq: 0 })
    const toasts = []
    for (let page = 0; page < 2; page++) tellNews({ follow: () => feed }, ['system'], (toast) => toasts.push(toast))
    feed.accept({ type: 'system', topic: 'system', seq: 1, timestamp: '', data: { level: 'info', message: 'Hello' } })
    assert.equal(toasts.length, 1)
  })

  test(`where the storage is ${how}, a page is loaded again, but not again and again`, () => {
    const reloads = new Reloads(storageOf('session'))
    assert.equal(reloads.note(1_800_000_000_000), 0)
    storageOf('session').removeItem('reloads')
    become()
    assert.equal(reloads.wait(1_800_000_000_000), 0)
    assert.equal(reloads.note(1_800_000_000_000), 10_000)
  })

  test(`where the storage is ${how}, runs are open and logs stand as one likes them`, () => {
    become()
    const runs = new OpenRuns(storageOf('local'), '3')
    runs.open({ id: 'a', name: 'a', status: 'running', startedAt: '' })
    assert.deepEqual(
      runs.all.map(({ id }) => id),
      ['a'],
    )
    writePrefs({ ...readPrefs(), wrap: false })
    writePlace('run.1', { seq: 4, n: 0 })
    assert.deepEqual([readPrefs().wrap, readPlace('run.1').seq], [false, 4])
  })
}

test('what the browser takes again is kept again', () => {
  const { setItem } = globalThis.localStorage
  storages.full()
  remember('a', 1)
  globalThis.localStorage.setItem = setItem
  remember('a', 2)
  kept.local.set('a', '3')
  assert.equal(recall('a'), 3)
})
