// What is seen of the pages at hand, made when somebody looks, and counted.

import { Sight } from './sight.js'

/** @import {Counts} from './counts.js' */
/** @import {Lens} from './lens.js' */
/** @import {Lines} from './lines.js' */
/** @import {Shelf} from './shelf.js' */

export class Sights {
  /** @type {Map<number, Sight>} */
  #sights = new Map()
  #shelf
  #lens
  #lines
  #counts

  /** @param {object} options @param {Shelf} options.shelf @param {Lens} options.lens @param {Lines} options.lines @param {Counts} options.counts */
  constructor({ shelf, lens, lines, counts }) {
    this.#shelf = shelf
    this.#lens = lens
    this.#lines = lines
    this.#counts = counts
  }

  /** @param {number} index @returns {Sight | undefined} */
  of(index) {
    const page = this.#shelf.get(index)
    if (!page) return undefined
    const known = this.#sights.get(index)
    if (known?.version === this.#lens.version) return known
    const sight = new Sight(page, this.#lens, {
      cellsOf: (line) => this.#lines.line(index, line).cells,
      textOf: (line) => this.#lines.text(index, line),
    })
    this.#sights.set(index, sight)
    this.#counts.set(index, sight)
    return sight
  }

  /** Lines were added to a page, or from some line on they are other than they were. Does one see anything of that? @param {number} index @param {number} [line] */
  extend(index, line) {
    const sight = this.#sights.get(index)
    if (sight?.version !== this.#lens.version) return false
    const before = sight.seen
    sight.extend(line)
    this.#counts.set(index, sight)
    return sight.seen !== before
  }

  /** The page that tells whether something looked for on this one is the rest of an earlier line; -1: that is known. @param {number} index */
  unsureBefore(index) {
    const guesses = this.#shelf.get(index)?.guesses ?? []
    const sight = this.of(index)
    for (const [source, line] of this.#lens.canRestsDeceive ? guesses : []) {
      const at = sight?.isFound(line) ? this.#shelf.unknownBefore(index, source) : -1
      if (at >= 0) return at
    }
    return -1
  }

  /** @param {number} index */
  drop(index) {
    this.#sights.delete(index)
  }

  clear() {
    this.#sights.clear()
  }
}
