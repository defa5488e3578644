// What is selected in a log as clean text: without numbers, times and colours, each line once however it is wrapped, and
// with the lines in between that are not in the document.

import { sliceCells } from '../../text/width.js'

/** @import {Tape} from '../../console/tape.js' */

const MOST_LINES = 200_000

/** @typedef {{page: number, line: number, at: number}} Point */

/** @param {Tape} tape @param {number} columns @param {Element} view @returns {string | null} null: nothing of it is selected */
export function selectedText(tape, columns, view) {
  const selection = document.getSelection()
  if (!selection || selection.isCollapsed || !selection.rangeCount) return null
  const range = selection.getRangeAt(0)
  const from = pointOf(tape, columns, view, range.startContainer, range.startOffset)
  const to = pointOf(tape, columns, view, range.endContainer, range.endOffset)
  if (!from || !to) return null
  return textBetween(tape, from, to)
}

/** @param {Tape} tape @param {Point} from @param {Point} to */
export function textBetween(tape, from, to) {
  const texts = []
  for (let index = from.page; index <= to.page; index++) {
    const page = tape.page(index)
    const sight = tape.sight(index)
    if (!page || !sight) {
      texts.push('[lines that are not loaded]')
      continue
    }
    let before = -1
    for (let row = 0; row < sight.rows && texts.length < MOST_LINES; row++) {
      const { line } = sight.lineAt(row)
      if (line === before) continue
      before = line
      if ((index === from.page && line < from.line) || (index === to.page && line > to.line)) continue
      const { text } = tape.lines.line(index, line)
      const end = index === to.page && line === to.line ? to.at : text.length
      texts.push(text.slice(index === from.page && line === from.line ? from.at : 0, end))
    }
  }
  return texts.join('\n')
}

/** @param {Tape} tape @param {number} columns @param {Element} view @param {Node} node @param {number} offset @returns {Point | null} */
function pointOf(tape, columns, view, node, offset) {
  const element = node instanceof Element ? node : node.parentElement
  const row = /** @type {HTMLElement | null | undefined} */ (element?.closest('.line[data-address]'))
  if (!row || !view.contains(row)) return null
  const [seq, n] = (row.dataset.address ?? '').split('.').map(Number)
  const page = tape.pageOf(seq)
  const line = tape.page(page)?.find(seq, n)
  if (line === undefined) return null
  const text = row.querySelector('.text')
  if (!text) return null
  const range = document.createRange()
  range.setStart(text, 0)
  // Before the text, in the gutter: its beginning; behind it: its end.
  const isInside = text.contains(node)
  if (isInside) range.setEnd(node, offset)
  else if (row.querySelector('.more')?.contains(node) || node === row) range.setEndAfter(text)
  const before = isInside || node !== element ? range.toString().length : 0
  const above = sliceCells(tape.lines.line(page, line).text, 0, Number(row.dataset.part) * columns, true)
  return { page, line, at: above.length + before }
}
