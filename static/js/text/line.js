// One line as a terminal would show it: text is written at a column, and a carriage return lets the next text write
// over it, as progress bars do.

import { cellsOf, sliceCells } from './width.js'

/** @typedef {{text: string, style: string}} Span */

const TAB = 8

export class Line {
  /** @type {Span[]} */
  #spans = []
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
    return this.#spans
  }

  get text() {
    return this.#spans.map(({ text }) => text).join('')
  }

  /** @param {string} text @param {string} style */
  write(text, style) {
    let tabbed = false
    for (const part of text.split('\t')) {
      if (tabbed) this.#print(' '.repeat(TAB - (this.#column % TAB)), style)
      if (part) this.#print(part, style)
      tabbed = true
    }
  }

  /** @param {number} column */
  moveTo(column) {
    this.#column = Math.min(column, MOST_COLUMNS)
  }

  /** @param {number} columns */
  moveBack(columns) {
    this.#column = Math.max(0, this.#column - columns)
  }

  /** Everything from the column on is gone. */
  erase() {
    this.#spans = this.#cut(0, this.#column)
    this.#length = Math.min(this.#length, this.#column)
    this.#kept = Math.min(this.#kept, this.#column)
  }

  /** Everything up to the column is gone; what is right of it stays where it is. */
  eraseBefore() {
    const after = this.#cut(this.#column, this.#kept)
    this.#spans = after.length ? [{ text: ' '.repeat(this.#column), style: '' }, ...after] : []
    if (!after.length) this.#kept = this.#length = 0
  }

  clear() {
    this.#spans = []
    this.#length = this.#kept = 0
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
    if (this.#column >= this.#kept) {
      if (this.#column > this.#kept) this.#append(' '.repeat(this.#column - this.#kept), '')
      this.#append(text, style)
    } else {
      const end = this.#column + cells
      const before = this.#cut(0, this.#column)
      this.#spans = [...before, { text, style }, ...this.#cut(end, this.#kept)]
    }
    this.#kept = Math.max(this.#kept, this.#column + cells)
  }

  /** @param {string} text @param {string} style */
  #append(text, style) {
    const last = this.#spans.at(-1)
    if (last?.style === style) last.text += text
    else this.#spans.push({ text, style })
  }

  /** @param {number} from @param {number} to @returns {Span[]} */
  #cut(from, to) {
    return cutSpans(this.#spans, from, to)
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

/** How far right the cursor can be sent. */
export const MOST_COLUMNS = 4096
