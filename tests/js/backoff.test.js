import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Backoff } from '../../static/js/realtime/backoff.js'
import { Pace } from '../../static/js/realtime/pace.js'

test('the first waits are 1.0, 1.5 and 2.25 seconds', () => {
  const backoff = new Backoff({ random: () => 0.5 })
  assert.deepEqual([backoff.next(), backoff.next(), backoff.next()], [1000, 1500, 2250])
})

test('later waits are spread from nothing to half a minute', () => {
  const ceilings = Array.from({ length: 12 }, () => 0)
  const backoff = new Backoff({ random: () => 1 })
  const waits = ceilings.map(() => backoff.next())
  assert.ok(waits.slice(3).every((wait) => wait <= 30_000))
  assert.equal(waits.at(-1), 30_000)
  const eager = new Backoff({ random: () => 0 })
  for (let n = 0; n < 3; n++) eager.next()
  assert.equal(eager.next(), 0)
})

test('three failures in a row use the tries up, and success gives them back', () => {
  const backoff = new Backoff()
  for (let n = 0; n < 3; n++) backoff.failed()
  assert.ok(backoff.triesUsedUp())
  backoff.reset()
  assert.equal(backoff.triesUsedUp(), false)
})

test('polling slows down from one second to thirty, and news makes it quick again', () => {
  const pace = new Pace(0)
  assert.equal(pace.next(0), 1000)
  for (let n = 0; n < 10; n++) pace.next(0)
  assert.equal(pace.next(0), 5000)
  assert.equal(pace.next(70_000), 15_000)
  assert.equal(pace.next(400_000), 30_000)
  pace.news(400_000)
  assert.equal(pace.next(400_000), 1000)
})
