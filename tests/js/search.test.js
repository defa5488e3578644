import assert from 'node:assert/strict'
import { test } from 'node:test'

import { finder } from '../../static/js/console/finder.js'
import { Lens } from '../../static/js/console/lens.js'
import { literalsIn } from '../../static/js/console/literals.js'
import { Query } from '../../static/js/console/query.js'
import { questionsOf } from '../../static/js/console/questions.js'
import { Search } from '../../static/js/console/search.js'
import { Tape } from '../../static/js/console/tape.js'
import { Problem } from '../../static/js/realtime/problem.js'
import { randomOf } from './random.js'

/** A log on a server that can look through it; it answers as the real one does, a few hundred events at a time. */
class Server {
  events = []
  floor = 0
  requests = []
  asked = []
  most = 400
  #offsets = new Map()

  print(step, text, { level = 'info', again = false } = {}) {
    const offset = again ? 0 : (this.#offsets.get(step) ?? 0)
    this.#offsets.set(step, offset + text.length)
    return this.tell('workflow_log', { stage: 'all', step, agent: `box-${step}`, level, text, offset })
  }

  tell(type, data) {
    const seq = this.events.length + 1
    const event = { type, topic: 'run.1', seq, timestamp: new Date(1_000_000 + seq).toISOString(), data }
    this.events.push(event)
    return event
  }

  before = async (before, limit) => {
    this.requests.push(before)
    return {
      head: this.events.length,
      floor: this.floor,
      events: this.events.slice(Math.max(this.floor, before - 1 - limit), Math.max(this.floor, before - 1)),
    }
  }

  find = async (after, question) => {
    this.asked.push(question)
    const all = (name) => question.filter(([key]) => key === name).map(([, value]) => value)
    if (after < this.floor) return { reset: true, head: this.events.length, floor: this.floor }
    const until = Math.min(this.events.length, after + this.most)
    const types = all('type')
    const wheres = question.filter(([key]) => key.startsWith('where.'))
    const places = []
    const open = new Map()
    const close = (step) => {
      const line = open.get(step)
      open.delete(step)
      if (line && all('match').every((text) => line.text.toLowerCase().includes(text.toLowerCase())))
        places.push([line.first, line.last])
    }
    for (const { type, seq, data } of this.events.slice(after)) {
      if (!types.includes(type)) continue
      const isWanted = wheres.every(([key, value]) => data[key.slice(6)] === value)
      if (type !== 'workflow_log') {
        if (seq <= until && isWanted) places.push([seq, seq])
        continue
      }
      if (data.offset === 0) close(data.step)
      for (const part of data.text.split(/(?<=\n)/)) {
        const line = open.get(data.step)
        if (line) Object.assign(line, { text: line.text + part, last: seq })
        else if (seq <= until && isWanted) open.set(data.step, { text: part, first: seq, last: seq })
        if (part.endsWith('\n')) close(data.step)
      }
    }
    for (const step of [...open.keys()]) close(step)
    return {
      reset: false,
      head: this.events.length,
      floor: this.floor,
      scanned_to: until,
      places: places.sort(([a], [b]) => a - b),
    }
  }
}

function consoleOf(server, look) {
  const lens = new Lens()
  const tape = new Tape({ lens, readBefore: server.before, changed: () => {} })
  tape.begin({ head: server.events.length, floor: 0 })
  lens.set(look)
  const search = new Search({ tape, lens, find: server.find, changed: () => {} })
  return { lens, tape, search }
}

/** Where each line begins, and what it says. */
function linesOf(events) {
  const lines = []
  const open = new Map()
  for (const { seq, data, type } of events) {
    if (type !== 'workflow_log') continue
    if (data.offset === 0) open.delete(data.step)
    for (const part of data.text.split(/(?<=\n)/)) {
      let line = open.get(data.step)
      if (!line) {
        line = { seq, text: '', level: data.level, step: data.step }
        lines.push(line)
        open.set(data.step, line)
      }
      line.text += part.replace('\n', '')
      if (part.endsWith('\n')) open.delete(data.step)
    }
  }
  return lines
}

/** Lines that are cut anywhere, now and then for a long time. */
function randomLog(seed, events) {
  const random = randomOf(seed)
  const server = new Server()
  for (let n = 0; n < events; n++) {
    const step = 'abbbbbbbbbbbcc'[random(14)]
    let text = ''
    for (let part = random(4); part >= 0; part--)
      text += `${'needle'.slice(random(7))}${random(90)}${random(3) ? '\n' : ''}`
    server.print(step, text || '\n', { level: random(30) ? 'info' : 'error', again: random(60) === 0 })
  }
  return server
}

async function rowsOf(tape) {
  const texts = []
  for (let index = 0; index < tape.length; index++) {
    if (!tape.sums.of(index)) continue
    await tape.load(index)
    const sight = tape.sight(index)
    for (let row = 0; row < sight.rows; row++) texts.push(tape.lines.line(index, sight.lineAt(row).line).text)
  }
  return texts
}

test('what the server says and what the lines say is one count, wherever lines are cut', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const server = randomLog(seed, 300 + randomOf(seed)(900))
    for (const words of ['needle77', 'dle5', '/e{2}dle8\\d/', '/^7+needle/', 'E', 'nowhere']) {
      const query = new Query(words)
      const wanted = linesOf(server.events).filter(({ text }) => query.isIn(text))
      const { tape, search } = consoleOf(server, { query })
      await tape.load(randomOf(seed + words.length)(tape.length))
      await search.start()
      assert.equal(search.count, wanted.length, `${words}, seed ${seed}`)
      assert.equal(search.isRunning, false)

      const only = consoleOf(server, { query, onlyHits: true })
      await only.search.start()
      assert.equal(only.tape.rows, wanted.length)
      assert.deepEqual(
        await rowsOf(only.tape),
        wanted.map(({ text }) => text),
      )
      assert.equal(only.search.count, wanted.length, `${words} after a look at all of them, seed ${seed}`)
    }
  }
})

