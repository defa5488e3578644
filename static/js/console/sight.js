// What is seen of one page through a lens: which of its lines, in how many rows, and which of them are hits.

/** @import {Lens} from './lens.js' */
/** @import {Page} from './page.js' */

/** How many columns of a line are shown, and its text with what is not. @typedef {{cellsOf: (line: number) => number, textOf: (line: number) => string}} Read */

export class Sight {
  /** Lines that are seen; null: all. @type {number[] | null} */
  #shown = null
  /** Rows of the seen lines up to and with each; null: each has one. @type {number[] | null} */
  #tops = null
  /** Lines that are looked for. @type {number[]} */
  hits = []
  #looked = 0
  #page
  #lens
  #read
  #isPlain

  /** @param {Page} page @param {Lens} lens @param {Read} read */
  constructor(page, lens, read) {
    this.version = lens.version
    this.#page = page
    this.#lens = lens
    this.#read = read
    this.#isPlain = !lens.isLooking && !lens.folded.size && page.pieces.every((piece) => lens.wants(piece))
    if (!this.#isPlain) this.#shown = []
    if (lens.columns) this.#tops = []
    this.extend()
  }

  /** Lines that are seen, however many rows they take. */
  get lines() {
    return (this.#shown ?? this.#page.starts).length
  }

  get rows() {
    return this.#tops ? (this.#tops.at(-1) ?? 0) : this.lines
  }

  /** What there is of it in numbers, to tell whether it has changed. */
  get seen() {
    return `${this.rows} ${this.lines} ${this.hits.length}`
  }

  /** Lines were added to the page, or from some line on they are other than they were. @param {number} [changed] */
  extend(changed = this.#page.touched) {
    const page = this.#page
    if (this.#isPlain && page.pieces.length && !this.#lens.wants(page.pieces[page.pieces.length - 1])) {
      this.#isPlain = false
      this.#shown = []
      this.#looked = 0
      if (this.#tops) this.#tops = []
    }
    if (this.#isPlain && !this.#tops) return
    const from = Math.min(this.#looked, changed)
    this.#forgetFrom(from)
    for (let line = from; line < page.length; line++) this.#look(line)
    this.#looked = page.length
  }

  /** The line of a row, and which of its rows that is. @param {number} row */
  lineAt(row) {
    if (!this.#tops) return { line: this.#shown ? this.#shown[row] : row, part: 0 }
    const at = firstAbove(this.#tops, row)
    const before = at ? this.#tops[at - 1] : 0
    return { line: this.#shown ? this.#shown[at] : at, part: row - before }
  }

  /** Is this line one that is looked for? @param {number} line */
  isHit(line) {
    return this.hits[firstAbove(this.hits, line - 1)] === line
  }

  /** Is it what the lens asks for: a hit, or without words a line that is seen? @param {number} line */
  isFound(line) {
    const found = this.#lens.query.isEmpty ? this.#shown : this.hits
    return !found || found[firstAbove(found, line - 1)] === line
  }

  /** The first row of a line, or of the next that is seen. @param {number} line */
  rowOf(line) {
    const at = this.#shown ? firstAbove(this.#shown, line - 1) : line
    return this.#tops ? (at ? (this.#tops[at - 1] ?? 0) : 0) : at
  }

  /** @param {number} line */
  #look(line) {
    const { folded, query, onlyHits, columns } = this.#lens
    if (this.#shown) {
      const piece = this.#page.pieceOf(line)
      if (!this.#lens.wants(piece)) return
      if (folded.has(piece.source) && !this.#page.isBeginning(line)) return
      if (!query.isEmpty) {
        if (query.isIn(this.#read.textOf(line))) this.hits.push(line)
        else if (onlyHits) return
      }
      this.#shown.push(line)
    }
    if (this.#tops) {
      const rows = Math.max(1, Math.ceil(this.#read.cellsOf(line) / columns))
      this.#tops.push((this.#tops.at(-1) ?? 0) + rows)
    }
  }

  /** @param {number} line */
  #forgetFrom(line) {
    const kept = this.#shown ? firstAbove(this.#shown, line - 1) : line
    if (this.#shown) this.#shown.length = kept
    if (this.#tops) this.#tops.length = Math.min(this.#tops.length, kept)
    this.hits.length = firstAbove(this.hits, line - 1)
  }
}

/** Index of the first number above `limit`, in numbers that go up. @param {number[]} numbers @param {number} limit */
export function firstAbove(numbers, limit) {
  let [low, high] = [0, numbers.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (numbers[middle] > limit) high = middle
    else low = middle + 1
  }
  return low
}
