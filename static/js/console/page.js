// A stretch of a topic's events, and where in their text the lines begin. Lines are numbers until somebody looks at
// them: a page of thousands costs little more than its text.

import { Sgr } from '../text/sgr.js'

/** @import {Piece} from './pieces.js' */

/** How a source stands at the end of a piece: is its last line unfinished, with what style does it go on, what of an
 * escape sequence has come. @typedef {{open: boolean, style: string, cut: string}} Standing */
/** @typedef {Map<string, Standing>} Carry */

/** Characters that a piece and a line cost beside their text. */
const PIECE_COSTS = 160
const LINE_COSTS = 12

export class Page {
  /** @type {Piece[]} */
  pieces = []
  /** Per line: the piece in which it begins, where in it, and with what style. @type {number[]} */
  owners = []
  /** @type {number[]} */
  starts = []
  /** @type {string[]} */
  styles = []
  /** Per piece: its first line, and whether it goes on with an earlier one before that. @type {number[]} */
  #firsts = []
  /** @type {boolean[]} */
  #joins = []
  /** The first line that what was added last has changed. */
  touched = 0
  /** Lines that begin here only if their source had ended its last one before. @type {Map<string, number>} */
  guesses = new Map()
  /** Sources of it that went on with a line of an earlier page. @type {Set<string>} */
  reachingBack = new Set()
  /** The line that each source began last. @type {Map<string, number>} */
  #begun = new Map()
  /** @type {Carry} */
  #carry = new Map()
  #carried = ''
  #characters = 0

  /** @param {Piece[]} pieces @param {Carry | null} [carry] how the sources stand before it; null: unknown */
  constructor(pieces, carry = null) {
    this.#carry = new Map(carry)
    this.#carried = said(this.#carry)
    this.add(pieces)
  }

  /** Lines that begin here. */
  get length() {
    return this.starts.length
  }

  get lastSeq() {
    return this.pieces.at(-1)?.seq ?? 0
  }

  /** What it costs to keep this, in characters. */
  get cost() {
    return this.#characters + PIECE_COSTS * this.pieces.length + LINE_COSTS * this.length
  }

  /** How the sources stand after it. @returns {Carry} */
  get carry() {
    return this.#carry
  }

  /** @param {Piece[]} pieces */
  add(pieces) {
    this.touched = this.length
    this.reachingBack.clear()
    for (const piece of pieces) {
      this.pieces.push(piece)
      this.#characters += piece.text.length
      this.#index(this.pieces.length - 1)
    }
  }

  /** Is it other than was thought what comes before? Then the lines are found anew. @param {Carry} carry */
  follow(carry) {
    const carried = said(carry)
    if (carried === this.#carried) return false
    this.#carried = carried
    this.#carry = new Map(carry)
    this.touched = 0
    this.reachingBack.clear()
    this.#begun.clear()
    this.guesses.clear()
    this.owners.length = this.starts.length = this.styles.length = this.#firsts.length = this.#joins.length = 0
    for (let n = 0; n < this.pieces.length; n++) this.#index(n)
    return true
  }

  /** @param {number} line @returns {Piece} */
  pieceOf(line) {
    return this.pieces[this.owners[line]]
  }

  /** A line's address: the event in which it begins, and how many lines end in that before it. @param {number} line */
  addressOf(line) {
    const owner = this.owners[line]
    return { seq: this.pieces[owner].seq, n: line - this.#firsts[owner] + (this.#joins[owner] ? 1 : 0) }
  }

  /** The line with this address, or the nearest one. @param {number} seq @param {number} n */
  find(seq, n) {
    let [low, high] = [0, this.pieces.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.pieces[middle].seq < seq) low = middle + 1
      else high = middle
    }
    const owner = Math.min(low, this.pieces.length - 1)
    if (owner < 0) return 0
    const line = this.#firsts[owner] + n - (this.#joins[owner] ? 1 : 0)
    const after = this.#firsts[owner + 1] ?? this.length
    return Math.max(0, Math.min(line, Math.max(after, this.#firsts[owner] + 1) - 1, this.length - 1))
  }

  /** The line of this page, if any, with which a later page may go on. @param {string} source */
  openLineOf(source) {
    return this.#carry.get(source)?.open ? this.#begun.get(source) : undefined
  }

  /** Does a later page perhaps go on with this line? @param {number} line */
  isOpen(line) {
    const { source, whole } = this.pieceOf(line)
    return !whole && this.openLineOf(source) === line
  }

  /** Does a source begin to print with this line? @param {number} line */
  isBeginning(line) {
    const owner = this.owners[line]
    return this.pieces[owner].fresh && this.#firsts[owner] === line
  }

  /** @param {number} owner */
  #index(owner) {
    const { text, source, whole, fresh } = this.pieces[owner]
    this.#firsts.push(this.length)
    if (whole) {
      this.#joins.push(false)
      this.#indexWhole(owner, text)
      return
    }
    if (!fresh && !this.#carry.has(source)) this.guesses.set(source, this.length)
    // Who begins again has neither an open line nor a style.
    let { open, style, cut } = (!fresh && this.#carry.get(source)) || { open: false, style: '', cut: '' }
    const hasStyles = cut !== '' || text.includes('\x1b')
    this.#joins.push(open)
    if (open) this.#goOn(source)
    for (let at = 0; at < text.length; ) {
      if (!open) {
        this.#begun.set(source, this.length)
        this.#begin(owner, at, style)
      }
      const end = text.indexOf('\n', at)
      if (hasStyles) {
        const sgr = new Sgr(style)
        sgr.read(cut + text.slice(at, end < 0 ? text.length : end))
        style = sgr.style
        cut = end < 0 ? sgr.unfinished : ''
      }
      open = end < 0
      at = open ? text.length : end + 1
    }
    this.#carry.set(source, { open, style, cut })
  }

  /** @param {string} source */
  #goOn(source) {
    const line = this.#begun.get(source)
    if (line === undefined) this.reachingBack.add(source)
    else this.touched = Math.min(this.touched, line)
  }

  /** @param {number} owner @param {string} text */
  #indexWhole(owner, text) {
    let at = 0
    do {
      this.#begin(owner, at, '')
      at = text.indexOf('\n', at) + 1
    } while (at > 0 && at < text.length)
  }

  /** @param {number} owner @param {number} start @param {string} style */
  #begin(owner, start, style) {
    this.owners.push(owner)
    this.starts.push(start)
    this.styles.push(style)
  }
}

/** @param {Carry} carry */
function said(carry) {
  return JSON.stringify([...carry].filter(([, { open, style }]) => open || style).sort(([a], [b]) => (a < b ? -1 : 1)))
}