test('filters, with and without words, give the lines that begin with what they ask for', async () => {
  for (let seed = 1; seed <= 15; seed++) {
    const server = randomLog(seed * 31, 700)
    for (const look of [
      { level: 'error' },
      { source: 'c' },
      { agent: 'box-a', level: 'error' },
      { source: 'b', query: new Query('le1'), onlyHits: true },
      { level: 'system' },
    ]) {
      const { tape, search, lens } = consoleOf(server, look)
      await search.start()
      const wanted = linesOf(server.events).filter(
        ({ text, level, step }) =>
          (!look.level || look.level === level) &&
          (!look.source || look.source === step) &&
          (!look.agent || look.agent === `box-${step}`) &&
          lens.query.isIn(text),
      )
      assert.equal(tape.rows, wanted.length, JSON.stringify(look))
      assert.deepEqual(
        await rowsOf(tape),
        wanted.map(({ text }) => text),
      )
    }
  }
})

test('the rest of a line is no line, though what it began with is on another page', async () => {
  const server = new Server()
  for (let n = 1; n < 250; n++) server.print(n === 30 ? 'a' : 'b', n === 30 ? 'begun ' : 'else\n')
  server.print('a', 'rest\nwhole\n', { level: 'error' })
  const { tape, search } = consoleOf(server, { level: 'error' })
  await search.start()
  assert.equal(tape.rows, 1)
  assert.deepEqual(await rowsOf(tape), ['whole'])
})

test('for a rare word hardly anything is fetched', async () => {
  const server = new Server()
  for (let n = 1; n <= 20_000; n++) server.print('a', n === 7777 ? 'here: Straße\n' : 'there\n')
  const { tape, search } = consoleOf(server, { query: new Query('STRAßE') })
  await search.start()
  assert.equal(search.count, 1)
  assert.ok(server.requests.length <= 3, `${server.requests}`)
  const hit = await search.next({ seq: 1, n: 0 }, 1)
  assert.deepEqual(hit, { page: tape.pageOf(7777), seq: 7777, n: 0 })
})

test('lines that are removed while one looks are not looked for any more', async () => {
  const server = new Server()
  for (let n = 1; n <= 20_000; n++) server.print('a', n % 1000 === 77 ? `here: ${n}\n` : 'there\n')
  const { tape, search } = consoleOf(server, { query: new Query('here:') })
  server.floor = 5_050
  await search.start()
  assert.equal(search.count, 15)
  assert.equal(search.isDone, true)
  assert.ok(server.requests.length <= 20, `${server.requests.length}`)
  assert.equal(tape.floor, 5_050)
})

test('seen otherwise, a log is asked for hits again, and not fetched', async () => {
  const server = new Server()
  for (let n = 1; n <= 20_000; n++) server.print('a', n === 7777 ? 'here\n' : 'there\n')
  const { tape, lens, search } = consoleOf(server, { query: new Query('/\\bhere/') })
  await search.start()
  const before = server.requests.length
  lens.set({ columns: 90 })
  tape.lookAgain()
  await search.goOn()
  assert.equal(search.count, 1)
  assert.ok(server.requests.length - before <= 3)
})

test('a line that goes on pages later is seen whole whenever one comes back to it', async () => {
  const server = new Server()
  const fill = (count) => {
    for (let n = 0; n < count; n++) server.print('b', `${'x'.repeat(12_000)}\n`)
  }
  fill(150)
  server.print('a', 'the begin')
  fill(220)
  server.print('a', 'ning and')
  fill(120)
  server.print('a', ' the end\n')
  fill(3000)
  const { tape, search } = consoleOf(server, { query: new Query('beginning AND the'), onlyHits: true })
  await search.start()
  assert.equal(search.count, 1)
  for (let index = tape.length - 20; index < tape.length; index++) {
    tape.near = index
    await tape.load(index)
  }
  assert.equal(tape.page(1), undefined, 'it was put away')
  assert.deepEqual(await rowsOf(tape), ['the beginning and the end'])
  assert.equal(search.count, 1)
})

