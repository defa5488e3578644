import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Intake } from '../../static/js/console/intake.js'
import { Lens } from '../../static/js/console/lens.js'
import { Query } from '../../static/js/console/query.js'
import { read, Server, tapeOf } from './log.js'

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
    intake.seen()
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

test('what is new is told for whatever filter one sets', () => {
  const server = new Server()
  const lens = new Lens()
  const intake = new Intake(tapeOf(server, lens), lens)
  for (let n = 0; n < 6; n++) intake.take(server.print('abb'[n % 3], `${n}\n`))
  assert.equal(intake.lines, 6)
  lens.set({ source: 'b' })
  assert.equal(intake.lines, 4)
  lens.set({ source: '' })
  lens.fold('b')
  assert.equal(intake.lines, 2)
  intake.seen()
  assert.equal(intake.lines, 0)
})
