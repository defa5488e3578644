import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'

import { timeInWords } from '../../static/js/clock.js'
import { Standstill } from '../../static/js/elements/standstill.js'
import { Reloads } from '../../static/js/reloads.js'
import { until } from './server.js'

const timers = globalThis.setTimeout

beforeEach(() => {
  // The same waits, a hundred times quicker.
  globalThis.setTimeout = (step, ms, ...rest) => timers(step, ms > 50 ? ms / 100 : ms, ...rest)
})

afterEach(() => {
  globalThis.setTimeout = timers
})

const moment = () => new Promise((resolve) => timers(resolve, 60))

function page(...states) {
  const told = []
  const standstill = new Standstill((said) => told.push(said), 'It goes on by itself.')
  for (const state of states) standstill.connection(state)
  return { standstill, told, last: () => told.at(-1) ?? null }
}

test('a page that is cut off says since when, and that one may try', async () => {
  const { last } = page('connecting', 'live', 'reconnecting', 'offline')
  assert.equal(last(), null)
  await until(() => last())
  assert.match(last().words, /^Not connected: as it was at .+\.$/)
  assert.equal(last().more, 'It goes on by itself.')
  assert.equal(last().way, 'retry')
})

test('a page is true as of when something was heard last, not of when the cut was noticed', async (t) => {
  const evening = Date.parse('2026-11-20T22:00:00Z')
  const said = (at) => timeInWords(new Date(at))
  t.mock.timers.enable({ apis: ['Date'], now: evening })
  const { standstill, last } = page('connecting')
  standstill.connection('live', 100)
  for (const minutes of [5, 9]) {
    t.mock.timers.setTime(evening + minutes * 60_000)
    standstill.connection('live', 200)
  }
  t.mock.timers.setTime(evening + 8 * 3_600_000)
  standstill.connection('reconnecting', 200)
  await until(() => last())
  assert.ok(last().words.includes(said(evening + 5 * 60_000)), last().words)
  standstill.connection('live', 300)
  t.mock.timers.setTime(evening + 9 * 3_600_000)
  standstill.heard()
  t.mock.timers.setTime(evening + 10 * 3_600_000)
  standstill.connection('reconnecting', 900)
  await until(() => last())
  assert.ok(last().words.includes(said(evening + 9 * 3_600_000)), last().words)
})

test('a cut that heals at once is nobody’s business, and one that heals later is over', async () => {
  const { standstill, told, last } = page('live', 'reconnecting', 'polling')
  await moment()
  assert.deepEqual(new Set(told), new Set([null]))
  standstill.connection('reconnecting')
  await until(() => last())
  standstill.connection('live')
  assert.equal(last(), null)
})

test('a page that was never live, or is away, is as it was written', async () => {
  const { standstill, last } = page('idle', 'connecting')
  await moment()
  assert.equal(last(), null)
  standstill.connection('live')
  standstill.connection('idle')
  await moment()
  assert.equal(last(), null)
  standstill.connection('connecting')
  await until(() => last(), 'it came back and does not come alive')
})

test('what has stopped for good has to be loaded again', async () => {
  const { last } = page('live', 'stopped')
  await until(() => last())
  assert.match(last().words, /^Not connected any more/)
  assert.equal(last().way, 'reload')
})

test('a connection that is live does not hide that a part may not be seen any more, or is out of date', () => {
  const { standstill, last } = page('live')
  standstill.shutOut()
  standstill.connection('live')
  assert.match(last().words, /not see all of this any more/)
  standstill.lost()
  standstill.connection('live')
  assert.match(last().words, /out of date/)
  assert.equal(last().way, 'reload')
})

function reloads() {
  const kept = new Map()
  return new Reloads({ getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) })
}

test('a page is loaded again at once, and then ever more seldom, for as long as it has to', () => {
  const tab = reloads()
  const waits = []
  let now = 1_800_000_000_000
  for (let n = 0; n < 9; n++) {
    waits.push(tab.wait(now) / 1000)
    now += tab.wait(now)
    tab.note(now)
  }
  assert.deepEqual(waits, [0, 10, 20, 40, 80, 160, 300, 300, 300])
  assert.equal(tab.wait(now + 3_600_000), 0)
  tab.note(now + 3_600_000)
  assert.equal(tab.wait(now + 3_600_000), 10_000)
})

test('a clock that was set back does not hold a page back for ever', () => {
  const tab = reloads()
  tab.note(1_800_000_000_000)
  assert.equal(tab.wait(1_700_000_000_000), 10_000)
})
