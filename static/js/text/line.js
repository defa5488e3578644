// One line as a terminal would show it: text is written at a column, and a carriage return lets the next text write
// over it, as progress bars do.

/** @typedef {{text: string, style: string}} Span */

export class Line {
  /** @type {Span[]} */
  #spans = []
  #length = 0
  #column = 0

  get length() {
    return this.#length
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
    if (this.#column < this.#length) this.#overwrite(text, style)
    else {
      if (this.#column > this.#length) this.#append(' '.repeat(this.#column - this.#length), '')
      this.#append(text, style)
    }
    this.#column += text.length
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
  }

  clear() {
    this.#spans = []
    this.#length = 0
  }

  /** @param {string} text @param {string} style */
  #append(text, style) {
    const last = this.#spans.at(-1)
    if (last?.style === style) last.text += text
    else this.#spans.push({ text, style })
    this.#length += text.length
  }

  /** @param {string} text @param {string} style */
  #overwrite(text, style) {
    const end = this.#column + text.length
    const before = this.#cut(0, this.#column)
    const after = this.#cut(end, this.#length)
    this.#spans = [...before, { text, style }, ...after]
    this.#length = Math.max(this.#length, end)
  }

  /** @param {number} from @param {number} to */
  #cut(from, to) {
    const cut = []
    let at = 0
    for (const { text, style } of this.#spans) {
      const piece = text.slice(Math.max(0, from - at), Math.max(0, to - at))
      if (piece) cut.push({ text: piece, style })
      at += text.length
    }
    return cut
  }
}

/** A line that is longer goes on in the next one. */
export const MOST_COLUMNS = 4096
