// The lines of the pages at hand, put together from the pieces in which they were printed.

import { MOST_CELLS } from './lens.js'
import { lastWritten, printed, withoutReturn } from './printed.js'

/** @import {Lens} from './lens.js' */
/** @import {Page} from './page.js' */
/** @import {Printed} from './printed.js' */
/** @import {Shelf} from './shelf.js' */

/** Characters of one line that are read to show it, and to show more of it or look for something in it. */
const SHOWN = 256 * 1024
const ASKED_FOR = 4_000_000
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
    const address = page.addressOf(number)
    const most = this.#lens.most(address)
    const style = page.styles[number]
    const parts = this.#partsOf(index, number)
    const size = sizeOf(parts)
    const key = `${address.seq}.${address.n}:${most}:${style}`
    const known = this.#known.get(key)
    if (known?.size === size) return known.line

    const { raw, unread } = read(parts, most > MOST_CELLS ? ASKED_FOR : SHOWN)
    const line = printed(raw, style, most, unread)
    if (line.spans.length > 1 || size > SHORT) this.#remember(key, { size, line })
    return line
  }

  /** Another log begins, and its lines may have the addresses of these. */
  clear() {
    this.#known.clear()
  }

  /** A line's text, with what of it is not shown. @param {number} index @param {number} number */
  text(index, number) {
    const { text, hidden } = this.line(index, number)
    return hidden ? printed(read(this.#partsOf(index, number), ASKED_FOR).raw, '', ASKED_FOR).text : text
  }

  /** All that was printed into a line, as far as it is at hand. @param {number} index @param {number} number @returns {string[]} */
  #partsOf(index, number) {
    const page = /** @type {Page} */ (this.#shelf.get(index))
    const owner = page.owners[number]
    const start = page.starts[number]
    const { text, source, whole } = page.pieces[owner]
    const end = text.indexOf('\n', start)
    if (end >= 0) return [text.slice(start, end)]
    return whole ? [text.slice(start)] : [text.slice(start), ...this.#restOf(index, owner, source)]
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

/** No more than `longest` characters, and how many are left out of those that one might see. Of a line that is written over, the last ones count. @param {string[]} parts @param {number} longest */
function read(parts, longest) {
  const raw = withoutReturn(parts.join(''))
  if (raw.length <= longest) return { raw, unread: 0 }
  const last = lastWritten(raw, longest)
  return last === null ? { raw: raw.slice(0, longest), unread: raw.length - longest } : { raw: last, unread: 0 }
}

/** @param {string[]} parts */
function sizeOf(parts) {
  let size = 0
  for (const { length } of parts) size += length
  return size
}
