import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Lens } from '../../static/js/console/lens.js'
import { problemWith, Query } from '../../static/js/console/query.js'
import { Search } from '../../static/js/console/search.js'
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
