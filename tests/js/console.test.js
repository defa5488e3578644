// What people do with a log, over a tape without a document.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Lens } from '../../static/js/console/lens.js'
import { Query } from '../../static/js/console/query.js'
import { Search } from '../../static/js/console/search.js'
import { LogActions } from '../../static/js/elements/log/actions.js'
import { LogNames } from '../../static/js/elements/log/names.js'
import { LogSettings } from '../../static/js/elements/log/settings.js'
import { timeInWords } from '../../static/js/elements/log/time.js'
import { LogWalk } from '../../static/js/elements/log/walk.js'
import { randomLog, Server, tapeOf } from './log.js'

const soon = () => new Promise((resolve) => setTimeout(resolve))

/** What a console is made of, as far as settings need it. */
function consoleOf(server, read) {
  const lens = new Lens()
  const tape = tapeOf(server, lens)
  const rows = { view: { dataset: {} }, look: { times: 'off', start: null, digits: 6 }, drawSoon: () => {} }
  const names = ['find', 'only', 'source', 'agent', 'level', 'kinds', 'wrap', 'times']
  const tools = Object.fromEntries(names.map((name) => [name, { value: '', checked: false, ariaInvalid: null }]))
  return { lens, tape, rows, tools, read }
}

test('times since the beginning are not told until somebody knows when that was', async () => {
  const server = new Server()
  const answers = [
    () => Promise.reject(new Error('away')),
    () => ({ floor: 0, events: [] }),
    () => ({ floor: 0, events: server.events.slice(0, 1) }),
  ]
  const parts = consoleOf(server, async () => answers.shift()())
  const settings = new LogSettings(parts)
  settings.begin()
  settings.prefer({ times: 'relative' })
  await soon()
  const at = Date.parse(server.print('a', 'one\n').timestamp)
  for (let n = 0; n < 2; n++) {
    assert.equal(timeInWords(at, 'relative', parts.rows.look.start), '')
    await settings.learnStart()
  }
  assert.equal(timeInWords(at + 2000, 'relative', parts.rows.look.start), '+0:02.0')
})

test('what stood still before a reload is not looked for again, and what is too slow is given up with words', async (t) => {
  const kept = new Map([['signalbox:expression at work', '/x.*y/']])
  globalThis.sessionStorage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  }
  const { LogSettings: Settings } = await import('../../static/js/elements/log/settings.js?reloaded')
  const parts = consoleOf(new Server(), async () => null)
  const { lens, tools } = parts
  let words = ''
  parts.status = {
    problem: (problem) => {
      words = problem ?? ''
    },
  }
  parts.search = { start: () => {} }
  tools.filters = { summary: {} }
  const filters = { find: '/x.*y/', only: false, source: '', agent: '', level: '', kinds: 'printed' }
  const settings = new Settings(parts)
  settings.begin(filters)
  assert.ok(lens.query.isEmpty)
  assert.match(words, /^\/x\.\*y\/ took too long/)
  settings.begin({ ...filters, find: '/y/' })
  assert.ok(lens.query.isIn('y'))

  settings.begin({ ...filters, find: '/(a|a)*b/' })
  let clock = 0
  const slow = t.mock.method(performance, 'now', () => (clock += 1000))
  lens.query.isIn('aaa')
  slow.mock.restore()
  await soon()
  assert.ok(lens.query.isEmpty)
  assert.match(words, /takes too long/)
  assert.deepEqual([settings.filters.find, tools.find.value, tools.find.ariaInvalid], ['', '/(a|a)*b/', 'true'])
  tools.find.value = 'words'
  settings.refilter()
  assert.deepEqual([words, settings.filters.find], ['', 'words'])
})

/** Somebody goes through a log; the nth answer comes after `delays[n]` milliseconds. */
function walker(events, delays = []) {
  const server = randomLog(1, events)
  const { before } = server
  server.before = async (...where) => {
    await new Promise((resolve) => setTimeout(resolve, delays.shift() ?? 1))
    return before(...where)
  }
  const lens = new Lens()
  const tape = tapeOf(server, lens)
  const search = new Search({ tape, lens, changed: () => {} })
  const shown = []
  const rows = {
    journey: 0,
    current: null,
    letGo: () => {},
    follow: () => shown.push('end') && rows.journey++,
    show: ({ seq }) => shown.push(seq) && rows.journey++,
  }
  const read = async (seq) => (await server.before(seq + 1, 1)).events[0]
  const walk = new LogWalk({ tape, lens, rows, search, read, missed: () => shown.push('missed') })
  return { tape, lens, search, walk, rows, shown }
}

test('who goes on before having arrived is not called back by an answer that comes late', async () => {
  const { walk, rows, shown } = walker(3000, [40, 1])
  await Promise.all([walk.goTo({ seq: 1, n: 0 }), walk.goTo({ seq: 2500, n: 0 })])
  assert.deepEqual(shown, [2500])
  for (const way of [walk.goTo({ seq: 1200, n: 0 }), walk.toMoment(2_000_000)]) {
    rows.follow()
    await way
  }
  assert.deepEqual(shown, [2500, 'end', 'end'])
})

test('a hit that was looked for before somebody went elsewhere stays where it is', async () => {
  const { tape, lens, search, walk, rows, shown } = walker(900)
  lens.set({ query: new Query('a8') })
  tape.lookAgain()
  const looking = search.start()
  const way = walk.toNextHit(1)
  rows.follow()
  await Promise.all([way, looking])
  assert.deepEqual(shown, ['end'])
  await walk.toNextHit(1)
  assert.equal(shown.length, 2)
})

test('a download that is tried again is over when it has come', async (t) => {
  const server = randomLog(2, 60)
  let failures = 1
  let again
  const shares = []
  const status = {
    saved: null,
    show: () => shares.push(status.saved),
    problem: (_error, way) => {
      again = way
    },
  }
  const read = async ({ after }) => {
    if (failures-- > 0) throw new Error('away')
    return server.after(after)
  }
  const saved = []
  t.mock.method(URL, 'createObjectURL', (blob) => saved.push(blob) && 'blob:')
  const link = { append: () => {}, click: () => {} }
  globalThis.document = { createElement: () => link }
  const actions = new LogActions({ name: 'log', read, status })
  await actions.save('txt')
  assert.equal(status.saved, null)
  await again()
  assert.equal(saved.length, 1)
  assert.ok(shares.includes(1))
  assert.equal(status.saved, null)
})

test('ten thousand sources are named at once, and each can be chosen once', () => {
  let looked = 0
  globalThis.Option = class {
    constructor(textContent, value) {
      Object.assign(this, { textContent, value })
    }
  }
  const choice = () => {
    const added = []
    const options = new Proxy(added, {
      get: (_, key) => {
        looked += 1
        return Reflect.get(added, key)
      },
    })
    return { options, add: (option) => added.push(option) }
  }
  const tools = { source: choice(), agent: choice() }
  const names = new LogNames(tools)
  const events = Array.from({ length: 10_000 }, (_, n) => ({ data: { step: `step ${n}`, agent: 'box' } }))
  for (let n = 0; n < 3; n++) names.learn(events)
  assert.ok(looked < 30_000, `${looked}`)
  names.set('step 7', 'Seven')
  assert.equal(tools.source.options.length, 10_001)
  assert.equal(tools.source.options[8].textContent, 'Seven')
  assert.deepEqual(
    Array.from(tools.agent.options, ({ value }) => value),
    ['', 'box'],
  )
})
