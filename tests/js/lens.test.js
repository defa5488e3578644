import assert from 'node:assert/strict'
import { test } from 'node:test'

import { isHitHidden, reveal } from '../../static/js/console/hidden.js'
import { Lens } from '../../static/js/console/lens.js'
import { Query } from '../../static/js/console/query.js'
import { Search } from '../../static/js/console/search.js'
import { plainly, randomLog, read, Server, tapeOf } from './log.js'

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
