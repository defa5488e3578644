import assert from 'node:assert/strict'
import { test } from 'node:test'

import { printed } from '../../static/js/console/printed.js'
import { cutSpans, Line } from '../../static/js/text/line.js'
import { Sgr } from '../../static/js/text/sgr.js'
import { cellsOf, sliceCells } from '../../static/js/text/width.js'

const shown = (raw, most = 4096) => printed(raw, '', most).text
const styled = (sgr, text) => sgr.read(text).map(({ text: words, style }) => [words, style])

test('colours go on until they end', () => {
  assert.deepEqual(styled(new Sgr(), 'a\x1b[1;31mb\x1b[0mc'), [
    ['a', ''],
    ['b', 'sgr-bold sgr-f1'],
    ['c', ''],
  ])
})

test('a style goes on where another one left it', () => {
  const sgr = new Sgr()
  sgr.read('\x1b[1;4;38;2;1;2;3;44m')
  assert.equal(new Sgr(sgr.style).read('x')[0].style, sgr.style)
  const [after] = new Sgr(sgr.style).read('\x1b[22;39mx')
  assert.equal(after.style, 'sgr-underline sgr-b4')
})

test('a colour that is cut in two pieces is one colour', () => {
  const sgr = new Sgr()
  assert.deepEqual(styled(sgr, 'a\x1b[3'), [['a', '']])
  assert.deepEqual(styled(sgr, '2mb'), [['b', 'sgr-f2']])
})

test('the first 16 of 256 colours are the theme’s, all others are themselves', () => {
  const sgr = new Sgr()
  assert.deepEqual(styled(sgr, '\x1b[38;5;9mr\x1b[38;5;208mo\x1b[38;2;0;200;0mg\x1b[48;5;232mb\x1b[38:2::1:2:3mc'), [
    ['r', 'sgr-f9'],
    ['o', 'f#ff8700'],
    ['g', 'f#00c800'],
    ['b', 'f#00c800 b#080808'],
    ['c', 'f#010203 b#080808'],
  ])
})

test('a colour space, and the colour of an underline, change nothing else', () => {
  const style = (numbers) => styled(new Sgr(), `\x1b[${numbers}mx`)[0][1]
  assert.equal(style('38:2:0:1:2:3'), 'f#010203')
  assert.equal(style('58;2;1;3;9'), '')
  assert.equal(style('58;5;1;3'), 'sgr-italic')
  assert.equal(style('1;58:2::255:0:0'), 'sgr-bold')
  assert.equal(style('4:3;58:5:1'), 'sgr-underline')
  assert.equal(style('4;4:0'), '')
})

test('what ends like a colour and is none colours nothing', () => {
  for (const sequence of ['>4;2m', '?4m', '<1m', '=3m', '1%m']) {
    assert.deepEqual(styled(new Sgr(), `\x1b[${sequence}x`), [['x', '']], sequence)
  }
})

test('links, titles, cursor jumps, bells and changed directions of writing are left out', () => {
  const tricks =
    '\x1b]8;;https://evil.test\x07click\x1b]8;;\x07 \x1b]0;title\x1b\\\x1b[2J\x1b[10;10H\x07o\u202ek\x1bc\x1b(B'
  assert.equal(shown(tricks), 'click ok')
})

test('an escape sequence that never ends does not swallow what follows', () => {
  assert.ok(shown(`\x1b]0;${'x'.repeat(9000)}after`, 20_000).includes('after'))
})

test('a carriage return writes over the line, and a shorter text leaves the rest', () => {
  assert.equal(shown('10 %\r20 %\r'), '20 %')
  assert.equal(shown('abcdef\rxyz'), 'xyzdef')
  assert.equal(shown('abcdef\r\x1b[Kxyz'), 'xyz')
  assert.equal(shown('abcdef\x1b[2K\rx'), 'x')
  assert.equal(shown('abc\b\bX'), 'aXc')
  assert.equal(shown('abcdef\x1b[3D\x1b[1K!'), '   !ef')
})

test('what is erased up to the cursor is gone with what is under it', () => {
  assert.equal(shown('abcdef\x1b[3D\x1b[1K'), '    ef')
  assert.equal(shown('abc\x1b[D\x1b[1K'), '')
})

test('the cursor goes to the right over what is there', () => {
  assert.equal(shown('a\x1b[10Cb'), 'a          b')
  assert.equal(shown('abcdef\r\x1b[2CX'), 'abXdef')
  assert.equal(shown('abc\x1b[4C'), 'abc')
  assert.ok(shown('\x1b[999999999Cx', 10_000).length < 5000)
})

