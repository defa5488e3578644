import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Fetcher } from '../../static/js/console/fetcher.js'
import { Lens } from '../../static/js/console/lens.js'
import { Query } from '../../static/js/console/query.js'
import { Search } from '../../static/js/console/search.js'
import { Tape } from '../../static/js/console/tape.js'
import { plainly, randomLog, read, Server, tapeOf } from './log.js'
import { randomOf } from './random.js'

test('however it was cut, and in whatever order its pages came, a log is the same', async () => {
  for (let seed = 1; seed <= 25; seed++) {
    const random = randomOf(seed * 7)
    const server = randomLog(seed, 150 + random(500))
    const tape = tapeOf(server)
    for (let n = 0; n < 6; n++) await tape.load(random(tape.length))
    assert.deepEqual(await read(tape), plainly(server.events), `seed ${seed}`)
    assert.equal(tape.rows, plainly(server.events).length)
  }
})

test('large events come in several answers, and a page has them all', async () => {
  const server = randomLog(3, 430)
  const { before } = server
  server.before = (seq, limit) => before(Math.min(seq, 431), Math.min(limit, 30))
  const tape = tapeOf(server)
  await tape.load(2)
  assert.equal(tape.page(2).pieces.length, 100)
  assert.equal(server.requests, 4)
  assert.deepEqual(await read(tape), plainly(server.events))
})

test('what comes live joins what was fetched', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const server = randomLog(seed, 430)
    const random = randomOf(seed)
    const tape = new Tape({ lens: new Lens(), readBefore: server.before, changed: () => {} })
    const head = 100 + random(200)
    tape.begin({ head, floor: 0 })
    if (random(2)) await tape.load(tape.length - 1)
    for (let at = head; at < server.events.length; ) {
      const count = 1 + random(60)
      tape.push(server.events.slice(at, at + count))
      at += count
    }
    assert.deepEqual(await read(tape), plainly(server.events), `seed ${seed}`)
  }
})

test('another log in its place has lines of its own, whatever was remembered of those before', async () => {
  const lens = new Lens()
  const tape = tapeOf(new Server(), lens)
  for (const sign of ['a', 'b']) {
    const server = new Server()
    server.print('step', `${sign.repeat(3000)}\n`)
    tape.begin({ head: 0, floor: 0 })
    tape.push(server.events)
    assert.equal(tape.lines.line(0, 0).text, sign.repeat(2000))
    lens.reveal({ seq: 1, n: 0 })
    tape.renew(0)
    assert.equal(tape.lines.line(0, 0).text, sign.repeat(3000))
  }
})

test('a line has one address, whether what is before it is at hand or not', async () => {
  const server = randomLog(3, 400)
  const near = tapeOf(server)
  await near.load(2)
  const far = tapeOf(server)
  await read(far)
  const line = near.page(2).length - 5
  const address = near.page(2).addressOf(line)
  const again = far.page(2).find(address.seq, address.n)
  assert.deepEqual(far.page(2).addressOf(again), address)
  assert.ok(far.lines.line(2, again).text.startsWith(near.lines.line(2, line).text))
})

test('memory is bounded: pages far away are put away, and come again', async () => {
  const server = new Server()
  for (let n = 0; n < 3000; n++) server.print('a', `${'x'.repeat(16_000)}\n`)
  const tape = tapeOf(server)
  for (let index = 0; index < tape.length; index++) {
    tape.near = index
    await tape.load(index)
  }
  assert.ok(tape.cost <= 18_000_000, String(tape.cost))
  assert.equal(tape.page(0), undefined)
  assert.equal(tape.rows, 3000)
  await tape.load(0)
  assert.ok(tape.page(0))
})

test('what is removed under an open console is empty, and asked for no more', async () => {
  const server = new Server()
  for (let n = 1; n <= 1000; n++) server.print('a', `${n}\n`)
  const lens = new Lens()
  const tape = tapeOf(server, lens)
  await tape.load(9)
  server.floor = 350
  const failures = []
  const fetcher = new Fetcher({
    tape,
    lens,
    wanted: () => [0, 1, 2, 3].filter((index) => !tape.isWhole(index)),
    came: () => {},
    failed: (error) => failures.push(error),
  })
  const before = server.requests
  await fetcher.fetch()
  assert.ok(server.requests - before <= 2, String(server.requests - before))
  assert.deepEqual(failures, [])
  assert.deepEqual((await read(tape)).slice(0, 2), ['351', '352'])
  assert.equal(tape.rows, 650)

  lens.set({ query: new Query('35') })
  tape.lookAgain()
  const search = new Search({ tape, lens, changed: () => {} })
  await search.start()
  assert.equal(search.count, 15)
  assert.equal(tape.unknownFrom(), -1)
  server.floor = 400
  tape.raise(400)
  assert.equal(tape.rows, 650, 'what is at hand stays')
  tape.push([server.print('a', '1001\n')])
  assert.equal(tape.rows, 651)
})

test('what a server does not give is not asked for again at once', async () => {
  const lens = new Lens()
  const empty = async () => ({ head: 500, floor: 0, events: [] })
  const tape = new Tape({ lens, readBefore: empty, changed: () => {} })
  tape.begin({ head: 500, floor: 0 })
  const failures = []
  const fetcher = new Fetcher({
    tape,
    lens,
    wanted: () => [2],
    came: () => {},
    failed: (error) => failures.push(error.message),
  })
  await fetcher.fetch()
  assert.deepEqual(failures, ['A part of the log did not come.'])
})

test('another log in the place of one begins with nothing of it', async () => {
  const first = randomLog(1, 500)
  const tape = tapeOf(first)
  await read(tape)
  const second = randomLog(2, 230)
  first.events = second.events
  tape.begin({ head: 230, floor: 0 })
  assert.equal(tape.length, 3)
  assert.deepEqual(await read(tape), plainly(second.events))
})

test('pages are fetched once, several with one request', async () => {
  const server = new Server()
  for (let n = 0; n < 1000; n++) server.print('a', 'short\n')
  const tape = tapeOf(server)
  await Promise.all([tape.load(3), tape.load(3), tape.loadAll(2, 4)])
  const before = server.requests
  await tape.loadAll(0, 9)
  assert.ok(server.requests - before <= 4)
})
