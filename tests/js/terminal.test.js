// A terminal's history: live, standing and playing, over a log that answers when it likes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Replay } from '../../static/js/terminal/replay.js'
import { findInBuffer } from '../../static/js/terminal/search.js'

const START = Date.parse('2026-11-20T22:00:00.000Z')
const printed = (seq, command = 'a', offset = seq - 1) => ({
  type: 'terminal:output',
  topic: 'terminal.x',
  seq,
  timestamp: new Date(START + seq * 1000).toISOString(),
  data: { command_id: command, offset, text: `${seq} ` },
})

/** A server's log, and a screen to look at. */
function stage(count, { floor = 0, command = () => 'a', delay = () => 0 } = {}) {
  const log = Array.from({ length: count }, (_, n) => printed(n + 1, command(n + 1), n))
  let text = ''
  let reads = 0
  let isCut = false
  const replay = new Replay({
    head: count,
    changed: () => {},
    screen: {
      clear: () => {
        text = ''
      },
      write: ({ data }) => {
        text += data.text
      },
    },
    read: async ({ before, after, limit }) => {
      reads += 1
      if (isCut) throw new Error('cut')
      const known = log.filter(({ seq }) => seq > floor)
      const events =
        before === undefined
          ? known.filter(({ seq }) => seq > after).slice(0, limit)
          : known.filter(({ seq }) => seq < before).slice(-limit)
      const page = { topic: 'terminal.x', epoch: 'e', head: log.length, floor, reset: false, events }
      await new Promise((resolve) => setTimeout(resolve, delay(reads)))
      return page
    },
  })
  const print = (tell = true) => {
    const event = printed(log.length + 1, command(log.length + 1), log.length)
    log.push(event)
    if (tell) replay.take(event)
  }
  const cut = () => {
    isCut = true
  }
  return { replay, print, cut, seen: () => text.trim().split(' ').filter(Boolean).map(Number), reads: () => reads }
}
const to = (last, first = 1) => Array.from({ length: last - first + 1 }, (_, n) => first + n)

test('live shows the newest, and goes on with each event', async () => {
  const { replay, print, seen } = stage(5)
  await replay.live()
  print()
  print()
  assert.deepEqual(seen(), to(7))
  assert.equal(replay.mode, 'live')
})

test('an event that a live terminal missed is fetched, and none is drawn twice', async () => {
  const { replay, print, seen } = stage(5)
  await replay.live()
  print(false)
  print(false)
  print()
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.deepEqual(seen(), to(8))
})

test('events that come while it goes to the end are not lost', async () => {
  const { replay, print, seen } = stage(5, { delay: () => 10 })
  const going = replay.live()
  print()
  print()
  await going
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.deepEqual(seen(), to(7))
})

test('while it goes to the end nothing older is drawn, and each piece is asked for once', async () => {
  const { replay, print, seen, reads } = stage(2000, { delay: (n) => (n === 1 ? 30 : 1) })
  const going = replay.live()
  print()
  await new Promise((resolve) => setTimeout(resolve, 15))
  assert.deepEqual(seen(), [])
  await going
  assert.deepEqual(seen(), to(2001, 1501))
  assert.equal(reads(), 2)
})

test('what keeps it from the end is told once, to whoever wanted to go there', async () => {
  const { replay, print, cut } = stage(5)
  cut()
  const going = replay.live()
  print()
  await assert.rejects(going, /cut/)
  // A rejection that nobody hears of ends the test here.
  await new Promise((resolve) => setTimeout(resolve))
})

test('standing at a point shows what was so then, and news only move the end', async () => {
  const { replay, print, seen } = stage(20)
  await replay.live()
  await replay.goTo(7)
  print()
  assert.deepEqual(seen(), to(7))
  assert.deepEqual([replay.seq, replay.head, replay.mode], [7, 21, 'paused'])
  await replay.live()
  assert.deepEqual(seen(), to(21))
})

