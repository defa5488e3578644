import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Export } from '../../static/js/console/export.js'
import { Fetcher } from '../../static/js/console/fetcher.js'
import { isHitHidden, reveal } from '../../static/js/console/hidden.js'
import { Intake } from '../../static/js/console/intake.js'
import { Lens } from '../../static/js/console/lens.js'
import { seqAt } from '../../static/js/console/moment.js'
import { addressIn } from '../../static/js/console/prefs.js'
import { problemWith, Query } from '../../static/js/console/query.js'
import { Search } from '../../static/js/console/search.js'
import { Sums } from '../../static/js/console/sums.js'
import { Tape } from '../../static/js/console/tape.js'

/** A log on a server: what was printed, as (step, text), from seq 1 on. */
class Server {
  events = []
  /** Up to here the log was removed. */
  floor = 0
  requests = 0
  #offsets = new Map()

  print(step, text, { again = false, level = 'info' } = {}) {
    const offset = again ? 0 : (this.#offsets.get(step) ?? 0)
    this.#offsets.set(step, offset + text.length)
    const seq = this.events.length + 1
    const timestamp = new Date(1_000_000 + seq * 1000).toISOString()
    const data = { stage: 'all', step, agent: `box-${step}`, level, text, offset }
    const event = { type: 'workflow_log', topic: 'run.1', seq, timestamp, data }
    this.events.push(event)
    return event
  }

  before = async (before, limit) => {
    this.requests += 1
    const events = this.events.slice(Math.max(this.floor, before - 1 - limit), Math.max(this.floor, before - 1))
    return { head: this.events.length, floor: this.floor, events }
  }

  after = async (after) => {
    const { floor, events } = this
    const reset = after < floor
    return { head: events.length, floor, reset, events: reset ? [] : events.slice(after, after + 37) }
  }
}

function tapeOf(server, lens = new Lens()) {
  const tape = new Tape({ lens, readBefore: server.before, changed: () => {} })
  tape.begin({ head: server.events.length, floor: 0 })
  return tape
}

/** All rows as text, fetching what is missing. */
async function read(tape) {
  await tape.loadAll(0, tape.length - 1)
  const texts = []
  for (let index = 0; index < tape.length; index++) {
    const sight = tape.sight(index)
    for (let row = 0; row < (sight?.rows ?? 0); row++) texts.push(tape.lines.line(index, sight.lineAt(row).line).text)
  }
  return texts
}

/** The same by the plainest means: each line where its first character was printed. */
function plainly(events) {
  const lines = []
  const open = new Map()
  for (const { data } of events) {
    if (data.offset === 0) open.delete(data.step)
    for (const part of data.text.split(/(?<=\n)/)) {
      let line = open.get(data.step)
      if (!line) {
        line = { text: '' }
        lines.push(line)
        open.set(data.step, line)
      }
      line.text += part.replace('\n', '')
      if (part.endsWith('\n')) open.delete(data.step)
    }
  }
  return lines.map(({ text }) => text)
}

function randomOf(seed) {
  let state = seed
  return (below) => {
    state = (state * 1103515245 + 12345) % 2147483648
    return Math.floor((state / 2147483648) * below)
  }
}

function randomLog(seed, events) {
  const random = randomOf(seed)
  const server = new Server()
  for (let n = 0; n < events; n++) {
    const step = 'abc'[random(3)]
    let text = ''
    for (let part = random(4); part >= 0; part--) text += `${step}${n}.${part}${random(3) ? '\n' : ''}`
    server.print(step, text, { again: random(40) === 0 })
  }
  return server
}

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

test('after a pause that was too long, what came is fetched', async () => {
  const server = new Server()
  server.print('a', 'first\n')
  const tape = tapeOf(server)
  await tape.load(0)
  const intake = new Intake(tape, new Lens())
  intake.isPaused = true
  for (let n = 0; n < 5000; n++) intake.take(server.print('a', `line ${n}\n`))
  assert.equal(intake.lines, 5000)
  intake.pour()
  assert.equal(tape.head, 1)
  intake.isPaused = false
  intake.pour()
  assert.equal((await read(tape)).length, 5001)
})

test('new are the lines that begin and are seen, however they were cut', () => {
  const server = new Server()
  const lens = new Lens()
  const intake = new Intake(tapeOf(server, lens), lens)
  const news = (...printed) => {
    intake.lines = 0
    for (const [step, text, how] of printed) intake.take(server.print(step, text, how))
    return intake.lines
  }
  assert.equal(news(...[...'one line, letter by letter...\n'].map((letter) => ['a', letter])), 1)
  assert.equal(news(['a', '1\n2\n\n4\n5']), 5)
  assert.equal(news(['b', '10 %'], ['a', '-\n'], ['b', '\r20 %'], ['b', '\r30 %']), 1)
  assert.equal(news(['b', '\n'], ['b', '']), 0)
  assert.equal(news(['c', 'open'], ['c', 'once more', { again: true }]), 2)

  lens.set({ source: 'a' })
  assert.equal(news(['a', '1\n'], ['b', '2\n'], ['c', 'and 3\n']), 1)
  lens.fold('a')
  assert.equal(news(['a', '1\n']), 0)
  lens.set({ source: '', folded: new Set(), query: new Query('x'), onlyHits: true })
  assert.equal(news(['a', '1\n'], ['b', 'x\n']), 0, 'only the log knows which lines are hits')
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

test('a search finds every hit, and knows which of how many one is', async () => {
  const server = randomLog(11, 950)
  const wanted = plainly(server.events).filter((text) => /b\d*7\./.test(text)).length
  const lens = new Lens()
  const tape = tapeOf(server, lens)
  const search = new Search({ tape, lens, changed: () => {} })
  lens.set({ query: new Query('/b\\d*7\\./') })
  tape.lookAgain()
  await search.start()
  assert.equal(search.count, wanted)
  let at = { seq: 0, n: 0 }
  for (let n = 1; n <= wanted; n++) {
    at = await search.next(at, 1)
    assert.equal(search.placeOf(at), n)
  }
  assert.equal(search.placeOf(await search.next(at, 1)), 1)
  assert.equal(search.placeOf(await search.next({ seq: 1, n: 0 }, -1)), wanted)
})

test('only hits: rows are the lines that match, and nothing else', async () => {
  const server = randomLog(5, 600)
  const lens = new Lens()
  const tape = tapeOf(server, lens)
  const search = new Search({ tape, lens, changed: () => {} })
  lens.set({ query: new Query('A1'), onlyHits: true, source: 'a' })
  tape.lookAgain()
  await search.start()
  const wanted = plainly(server.events).filter((text) => text.includes('a1'))
  assert.equal(tape.rows, wanted.length)
  assert.deepEqual(await read(tape), wanted)
})

test('of a line that is written over and over, the last is shown, and nothing is hidden', async () => {
  const server = new Server()
  const bar = (percent) => `\r\x1b[36m${'#'.repeat(90)}\x1b[0m ${String(percent).padStart(3)} %`
  for (let n = 0; n <= 4000; n++) server.print('a', bar(Math.floor(n / 40)))
  server.print('b', `${'x'.repeat(300_000)}\r\n`)
  const tape = tapeOf(server)
  await tape.loadAll(0, tape.length - 1)
  const { text, hidden } = tape.lines.line(0, 0)
  assert.equal(text, `${'#'.repeat(90)} 100 %`)
  assert.equal(hidden, 0)
  assert.equal(tape.lines.line(40, 0).hidden, 298_000)
})

test('a hit that lies in what is not shown of a line is a hit, and can be seen', async () => {
  const server = new Server()
  for (let n = 0; n < 250; n++) server.print('b', 'hay\n')
  for (const length of [3_000, 600_000]) {
    server.print('a', `{"log": "${'x'.repeat(length / 2)}`)
    server.print('a', `${'y'.repeat(length / 2)}", "why": "OutOfMemory"}\n`)
  }
  const lens = new Lens()
  const tape = tapeOf(server, lens)
  const search = new Search({ tape, lens, changed: () => {} })
  lens.set({ query: new Query('outofmemory') })
  tape.lookAgain()
  await search.start()
  assert.equal(search.count, 2)
  for (const seq of [251, 253]) {
    const hit = { seq, n: 0 }
    const shown = () => tape.lines.line(2, tape.page(2).find(seq, 0)).text
    assert.ok(isHitHidden(tape, lens, hit))
    assert.doesNotMatch(shown(), /OutOfMemory/)
    reveal(tape, lens, hit)
    assert.ok(!isHitHidden(tape, lens, hit))
    assert.match(shown(), /OutOfMemory/)
    assert.equal(search.count, 2)
  }
})

test('a folded step leaves its first line', async () => {
  const server = new Server()
  server.print('a', 'a1\na2\n')
  server.print('b', 'b1\n')
  server.print('a', 'a3\n')
  const lens = new Lens()
  const tape = tapeOf(server, lens)
  lens.fold('a')
  tape.lookAgain()
  assert.deepEqual(await read(tape), ['a1', 'b1'])
})

test('wrapped, a line takes the rows that it needs, and rows lead back to lines', async () => {
  const server = new Server()
  server.print('a', `${'x'.repeat(25)}\n\n${'y'.repeat(10)}\n`)
  const lens = new Lens()
  lens.set({ columns: 10 })
  const tape = tapeOf(server, lens)
  await tape.load(0)
  const sight = tape.sight(0)
  assert.equal(sight.rows, 5)
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((row) => sight.lineAt(row)),
    [
      { line: 0, part: 0 },
      { line: 0, part: 1 },
      { line: 0, part: 2 },
      { line: 1, part: 0 },
      { line: 2, part: 0 },
    ],
  )
  assert.equal(sight.rowOf(2), 4)
})

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

test('words are looked for as they are, a regular expression between slashes', () => {
  assert.ok(new Query('A.b').isIn('xa.B'))
  assert.ok(!new Query('a.b').isIn('axb'))
  assert.ok(new Query('/a.b/').isIn('AXB'))
  assert.ok(new Query('/').isIn('a/b'))
  assert.ok(new Query('/usr/').isIn('in usr'))
  assert.deepEqual(new Query('ab').placesIn('ab AB'), [
    [0, 2],
    [3, 5],
  ])
  const query = new Query('ab')
  assert.ok(query.isIn('-- ab'))
  assert.equal(query.placesIn('ab ab').length, 2)
  let words = ''
  try {
    new Query('/(/')
  } catch (error) {
    words = problemWith(error)
  }
  assert.match(words, /^This is not a regular expression: .+\.$/)
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

test('a saved log has every line once, in the order in which they began', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const server = randomLog(seed, 300)
    const options = { readAfter: server.after, progress: () => {}, signal: new AbortController().signal }
    const facts = JSON.parse(await (await new Export('json').run(options)).text())
    assert.deepEqual(
      facts.map(({ text }) => text),
      plainly(server.events),
    )
    const text = await (await new Export('txt').run(options)).text()
    assert.equal(text.trimEnd().split('\n').length, facts.length)
  }
})

test('a cell that looks like a formula is none', async () => {
  const server = new Server()
  server.print('a', '=HYPERLINK("https://evil.test")\nplain, "quoted"\n')
  const options = { readAfter: server.after, progress: () => {}, signal: new AbortController().signal }
  const rows = (await (await new Export('csv').run(options)).text()).split('\r\n')
  assert.ok(rows[1].endsWith(`"'=HYPERLINK(""https://evil.test"")"`))
  assert.ok(rows[2].endsWith('"plain, ""quoted"""'))
})

test('a saved log says where lines were removed, before it was read or while it was', async () => {
  const server = new Server()
  for (let n = 1; n <= 250; n++) server.print('a', `${n}\n`)
  server.print('a', 'cut')
  server.floor = 100
  const progress = (share) => {
    if (share > 0.3) server.floor = 240
  }
  const options = { readAfter: server.after, progress, signal: new AbortController().signal }
  const facts = JSON.parse(await (await new Export('json').run(options)).text())
  const removed = 'Earlier lines were removed.'
  const lines = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => String(from + n))
  assert.deepEqual(
    facts.map(({ text }) => text),
    [removed, ...lines(101, 174), removed, ...lines(241, 250), 'cut'],
  )
  assert.deepEqual([facts[0].event, facts[0].level, facts[0].time], [100, 'system', facts[1].time])

  server.floor = 251
  assert.match(await (await new Export('txt').run(options)).text(), /^\S+ Earlier lines were removed\.\n$/)
})

test('a log that becomes another one while it is saved is no file', async () => {
  const server = randomLog(1, 100)
  let head = 100
  const readAfter = async (after) => {
    if (after) head = 5
    return head < after ? { head, floor: 0, reset: true, events: [] } : server.after(after)
  }
  const options = { readAfter, progress: () => {}, signal: new AbortController().signal }
  await assert.rejects(new Export('txt').run(options), /another one/)
})

test('a download that was stopped ends', async () => {
  const server = randomLog(1, 300)
  const stop = new AbortController()
  const options = { readAfter: server.after, progress: () => stop.abort(), signal: stop.signal }
  await assert.rejects(new Export('txt').run(options), { name: 'AbortError' })
})