test('lines that come while one looks, and after, are counted once', async () => {
  const server = randomLog(8, 900)
  const { tape, search } = consoleOf(server, { query: new Query('needle') })
  const looking = search.start()
  for (let n = 0; n < 260; n++) {
    tape.push([server.print('a', n % 3 ? 'nee' : 'dle\nneedle\n')])
    if (n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await looking
  tape.push([server.print('a', 'needle\nnee')])
  tape.push([server.print('b', '\n'), server.print('a', 'dle\n')])
  for (let n = 0; n < 500; n++) server.print('c', 'a needle in between\n')
  tape.skipTo(server.events.length)
  await search.goOn()
  const wanted = linesOf(server.events).filter(({ text }) => text.includes('needle'))
  assert.equal(search.count, wanted.length)
})

test('a live line that began on the page before is counted when it has come whole', async () => {
  const server = new Server()
  for (let n = 0; n < 99; n++) server.print('b', 'hay\n')
  server.print('a', 'a nee')
  const { tape, search } = consoleOf(server, { query: new Query('a needle') })
  await search.start()
  tape.push([server.print('b', 'hay\n')])
  tape.push([server.print('b', 'hay\n')])
  assert.equal(search.count, 0)
  tape.push([server.print('a', 'dle\n')])
  assert.equal(search.count, 1)
})

test('live lines cost no request, wherever one looks', async () => {
  const server = new Server()
  for (let n = 0; n < 5050; n++) server.print('b', 'hay\n')
  const { tape, search } = consoleOf(server, { query: new Query('needle') })
  await search.start()
  const before = server.requests.length
  for (let n = 0; n < 30; n++) {
    tape.push([server.print('b', 'a needle\n')])
    await search.goOn()
  }
  assert.equal(search.count, 30)
  assert.equal(server.requests.length, before)
})

test('a search that was stopped has not looked through everything, and goes on from there', async () => {
  const server = randomLog(9, 4000)
  const { tape, search } = consoleOf(server, { query: new Query('/needle|dle1/') })
  const wanted = linesOf(server.events).filter(({ text }) => /needle|dle1/.test(text)).length
  const looking = search.start()
  while (search.share < 0.4) await new Promise((resolve) => setTimeout(resolve, 1))
  search.stop()
  await looking
  assert.deepEqual([search.isRunning, search.isDone], [false, false])
  assert.ok(search.count < wanted)
  const before = server.requests.length
  await search.resume()
  assert.deepEqual([search.isRunning, search.isDone], [false, true])
  assert.equal(search.count, wanted)
  assert.ok(server.requests.length - before < tape.length / 10 + 1, 'what was looked through is not fetched again')
})

test('typing on ends the search before, and its question to the server', async () => {
  const server = randomLog(4, 3000)
  const { tape, lens, search } = consoleOf(server, { query: new Query('needle1') })
  const signals = []
  const { find } = server
  server.find = null
  const slow = new Search({
    tape,
    lens,
    changed: () => {},
    find: async (after, question, signal) => {
      signals.push(signal)
      await new Promise((resolve) => setTimeout(resolve, 5))
      return find(after, question)
    },
  })
  const first = slow.start()
  lens.set({ query: new Query('needle12') })
  tape.lookAgain()
  await slow.start()
  await first
  assert.equal(signals[0].aborted, true)
  assert.equal(slow.count, linesOf(server.events).filter(({ text }) => text.includes('needle12')).length)
  slow.stop()
  await slow.goOn()
  assert.equal(slow.isRunning, false)
  assert.equal(search.isRunning, false)
})

test('a server that cannot look far is asked again, and one that fails is tried again', async () => {
  const server = randomLog(6, 1000)
  const { tape, lens } = consoleOf(server, { query: new Query('needle3') })
  const { find } = server
  let fails = 2
  const search = new Search({
    tape,
    lens,
    changed: () => {},
    find: async (...asked) => {
      if (fails-- > 0) throw new Problem('connection_failed')
      server.most = 30
      return find(...asked)
    },
  })
  for (let n = 0; n < 2; n++) {
    await search.start()
    assert.equal(search.problem?.code, 'connection_failed')
    assert.equal(search.isDone, false)
  }
  await search.resume()
  assert.equal(search.problem, null)
  assert.equal(search.isDone, true)
  assert.equal(search.count, linesOf(server.events).filter(({ text }) => text.includes('needle3')).length)
})

test('what is asked is never less than what is wanted', () => {
  const asked = (look) => {
    const lens = new Lens()
    lens.set(look)
    return questionsOf(lens)?.map((question) => new URLSearchParams(question).toString())
  }
  const lines = 'type=terminal%3Aoutput&type=workflow_log'
  assert.deepEqual(asked({ query: new Query('a b') }), [`${lines}&match=a+b`])
  assert.deepEqual(asked({ source: 'x', agent: 'y' }), [`${lines}&where.step=x&where.agent=y`])
  assert.deepEqual(asked({ source: 'x', stream: 'command_id' }), [`${lines}&where.command_id=x`])
  assert.deepEqual(asked({ level: 'error' }), [`${lines}&where.level=error`])
  // Lines that do not match are seen too, so all of the step's are wanted.
  assert.deepEqual(asked({ source: 'x', query: new Query('a') }), [`${lines}&where.step=x`])
  assert.deepEqual(asked({ source: 'x', query: new Query('a'), onlyHits: true }), [`${lines}&where.step=x&match=a`])
  assert.equal(asked({ query: new Query('/a|b/') }), undefined)
  assert.equal(asked({ level: 'info' }), undefined)
  assert.deepEqual(asked({ kinds: 'stages' }), ['type=workflow_stage_update'])
  assert.deepEqual(asked({ kinds: 'steps', agent: 'y' }), ['type=agent_status_update&where.agent=y'])
  assert.match(asked({ kinds: 'run' })[0], /^type=project_started&.*project_completed$/)
  assert.deepEqual(asked({ kinds: 'run', level: 'error' }), ['type=project_error'])
  assert.deepEqual(asked({ kinds: 'stages', level: 'error' }), [])
  const [printed, others] = asked({ kinds: 'all', query: new Query('a') })
  assert.equal(printed, `${lines}&match=a`)
  assert.match(others, /type=project_error/)
  assert.doesNotMatch(others, /match|workflow_log/)
  assert.deepEqual(asked({ kinds: 'all', level: 'error' })[1], 'type=project_error')
})

test('what a regular expression needs is found in it, and nothing is taken for needed that is not', () => {
  const cases = {
    'part-0+99\\b': ['part-0', '99'],
    'colou?r': ['colo'],
    'ab*c': [],
    'foo.bar': ['foo', 'bar'],
    'foo\\.bar': ['foo.bar'],
    'foo|bar': [],
    '(foo|bar)baz': ['baz'],
    '(?:x(y)[)]z)+end\\(\\)': ['end()'],
    '[a-z\\]]+x=\\d{2,}yes': ['yes', 'x='],
    '\\u0041bc': [],
    '^error: (?!no)': ['error: '],
    'a{2}bc': ['bc'],
    '漢字+': ['漢字'],
    '😀?ok': ['ok'],
  }
  for (const [pattern, literals] of Object.entries(cases)) {
    new RegExp(pattern, 'giu')
    assert.deepEqual(literalsIn(pattern), literals, pattern)
  }
})

test('whatever a regular expression matches contains what it was said to need', () => {
  const random = randomOf(77)
  const parts = ['a', 'b', 'ab', 'B', '.', '\\d', '[ab]', '(a|b)', '(?:ab)', '\\.', '^', '$', '1', '\\b', 'é']
  const ends = ['', '', '', '?', '*', '+', '{2}', '{0,1}', '+?']
  let found = 0
  for (let n = 0; n < 5000; n++) {
    let pattern = ''
    for (let part = 1 + random(6); part > 0; part--) {
      const chosen = parts[random(parts.length)]
      pattern += chosen + (/[\^$]|\\b/.test(chosen) ? '' : ends[random(ends.length)])
    }
    const expression = new RegExp(pattern, 'iu')
    const literals = literalsIn(pattern)
    for (let text = 0; text < 40; text++) {
      const written = Array.from(
        { length: random(9) },
        () => ['ab', 'aB', 'a', 'b', '.', '1', 'É', ' '][random(8)],
      ).join('')
      if (!expression.test(written)) continue
      found += literals.length
      for (const literal of literals)
        assert.ok(written.toLowerCase().includes(literal.toLowerCase()), `${pattern} in ${written}: ${literal}`)
    }
  }
  assert.ok(found > 500, `${found}`)
})

test('who is told to wait asks again', async () => {
  const paths = []
  const api = {
    get: async (path) => {
      paths.push(path)
      if (paths.length === 1) throw new Problem('too_fast', '', 0.01)
      return { places: [] }
    },
  }
  const find = finder(api, () => 'run.1')
  const { signal } = new AbortController()
  assert.deepEqual(await find(7, [['match', 'a&b']], signal), { places: [] })
  assert.equal(paths[1], 'api/v1/events/?topic=run.1&after=7&places=1&match=a%26b')
  assert.equal(paths.length, 2)
})