test('of many places that a slider passes, the last one wins', async () => {
  const { replay, seen } = stage(50, { delay: (n) => (n % 2 ? 20 : 1) })
  await Promise.all([replay.goTo(40), replay.goTo(30), replay.goTo(10)])
  assert.deepEqual(seen(), to(10))
  assert.equal(replay.seq, 10)
})

test('playing draws the rest and ends live', async () => {
  const { replay, print, seen } = stage(12)
  await replay.goTo(4)
  const playing = replay.play(64)
  print()
  await playing
  assert.deepEqual(seen(), to(13))
  assert.equal(replay.mode, 'live')
})

test('a pause stops playing where it is', async () => {
  const { replay, seen } = stage(12)
  await replay.goTo(4)
  const playing = replay.play(16)
  await new Promise((resolve) => setTimeout(resolve, 150))
  replay.pause()
  await playing
  const { seq } = replay
  assert.ok(seq > 4 && seq < 12, `${seq}`)
  assert.deepEqual(seen(), to(seq))
})

test('one command alone is read back to its beginning', async () => {
  const { replay, seen } = stage(3000, { command: (seq) => (seq <= 1 || seq % 1000 === 0 ? 'a' : 'b') })
  replay.only = 'a'
  await replay.live()
  assert.deepEqual(seen(), [1, 1000, 2000, 3000])
})

test('below what is kept there is nothing to show', async () => {
  const { replay, seen } = stage(30, { floor: 20 })
  await replay.goTo(25)
  assert.deepEqual(seen(), to(25, 21))
  await replay.goTo(3)
  assert.equal(replay.seq, 20)
})

test('a moment is found in a few questions', async () => {
  const { replay, reads } = stage(20_000)
  assert.equal(await replay.seqAt(START + 7_777_400), 7777)
  assert.equal(await replay.seqAt(0), 0)
  assert.equal(await replay.seqAt(START + 1e12), 20_000)
  assert.ok(reads() < 60)
})

/** A terminal's lines; some characters take two columns, and some none. */
function linesOf(...texts) {
  const segments = new Intl.Segmenter()
  const cellsOf = (text) =>
    Array.from(segments.segment(text), ({ segment }) => segment).flatMap((chars) =>
      /\p{Script=Han}/u.test(chars) ? [cell(chars, 2), cell('', 0)] : [cell(chars, 1)],
    )
  const cell = (chars, width) => ({ getChars: () => chars, getWidth: () => width })
  const lines = texts.map((text) => {
    const cells = cellsOf(text)
    return { length: cells.length, translateToString: () => text, getCell: (x) => cells[x] }
  })
  return { length: lines.length, getLine: (y) => lines[y] }
}

test('words are found forwards and backwards, around the end', () => {
  const lines = linesOf('one two', 'Two two', 'three')
  const two = (x, y) => ({ x, y, width: 3 })
  assert.deepEqual(findInBuffer(lines, 'two', null), two(4, 0))
  assert.deepEqual(findInBuffer(lines, 'two', { x: 4, y: 0 }), two(0, 1))
  assert.deepEqual(findInBuffer(lines, 'two', { x: 0, y: 1 }), two(4, 1))
  assert.deepEqual(findInBuffer(lines, 'two', { x: 4, y: 1 }), two(4, 0))
  assert.deepEqual(findInBuffer(lines, 'two', { x: 4, y: 0 }, true), two(4, 1))
  assert.deepEqual(findInBuffer(lines, 'two', { x: 4, y: 1 }, true), two(0, 1))
  assert.equal(findInBuffer(lines, 'four', null), null)
})

test('what is found stands where it is seen, behind wide characters and behind accents', () => {
  const lines = linesOf('漢字 e\u0301te\u0301 two 漢 two')
  assert.deepEqual(findInBuffer(lines, 'two', null), { x: 9, y: 0, width: 3 })
  assert.deepEqual(findInBuffer(lines, 'two', { x: 9, y: 0 }), { x: 16, y: 0, width: 3 })
  assert.deepEqual(findInBuffer(lines, '字', null), { x: 2, y: 0, width: 2 })
})
