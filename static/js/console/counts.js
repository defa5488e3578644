// How many rows, lines and hits each page of a log has, as far as that is known.

import { Sums } from './sums.js'

/** @import {Lens} from './lens.js' */
/** @import {Sight} from './sight.js' */

export class Counts {
  rows = new Sums()
  lines = new Sums()
  /** Known as long as the lens is the same. @type {Map<number, number>} */
  #hits = new Map()
  #lens

  /** @param {Lens} lens */
  constructor(lens) {
    this.#lens = lens
  }

  /** @param {number} length */
  growTo(length) {
    this.rows.growTo(length)
    this.lines.growTo(length)
  }

  /** @param {number} index @param {Sight} sight */
  set(index, { rows, lines, hits }) {
    this.rows.set(index, rows)
    this.lines.set(index, lines)
    if (this.#lens.isLooking) this.#hits.set(index, hits.length)
    // One looks for something: what was not looked through counts as nothing. Else as much as its neighbours.
    for (const sums of [this.rows, this.lines]) {
      sums.guess = this.#lens.isSelective ? 0 : Math.max(1, Math.round(sums.average ?? 1))
    }
  }

  /** There is nothing on a page. @param {number} index */
  setNone(index) {
    this.rows.set(index, 0)
    this.lines.set(index, 0)
    this.#hits.set(index, 0)
  }

  /** What is looked for is not on a page. @param {number} index */
  ruleOut(index) {
    if (this.#lens.isSelective) this.setNone(index)
    else this.#hits.set(index, 0)
  }

  /** @param {number} index */
  forget(index) {
    this.#hits.delete(index)
    this.rows.set(index, null)
    this.lines.set(index, null)
  }

  /** There are no pages any more. */
  clear() {
    this.#hits.clear()
    this.rows.clear()
    this.lines.clear()
  }

  forgetAll() {
    this.#hits.clear()
    for (const sums of [this.rows, this.lines]) {
      sums.forgetAll()
      sums.guess = 0
    }
  }

  /** Hits on a page, null if they are not known. @param {number} index */
  hitsOn(index) {
    return this.#hits.get(index) ?? null
  }

  /** The first page from `index` on of which it is not known; -1: there is none. @param {number} [index] */
  unknownFrom(index = 0) {
    const { length } = this.rows
    if (this.#hits.size < length) for (let at = index; at < length; at++) if (!this.#hits.has(at)) return at
    return -1
  }
}
