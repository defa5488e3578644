// A line column by column, from the first time that something is written over: then each change costs what it changes.

import { charactersIn } from './width.js'

/** @typedef {{text: string, style: string}} Span */

const BLANK = Object.freeze({ text: ' ', style: '' })
/** The second column of a wide character. */
const REST = Object.freeze({ text: '', style: '' })

export class Cells {
  /** @type {Span[]} */
  #cells = []

  /** @param {readonly Span[]} spans */
  constructor(spans) {
    let column = 0
    for (const { text, style } of spans) column = this.write(column, text, style)
  }

  /** @param {number} column @param {string} text @param {string} style @returns {number} the column after it */
  write(column, text, style) {
    this.#reach(column)
    let at = column
    for (const [character, width] of charactersIn(text)) {
      if (width) this.#set(at, { text: character, style })
      else this.#join(at, character)
      if (width === 2) this.#set(at + 1, REST)
      at += width
    }
    return at
  }

  /** @param {number} from @param {number} to */
  blank(from, to) {
    const end = Math.min(to, this.#cells.length)
    if (from >= end) return
    this.#set(from, BLANK)
    this.#set(end - 1, BLANK)
    this.#cells.fill(BLANK, from, end)
  }

  /** What is right of them moves to the left. @param {number} column @param {number} count */
  remove(column, count) {
    this.blank(column, column + count)
    this.#cells.splice(column, count)
  }

  /** What is right of them moves to the right, and what moves beyond `most` is gone. @param {number} column @param {number} count @param {number} most */
  insert(column, count, most) {
    // Of a wide character through whose middle it goes, both halves become spaces.
    if (this.#cells[column] === REST) this.blank(column - 1, column + 1)
    this.#cells.splice(column, 0, ...new Array(count).fill(BLANK))
    this.cut(most)
  }

  /** @param {number} column */
  cut(column) {
    this.blank(column, column + 1)
    this.#cells.length = Math.min(this.#cells.length, column)
  }

  /** @returns {Span[]} */
  get spans() {
    /** @type {Span[]} */
    const spans = []
    for (const cell of this.#cells) {
      const last = spans.at(-1)
      if (cell === REST) continue
      if (last?.style === cell.style) last.text += cell.text
      else spans.push({ ...cell })
    }
    return spans
  }

  /** @param {number} column */
  #reach(column) {
    while (this.#cells.length < column) this.#cells.push(BLANK)
  }

  /** Of a wide character that is written over, the other half becomes a space. @param {number} at @param {Span} cell */
  #set(at, cell) {
    if (this.#cells[at] === REST && cell !== REST) this.#cells[at - 1] = BLANK
    if (this.#cells[at + 1] === REST) this.#cells[at + 1] = BLANK
    this.#cells[at] = cell
  }

  /** What combines with the character before it. @param {number} at @param {string} mark */
  #join(at, mark) {
    const owner = this.#cells[at - 1] === REST ? at - 2 : at - 1
    const before = this.#cells[owner]
    if (before) this.#cells[owner] = { ...before, text: before.text + mark }
  }
}
