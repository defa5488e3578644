// One line as a terminal would show it: text is written at a column, and a carriage return lets the next text write
// over it, as progress bars do.

import { Cells } from './cells.js'
import { cellsOf, sliceCells } from './width.js'

/** @import {Span} from './cells.js' */

const TAB = 8
/** How far right the cursor can be sent. */
export const MOST_COLUMNS = 4096

export class Line {
  /** @type {Span[]} */
  #spans = []
  /** In place of the spans, once something was written over. @type {Cells | null} */
  #cells = null
  /** Columns that are kept, and that there would be. */
  #kept = 0
  #length = 0
  #column = 0
  #most

  /** @param {number} [most] columns that are kept; what lies beyond is only counted */
  constructor(most = MOST_COLUMNS) {
    this.#most = most
  }

  /** Columns, those that are not kept included. */
  get length() {
    return this.#length
  }

  /** Columns that are kept. */
  get cells() {
    return this.#kept
  }

  /** Columns that are not kept. */
  get hidden() {
    return this.#length - this.#kept
  }

  /** @returns {readonly Span[]} */
  get spans() {
    return this.#cells?.spans ?? this.#spans
  }

  get text() {
    return this.spans.map(({ text }) => text).join('')
  }

  /** @param {string} text @param {string} style */
  write(text, style) {
    for (const [n, part] of text.split('\t').entries()) {
      if (n) this.#column += TAB - (this.#column % TAB)
      if (part) this.#print(part, style)
    }
  }

  /** @param {number} column */
  moveTo(column) {
    this.#column = Math.min(column, MOST_COLUMNS)
  }

  /** @param {number} columns to the right; to the left if it is below 0 */
  moveBy(columns) {
    this.#column = Math.max(0, Math.min(this.#column + columns, Math.max(this.#column, MOST_COLUMNS)))
  }

  /** Everything from the column on is gone. */
  erase() {
    if (this.#column >= this.#length) return
    if (this.#cells) this.#cells.cut(this.#column)
    else this.#spans = cutSpans(this.#spans, 0, this.#column)
    this.#length = this.#column
    this.#kept = Math.min(this.#kept, this.#column)
  }

  /** Everything up to the column and on it is gone; what is right of it stays where it is. */
  eraseBefore() {
    if (this.#column + 1 >= this.#length) this.clear()
    else this.#asCells().blank(0, this.#column + 1)
  }

  clear() {
    this.#spans = []
    this.#cells = null
    this.#length = this.#kept = 0
  }

  /** @param {number} columns from the column on that are gone; what is right of them stays where it is */
  blank(columns) {
    if (this.#column + columns >= this.#length) this.erase()
    else this.#asCells().blank(this.#column, this.#column + columns)
  }

  /** @param {number} columns from the column on that are gone; what is right of them moves to the left */
  delete(columns) {
    if (this.#column + columns >= this.#length) return this.erase()
    this.#asCells().remove(this.#column, columns)
    this.#length -= columns
    this.#kept -= Math.max(0, Math.min(columns, this.#kept - this.#column))
  }

  /** @param {number} columns that come in at the column; what is right of it moves to the right */
  insert(columns) {
    const kept = Math.max(this.#kept, Math.min(this.#kept + columns, this.#most, MOST_COLUMNS))
    if (this.#column >= this.#kept) return
    this.#asCells().insert(this.#column, Math.min(columns, MOST_COLUMNS), kept)
    this.#length += kept - this.#kept
    this.#kept = kept
  }

  /** @param {string} text @param {string} style */
  #print(text, style) {
    const cells = cellsOf(text)
    const room = Math.max(0, this.#most - this.#column)
    if (cells <= room) this.#put(text, cells, style)
    else if (room) this.#put(sliceCells(text, 0, room), room, style)
    this.#column += cells
    this.#length = Math.max(this.#length, this.#column)
  }

  /** @param {string} text @param {number} cells @param {string} style */
  #put(text, cells, style) {
    if (this.#cells || this.#column < this.#kept) this.#asCells().write(this.#column, text, style)
    else {
      if (this.#column > this.#kept) this.#append(' '.repeat(this.#column - this.#kept), '')
      this.#append(text, style)
    }
    this.#kept = Math.max(this.#kept, this.#column + cells)
  }

  /** @param {string} text @param {string} style */
  #append(text, style) {
    const last = this.#spans.at(-1)
    if (last?.style === style) last.text += text
    else this.#spans.push({ text, style })
  }

  #asCells() {
    this.#cells ??= new Cells(this.#spans)
    return this.#cells
  }
}

/** The columns from `from` up to `to`, as `sliceCells` does. @param {readonly Span[]} spans @param {number} from @param {number} to @param {boolean} [keepsWide] @returns {Span[]} */
export function cutSpans(spans, from, to, keepsWide = false) {
  const cut = []
  let at = 0
  for (const { text, style } of spans) {
    if (at >= to) break
    const cells = cellsOf(text)
    const piece = at >= from && at + cells <= to ? text : sliceCells(text, from - at, to - at, keepsWide)
    if (piece) cut.push({ text: piece, style })
    at += cells
  }
  return cut
}