test('characters are blanked where they are, or taken out so that the rest moves up', () => {
  assert.equal(shown('abcdef\r\x1b[2Xx'), 'x cdef')
  assert.equal(shown('abcdef\x1b[2D\x1b[9X'), 'abcd')
  assert.equal(shown('abcdef\r\x1b[P\x1b[2P'), 'def')
  assert.equal(shown('abcdef\x1b[2D\x1b[9P!'), 'abcd!')
  assert.equal(shown('漢字x\r\x1b[P'), ' 字x')
  const line = printed(`${'x'.repeat(30)}\r\x1b[4P`, '', 20)
  assert.deepEqual([line.cells, line.hidden], [16, 10])
})

test('room is made where the cursor is, and the rest moves to the right', () => {
  assert.equal(shown('abcdef\r\x1b[2C\x1b[3@X'), 'abX  cdef')
  assert.equal(shown('abc\x1b[5@!'), 'abc!')
  assert.equal(shown('漢字x\r\x1b[C\x1b[@'), '   字x')
  assert.ok(shown(`abc\r${'\x1b[999999999@'.repeat(3)}`, 10_000).length < 5000)
  const line = printed(`${'x'.repeat(30)}\r\x1b[4@`, '', 20)
  assert.deepEqual([line.text, line.cells, line.hidden], [`    ${'x'.repeat(16)}`, 20, 10])
})

test('of a progress bar that ran for ever, the end is shown', () => {
  const bar = Array.from({ length: 50_000 }, (_, n) => `\r${n} of 50000`).join('')
  assert.equal(shown(bar), '49999 of 50000')
})

test('a tab goes to the next eighth column', () => {
  assert.equal(shown('a\tb\t\tc'), 'a       b               c')
  assert.equal(shown('abcdefghij\r\tX'), 'abcdefghXj')
  assert.equal(shown('abcdef\r\tX'), 'abcdef  X')
})

test('East Asian characters and emoji take two columns, combining ones none', () => {
  assert.equal(cellsOf('漢字'), 4)
  assert.equal(cellsOf('한'), 2)
  assert.equal(cellsOf('e\u0301'), 1)
  assert.equal(cellsOf('✅🚀'), 4)
  assert.equal(cellsOf('👩‍👩‍👧‍👦'), 2)
  assert.equal(cellsOf('❤️'), 2)
  assert.equal(cellsOf('→ ─ é'), 5)
})

test('half a wide character is a space, or stays whole where it begins', () => {
  assert.equal(sliceCells('漢字', 1, 3), '  ')
  assert.equal(sliceCells('a漢b', 0, 2), 'a ')
  assert.equal(sliceCells('a漢b', 0, 2, true), 'a漢')
  assert.equal(sliceCells('a漢b', 2, 4, true), ' b')
})

test('rows of a wrapped line hold all of its characters once', () => {
  const line = new Line()
  line.write('漢字abcдe\u0301漢🚀x'.repeat(20), '')
  for (const columns of [2, 3, 7, 10, 80]) {
    let text = ''
    for (let from = 0; from < line.cells; from += columns) {
      text += cutSpans(line.spans, from, from + columns, true)
        .map((span) => span.text)
        .join('')
    }
    assert.equal(text.replaceAll(' ', ''), line.text)
  }
})

test('wide characters are written over as a whole', () => {
  assert.equal(shown('漢字\rx'), 'x 字')
  assert.equal(shown('漢字\x1b[3Dx'), ' x字')
  assert.equal(shown('漢字\x1b[D\x1b[K'), '漢 ')
  assert.equal(shown('漢字\re\u0301'), 'e\u0301 字')
  assert.equal(shown('abcd\r漢'), '漢cd')
})

test('styles stay with what they were printed with when the middle is written over', () => {
  const { spans } = printed('\x1b[31mred\x1b[32mgreen\r\x1b[0m\x1b[2CX', '', 2000)
  assert.deepEqual(spans, [
    { text: 're', style: 'sgr-f1' },
    { text: 'X', style: '' },
    { text: 'green', style: 'sgr-f2' },
  ])
})

test('a line that is written over and over takes no longer than its length', () => {
  const began = performance.now()
  assert.equal(shown('xx\b'.repeat(80_000), 1_000_000).length, 80_001)
  assert.ok(performance.now() - began < 5000)
})

test('a megabyte without a newline is cut where one has seen enough', () => {
  const line = printed('x'.repeat(1_000_000), '', 2000)
  assert.equal(line.text.length, 2000)
  assert.equal(line.hidden, 998_000)
  const coloured = printed(`\x1b[31m${'x'.repeat(100_000)}`, '', 2000)
  assert.deepEqual([coloured.cells, coloured.hidden], [2000, 98_000])
})
