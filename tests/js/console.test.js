// What people do with a log, over a tape without a document.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Lens } from '../../static/js/console/lens.js'
import { LogSettings } from '../../static/js/elements/log-settings.js'
import { timeInWords } from '../../static/js/elements/log-time.js'
import { Server, tapeOf } from './log.js'

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
