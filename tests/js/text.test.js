import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LogLines } from '../../static/js/text/log-lines.js'
import { Sgr } from '../../static/js/text/sgr.js'

const printed = (text, { source = 'lint', offset = 1 } = {}) => ({
  source,
  level: 'info',
  agent: 'a1',
  at: '',
  seq: 1,
  text,
  offset,
})

function log(...parts) {
  const lines = new LogLines()
  for (const part of parts) lines.add(typeof part === 'string' ? printed(part) : part)
  return lines.all.map(({ line }) => line.text)
}

const styled = (sgr, text) => sgr.read(text).map(({ text: words, style }) => [words, style])

test('colours go on until they end', () => {
  assert.deepEqual(styled(new Sgr(), 'a\x1b[1;31mb\x1b[0mc'), [
    ['a', ''],
    ['b', 'sgr-bold sgr-f1'],
    ['c', ''],
  ])
})

test('a colour that is cut in two pieces is one colour', () => {
  const sgr = new Sgr()
  assert.deepEqual(styled(sgr, 'a\x1b[3'), [['a', '']])
  assert.deepEqual(styled(sgr, '2mb'), [['b', 'sgr-f2']])
})

test('256 and true colours become the nearest that the theme knows', () => {
  const sgr = new Sgr()
  assert.deepEqual(styled(sgr, '\x1b[38;5;196mr\x1b[38;2;0;200;0mg\x1b[48;5;17mb'), [
    ['r', 'sgr-f9'],
    ['g', 'sgr-f10'],
    ['b', 'sgr-f10 sgr-b4'],
  ])
})

test('links, titles, cursor jumps and bells are left out', () => {
  assert.deepEqual(
    log('\x1b]8;;https://evil.test\x07click\x1b]8;;\x07 \x1b]0;title\x1b\\\x1b[2J\x1b[10;10H\x07ok\x1bc\x1b(B\n'),
    ['click ok'],
  )
})

test('an escape sequence that never ends does not swallow the log', () => {
  const lines = log(`\x1b]0;${'x'.repeat(9000)}`, 'after\n')
  assert.ok(lines.at(-1).includes('after'))
})

test('a carriage return writes over the line, and a shorter text leaves the rest', () => {
  assert.deepEqual(log('10 %\r20 %\r\n', 'abcdef\rxyz\n'), ['20 %', 'xyzdef'])
  assert.deepEqual(log('abcdef\r\x1b[Kxyz\n', 'abc\b\bX\n'), ['xyz', 'aXc'])
})

test('lines of several sources do not mix, wherever they are cut', () => {
  const parts = [
    printed('one ', { source: 'a' }),
    printed('zwei ', { source: 'b' }),
    printed('two\nthree', { source: 'a' }),
    printed('drei\n', { source: 'b' }),
  ]
  assert.deepEqual(log(...parts), ['one two', 'zwei drei', 'three'])
})

test('another try of a step begins on a new line', () => {
  assert.deepEqual(log(printed('half', { offset: 0 }), printed('again\n', { offset: 0 })), ['half', 'again'])
})

test('a megabyte without a newline becomes lines that a page can show', () => {
  const lines = log('x'.repeat(1_000_000))
  assert.ok(lines.every((line) => line.length <= 4096))
  assert.equal(lines.join('').length, 1_000_000)
})

test('no more lines are kept than asked for', () => {
  const lines = new LogLines(100)
  for (let n = 0; n < 1000; n++) lines.add(printed(`${n}\n`))
  assert.ok(lines.all.length <= 110)
  assert.equal(lines.all.at(-1).line.text, '999')
})
