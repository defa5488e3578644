// The pages of a log that are at hand, out of any number: those far from where one looks are put away when they cost
// too much, and are fetched again when somebody comes back.

/** @import {Range} from './loader.js' */
/** @import {Carry, Page} from './page.js' */

/** Characters, and what stands for them, that are kept at most. */
const MOST = 16_000_000

/** So many on either side of where one looks stay. */
const NEAR = 2

export class Shelf {
  /** Pages that somebody needs together. @type {Set<Range>} */
  held = new Set()
  /** @type {Map<number, Page>} */
  #pages = new Map()
  /** How the sources stood at the end of pages that were put away. @type {Map<number, Carry>} */
  #carries = new Map()

  /** @param {number} index */
  get(index) {
    return this.#pages.get(index)
  }

  /** @param {number} index */
  has(index) {
    return this.#pages.has(index)
  }

  get indexes() {
    return this.#pages.keys()
  }

  get cost() {
    let cost = 0
    for (const page of this.#pages.values()) cost += page.cost
    return cost
  }

  /** How the sources stand before a page, if that is known. @param {number} index */
  carryBefore(index) {
    return this.#pages.get(index - 1)?.carry ?? this.#carries.get(index - 1) ?? (index === 0 ? new Map() : null)
  }

  /** The nearest page before this one of which one has to know how a source stood, and does not; -1: it is known. @param {number} index @param {string} source */
  unknownBefore(index, source) {
    for (let at = index - 1; at >= 0; at--) {
      const carry = this.#pages.get(at)?.carry ?? this.#carries.get(at)
      if (!carry) return at
      if (carry.has(source)) return -1
    }
    return -1
  }

  /** @param {number} index @param {Page} page */
  put(index, page) {
    this.#pages.set(index, page)
  }

  /** @param {number} index */
  drop(index) {
    const page = this.#pages.get(index)
    if (page) this.#carries.set(index, page.carry)
    this.#pages.delete(index)
  }

  clear() {
    this.#pages.clear()
    this.#carries.clear()
  }

  /** It was not all there was: nothing of it is true any more. @param {number} index */
  forget(index) {
    this.#pages.delete(index)
    this.#carries.delete(index)
  }

  /** Put away what is farthest from `near`, until the rest costs little enough. @param {number} near @param {number} end the last page, which still grows @returns {number[]} what was put away */
  tidy(near, end) {
    let cost = this.cost
    if (cost <= MOST) return []
    const dropped = []
    const farthestFirst = [...this.#pages.keys()].sort((a, b) => Math.abs(b - near) - Math.abs(a - near))
    for (const index of farthestFirst) {
      if (cost <= MOST * 0.8) break
      if (index === end || Math.abs(index - near) <= NEAR || this.#isHeld(index)) continue
      cost -= this.#pages.get(index)?.cost ?? 0
      this.drop(index)
      dropped.push(index)
    }
    return dropped
  }

  /** @param {number} index */
  #isHeld(index) {
    for (const { first, last } of this.held) if (index >= first && index <= last) return true
    return false
  }
}
