// Looks through a whole log, from its end to its beginning, page by page, and knows where the hits are.

/** @import {Lens} from './lens.js' */
/** @import {Address, Tape} from './tape.js' */

/** @typedef {Address & {page: number}} Hit */

const BREATHE = 4

export class Search {
  /** Why it stopped before the end. @type {unknown} */
  problem = null
  #run = 0
  #next = -1
  #tape
  #lens
  #changed

  /** @param {object} options @param {Tape} options.tape @param {Lens} options.lens @param {() => void} options.changed it got further */
  constructor({ tape, lens, changed }) {
    this.#tape = tape
    this.#lens = lens
    this.#changed = changed
  }

  get isRunning() {
    return this.#next >= 0
  }

  /** Looked through, from 0 to 1. */
  get share() {
    return this.#tape.length ? 1 - (this.#next + 1) / this.#tape.length : 1
  }

  stop() {
    this.#run += 1
    this.#next = -1
    this.#changed()
  }

  /** Begin again, with what the lens asks for now. */
  async start() {
    this.stop()
    this.problem = null
    if (!this.#lens.isLooking) return
    const run = this.#run
    this.#next = this.#tape.length - 1
    try {
      while (run === this.#run && this.#next >= 0) await this.#look()
    } catch (error) {
      if (run !== this.#run) return
      this.problem = error
      this.#next = -1
    }
    if (run === this.#run) this.#changed()
  }

  async #look() {
    const last = this.#next
    const first = Math.max(0, last - this.#tape.handy + 1)
    if (this.#isUnknown(first, last)) await this.#tape.loadAll(first, last)
    for (let index = first; index <= last; index++) this.#tape.sight(index)
    if (this.#next !== last) return
    this.#next = first - 1
    this.#changed()
    // Others want to draw, too.
    await new Promise((resolve) => setTimeout(resolve, BREATHE))
  }

  /** @param {number} first @param {number} last */
  #isUnknown(first, last) {
    for (let index = first; index <= last; index++) if (this.#tape.hitsOn(index) === null) return true
    return false
  }

  // Hits ---------------------------------------------------------------------------------------------

  get count() {
    let count = 0
    for (let index = 0; index < this.#tape.length; index++) count += this.#tape.hitsOn(index) ?? 0
    return count
  }

  /** Which of the hits this one is, from 1; 0 if it is none. @param {Address} address */
  placeOf(address) {
    const at = this.#tape.pageOf(address.seq)
    const page = this.#tape.page(at)
    const among = page ? (this.#tape.sight(at)?.hits.indexOf(page.find(address.seq, address.n)) ?? -1) : -1
    if (among < 0) return 0
    let before = 0
    for (let index = 0; index < at; index++) before += this.#tape.hitsOn(index) ?? 0
    return before + among + 1
  }

  /** The next hit after an address, or the one before it, round the end. @param {Address} from @param {1 | -1} direction @returns {Promise<Hit | null>} */
  async next(from, direction) {
    const start = this.#tape.pageOf(from.seq)
    const { length } = this.#tape
    for (let step = 0; step <= length; step++) {
      const index = (((start + step * direction) % length) + length) % length
      if (this.#tape.hitsOn(index) === 0) continue
      if (this.#tape.hitsOn(index) === null && this.#next < 0) continue
      await this.#tape.load(index)
      const page = this.#tape.page(index)
      const hits = this.#tape.sight(index)?.hits ?? []
      if (!page || !hits.length) continue
      const here = page.find(from.seq, from.n)
      const wanted = step === 0 ? hits.filter((hit) => (direction > 0 ? hit > here : hit < here)) : hits
      const hit = direction > 0 ? wanted[0] : wanted.at(-1)
      if (hit !== undefined) return { page: index, ...page.addressOf(hit) }
    }
    return null
  }
}
