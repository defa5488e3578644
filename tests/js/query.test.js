import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Lens } from '../../static/js/console/lens.js'
import { problemWith, Query, TooSlow } from '../../static/js/console/query.js'
import { Search } from '../../static/js/console/search.js'
import { Trial } from '../../static/js/console/trial.js'
import { plainly, randomLog, tapeOf } from './log.js'

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

test('what repeats what is repeated is refused with words, and nothing else is', () => {
  for (const written of [
    '/(a+)+b/',
    '/(?:x*y)*/',
    '/((a|b+)c)+/',
    '/(\\w+\\s?){2,}/',
    '/([^)]+){30}/',
    '/(?<n>a{20,}){5,}/',
  ]) {
    assert.throws(() => new Query(written), TooSlow, written)
  }
  for (const written of [
    '/(\\d+\\.){3}\\d+/',
    '/(ab)+c+/',
    '/[(a+)+]+/',
    '/\\(a+\\)+/',
    '/(?:\\d{1,3},)+/',
    '/(?=a+)b+/',
    '(a+)+',
  ]) {
    assert.doesNotThrow(() => new Query(written), written)
  }
  assert.match(problemWith(new TooSlow('It takes for ever.')), /^It takes for ever/)
})

/** A tab that remembers what is at work. */
function tab() {
  const kept = new Map()
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  }
}

test('an expression is given up at the first line that takes too long', async (t) => {
  const given = []
  const query = new Query('/(a|a)*b/', new Trial(tab()), (slow) => given.push(slow))
  assert.ok(query.isIn('aaab'))
  let clock = 0
  const slow = t.mock.method(performance, 'now', () => (clock += 1000))
  for (let n = 0; n < 50; n++) query.isIn(`${n}`)
  assert.equal(slow.mock.callCount(), 2)
  slow.mock.restore()
  await null
  assert.deepEqual(given, [query])
  assert.ok(!query.isIn('aaab'))
  assert.deepEqual(query.placesIn('ab'), [])
})

test('a tab that stood still knows what was at work, and one that did not has nothing to know', async () => {
  const storage = tab()
  const trial = new Trial(storage)
  let during
  trial.run(
    '/a/',
    () => {
      during = new Trial(storage).unfinished
    },
    () => {},
  )
  assert.equal(during, '/a/')
  await null
  assert.equal(new Trial(storage).unfinished, '')
})
