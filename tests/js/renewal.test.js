import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'

import { Renewal } from '../../static/js/renewal.js'
import { until } from './server.js'

const timers = globalThis.setTimeout

beforeEach(() => {
  // The same waits, a hundred times quicker.
  globalThis.setTimeout = (step, ms, ...rest) => timers(step, ms > 50 ? ms / 100 : ms, ...rest)
})

afterEach(() => {
  globalThis.setTimeout = timers
})

/** Questions that a test answers: `asked[0].resolve()`. */
function questions() {
  const asked = []
  const ask = () => {
    asked.push(Promise.withResolvers())
    return asked.at(-1).promise
  }
  return { asked, ask }
}

test('a storm of events is one question at a time, and the last answer is younger than all of them', async () => {
  const { asked, ask } = questions()
  const renewal = new Renewal(ask)
  for (let n = 0; n < 10; n++) renewal.renew()
  await until(() => asked.length === 1)
  for (let n = 0; n < 10; n++) renewal.renew()
  await new Promise((resolve) => timers(resolve, 30))
  assert.equal(asked.length, 1)

  asked[0].resolve()
  await until(() => asked.length === 2)
  asked[1].resolve()
  await new Promise((resolve) => timers(resolve, 30))
  assert.equal(asked.length, 2)
})

test('what failed is asked again until there is an answer, though nothing happens any more', async () => {
  const { asked, ask } = questions()
  new Renewal(ask).renew()
  for (let n = 0; n < 3; n++) {
    await until(() => asked.length === n + 1)
    asked[n].reject(new Error('away'))
  }
  await until(() => asked.length === 4)
  asked[3].resolve()
  await new Promise((resolve) => timers(resolve, 30))
  assert.equal(asked.length, 4)
})

test('a fault in what follows an answer is reported, and is no failure of the question', async () => {
  const { asked, ask } = questions()
  const reported = []
  globalThis.reportError = (error) => reported.push(error.message)
  const answered = () => {
    throw new Error('no such row')
  }
  new Renewal(ask, { answered }).renew()
  await until(() => asked.length === 1)
  asked[0].resolve()
  await new Promise((resolve) => timers(resolve, 30))
  assert.deepEqual(reported, ['no such row'])
  assert.equal(asked.length, 1)
})

test('what grows old by itself is asked again and again', async () => {
  const { asked, ask } = questions()
  new Renewal(ask, { every: 4000 })
  await until(() => asked.length === 1)
  asked[0].resolve()
  await until(() => asked.length === 2)
})

test('nobody asks while nobody looks', async () => {
  const { asked, ask } = questions()
  let isWanted = false
  const renewal = new Renewal(ask, { isWanted: () => isWanted })
  renewal.renew()
  await new Promise((resolve) => timers(resolve, 30))
  assert.equal(asked.length, 0)
  isWanted = true
  renewal.look()
  await until(() => asked.length === 1)
})
