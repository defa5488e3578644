// The line at the top of the window, so that what is seen stays where it is when rows come, go or change above it.

/** @import {Address, Tape} from '../../console/tape.js' */
/** @import {LogScroll} from './scroll.js' */

/** @typedef {{seq: number, n: number, part: number, page: number, within: number}} Anchor */

export class LogAnchor {
  /** @type {Anchor} */
  #anchor = { seq: 0, n: 0, part: 0, page: 0, within: 0 }
  #tape
  #scroll

  /** @param {Tape} tape @param {LogScroll} scroll */
  constructor(tape, scroll) {
    this.#tape = tape
    this.#scroll = scroll
  }

  /** Drop it where the window is now. */
  drop() {
    const { page, within } = this.#tape.sums.find(this.#scroll.row)
    const sight = this.#tape.sight(page)
    const found = this.#tape.page(page)
    this.#anchor = { seq: 0, n: 0, part: 0, page, within }
    if (!sight?.rows || !found) return
    const row = Math.min(Math.floor(within), sight.rows - 1)
    const { line, part } = sight.lineAt(row)
    this.#anchor = { ...found.addressOf(line), part: part + within - row, page, within }
  }

  /** Drop it where the window would be, were there rows enough. @param {Address} address @param {number} part rows from the line's first one to the top of the window */
  dropAt({ seq, n }, part) {
    this.#anchor = { seq, n, part, page: this.#tape.pageOf(seq), within: 0 }
  }

  /** The row at which it lies by now. */
  get row() {
    return this.#rowOf(this.#anchor)
  }

  /** @param {Address} address */
  rowOf({ seq, n }) {
    return this.#rowOf({ seq, n, part: 0, page: this.#tape.pageOf(seq), within: 0 })
  }

  /** The first line that is seen whole, but for a pixel. @returns {Address | null} */
  get top() {
    const { page, within } = this.#tape.sums.find(Math.ceil(this.#scroll.row - 0.05))
    const sight = this.#tape.sight(page)
    const found = this.#tape.page(page)
    if (!sight?.rows || !found) return null
    return found.addressOf(sight.lineAt(Math.min(Math.floor(within), sight.rows - 1)).line)
  }

  /** @param {Anchor} anchor */
  #rowOf({ seq, n, part, page: index, within }) {
    if (!seq) return this.#tape.sums.before(index) + within
    const at = this.#tape.pageOf(seq)
    const page = this.#tape.page(at)
    const sight = this.#tape.sight(at)
    const before = this.#tape.sums.before(at)
    return page && sight ? before + sight.rowOf(page.find(seq, n)) + part : before + within
  }
}
