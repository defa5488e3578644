// The lines of the pages at hand, put together from the pieces in which they were printed.

import { printed } from './printed.js'

/** @import {Lens} from './lens.js' */
/** @import {Page} from './page.js' */
/** @import {Printed} from './printed.js' */
/** @import {Shelf} from './shelf.js' */

/** Characters of one line that are read to show it. */
const LONGEST = 256 * 1024
const REMEMBERED = 3000
/** What is shorter, and has one style, is as quickly made again. */
const SHORT = 500

export class Lines {
  /** @type {Map<string, {size: number, line: Printed}>} */
  #known = new Map()
  #shelf
  #lens

  /** @param {Shelf} shelf @param {Lens} lens */
  constructor(shelf, lens) {
    this.#shelf = shelf
    this.#lens = lens
  }

  /** @param {number} index the page's @param {number} number the line's on that page @returns {Printed} */
  line(index, number) {
    const page = /** @type {Page} */ (this.#shelf.get(index))
    const { seq, n } = page.addressOf(number)
    const most = this.#lens.most(`${seq}.${n}`)
    const style = page.styles[number]
    const { raw, size } = this.raw(index, number, LONGEST)
    const key = `${seq}.${n}:${most}:${style}`
    const known = this.#known.get(key)
    if (known?.size === size) return known.line

    const line = printed(raw, style, most, Math.max(0, size - raw.length))
    if (line.spans.length > 1 || size > SHORT) this.#remember(key, { size, line })
    return line
  }

  /** All that was printed into a line, as far as it is at hand, and how much that is. @param {number} index @param {number} number @param {number} [longest] characters that are read @returns {{raw: string, size: number}} */
  raw(index, number, longest = Number.MAX_SAFE_INTEGER) {
    const page = /** @type {Page} */ (this.#shelf.get(index))
    const owner = page.owners[number]
    const { text, source, whole } = page.pieces[owner]
    const start = page.starts[number]
    const end = text.indexOf('\n', start)
    if (end >= 0 || whole) {
      const size = (end < 0 ? text.length : end) - start
      return { raw: text.slice(start, start + Math.min(size, longest)), size }
    }
    const parts = [text.slice(start, start + longest)]
    let size = text.length - start
    for (const more of this.#restOf(index, owner, source)) {
      if (size < longest) parts.push(more.slice(0, longest - size))
      size += more.length
    }
    return { raw: parts.join(''), size }
  }

  /** What the same source printed after a piece, up to the end of the line. @param {number} index @param {number} owner @param {string} source @returns {Iterable<string>} */
  *#restOf(index, owner, source) {
    let from = owner + 1
    for (let at = index; ; at++) {
      const page = this.#shelf.get(at)
      if (!page) return
      for (let n = from; n < page.pieces.length; n++) {
        const piece = page.pieces[n]
        if (piece.source !== source || piece.whole) continue
        if (piece.fresh) return
        const end = piece.text.indexOf('\n')
        yield end < 0 ? piece.text : piece.text.slice(0, end)
        if (end >= 0) return
      }
      from = 0
    }
  }

  /** @param {string} key @param {{size: number, line: Printed}} value */
  #remember(key, value) {
    if (this.#known.size >= REMEMBERED) this.#known.clear()
    this.#known.set(key, value)
  }
}
