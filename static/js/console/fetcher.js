// Fetches what is seen and not at hand, one request at a time, always for where one looks now; then what may be seen next.
// What a server does not give is not asked for again at once.

import { Problem } from '../realtime/problem.js'

/** @import {Lens} from './lens.js' */
/** @import {Tape} from './tape.js' */

const NEIGHBOURS = 2

export class Fetcher {
  #isAtWork = false
  #tape
  #lens
  #wanted
  #came
  #failed

  /** @param {object} options @param {Tape} options.tape @param {Lens} options.lens @param {() => number[]} options.wanted pages that are seen and not at hand @param {() => void} options.came @param {(error: unknown) => void} options.failed */
  constructor({ tape, lens, wanted, came, failed }) {
    this.#tape = tape
    this.#lens = lens
    this.#wanted = wanted
    this.#came = came
    this.#failed = failed
  }

  /** Is there nothing that it would fetch? */
  get isDone() {
    return this.#next() === null
  }

  async fetch() {
    if (this.#isAtWork) return
    this.#isAtWork = true
    try {
      for (let pages = this.#next(); pages; pages = this.#next()) {
        const before = this.#tape.page(pages[0])?.lastSeq
        await this.#tape.loadAll(...pages)
        const isMissing = !this.#tape.isWhole(pages[0]) && this.#tape.page(pages[0])?.lastSeq === before
        if (isMissing) throw new Problem('unavailable', 'A part of the log did not come.')
        this.#came()
      }
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#isAtWork = false
    }
  }

  /** @returns {[number, number] | null} the first and the last of them */
  #next() {
    const wanted = this.#wanted()
    if (wanted.length) {
      let last = wanted[0]
      while (wanted.includes(last + 1)) last += 1
      return [wanted[0], last]
    }
    if (this.#lens.isSelective) return null
    const from = Math.max(0, this.#tape.near - NEIGHBOURS)
    const to = Math.min(this.#tape.length - 1, this.#tape.near + NEIGHBOURS)
    for (let index = from; index <= to; index++) if (!this.#tape.isWhole(index)) return [index, to]
    return null
  }
}
