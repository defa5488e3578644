import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Export } from '../../static/js/console/export.js'
import { plainly, randomLog, Server } from './log.js'

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
  for (const then of [5, 200]) {
    const readAfter = async (after) => {
      const { events } = await server.after(after)
      if (!after) return { epoch: 'e1', head: 100, floor: 0, reset: false, events }
      return { epoch: 'e2', head: then, floor: 0, reset: false, events: after < then ? events : [] }
    }
    const options = { readAfter, progress: () => {}, signal: new AbortController().signal }
    await assert.rejects(new Export('txt').run(options), /another one/)
  }
})

test('a download that was stopped ends', async () => {
  const server = randomLog(1, 300)
  const stop = new AbortController()
  const options = { readAfter: server.after, progress: () => stop.abort(), signal: stop.signal }
  await assert.rejects(new Export('txt').run(options), { name: 'AbortError' })
})

test('of a line that is written over and over for hours, the end is saved and the rest is let go', async () => {
  const joined = []
  const { join } = Array.prototype
  Array.prototype.join = function (...how) {
    const text = join.apply(this, how)
    joined.push(text.length)
    return text
  }
  const server = new Server()
  for (let n = 0; n <= 60; n++) server.print('a', `${String(n).padStart(500_000)} %\r`)
  server.print('a', `${'x'.repeat(5_000_000)}y\r`)
  server.print('a', 'done\x1b[K\n')
  const options = { readAfter: server.after, progress: () => {}, signal: new AbortController().signal }
  const [{ text }] = JSON.parse(await (await new Export('json').run(options)).text())
  Array.prototype.join = join
  assert.equal(text, 'done')
  assert.ok(Math.max(...joined) < 15_000_000, `${Math.max(...joined)}`)
})
