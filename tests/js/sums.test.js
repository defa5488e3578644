import assert from 'node:assert/strict'
import { test } from 'node:test'

import { seqAt } from '../../static/js/console/moment.js'
import { addressIn } from '../../static/js/console/prefs.js'
import { Sums } from '../../static/js/console/sums.js'
import { randomLog } from './log.js'
import { randomOf } from './random.js'

test('sums find the page of every row', () => {
  const random = randomOf(4)
  const sums = new Sums()
  sums.growTo(40)
  sums.guess = 7
  const rows = Array.from({ length: 40 }, () => 7)
  for (let n = 0; n < 200; n++) {
    const page = random(sums.length)
    rows[page] = random(3) ? random(30) : 0
    sums.set(page, rows[page])
    if (n === 100) {
      sums.growTo(55)
      rows.push(...Array.from({ length: 15 }, () => 7))
    }
  }
  assert.equal(
    sums.total,
    rows.reduce((sum, one) => sum + one, 0),
  )
  let row = 0
  for (const [page, count] of rows.entries()) {
    assert.equal(sums.before(page), row)
    for (let within = 0; within < count; within++, row++) assert.deepEqual(sums.find(row), { page, within })
  }
})

test('a moment is found among many with few questions', async () => {
  const server = randomLog(2, 1000)
  let questions = 0
  const read = async (seq) => {
    questions += 1
    return seq > server.floor ? server.events[seq - 1] : undefined
  }
  const at = Date.parse(server.events[612].timestamp)
  assert.equal(await seqAt({ floor: 0, head: 1000 }, at, read), 613)
  assert.equal(await seqAt({ floor: 0, head: 1000 }, at - 1, read), 613)
  assert.ok(questions < 25)
  server.floor = 800
  assert.equal(await seqAt({ floor: 0, head: 1000 }, at, read), 801)
})

test('an address in a link is two numbers, or nothing', () => {
  assert.deepEqual(addressIn('#L12.3'), { seq: 12, n: 3 })
  for (const hash of ['', '#L', '#L12', '#Lx.1', '#L1.2.3', '#main']) assert.equal(addressIn(hash), null)
})
