// Looks through a whole log, from its beginning to its end, and knows where the hits are. The server says on which pages
// there may be any; only those are fetched and looked at.

import { questionsOf } from './questions.js'

/** @import {Lens} from './lens.js' */
/** @import {Range} from './loader.js' */
/** @import {Question} from './questions.js' */
/** @import {Address, Tape} from './tape.js' */

/** @typedef {Address & {page: number}} Hit */
/** What the server says: first and last event of each place, among those up to `scanned_to`. @typedef {{reset: boolean, head: number, floor: number, scanned_to?: number, places?: [number, number][]}} Places */
/** @typedef {(after: number, question: Question, signal: AbortSignal) => Promise<Places>} FindPlaces */

const BREATHE = 4
/** A line that goes on for longer than so many pages is looked at in parts. */
const HELD = 8

export class Search {
  /** Why it stopped before the end. @type {unknown} */
  problem = null
  #work = new AbortController()
  /** The page that is looked at next, or would be if it went on. */
  #next = 0
  #isRunning = false
  #isDone = false
  #tape
  #lens
  #find
  #changed

  /** @param {object} options @param {Tape} options.tape @param {Lens} options.lens @param {FindPlaces | null} [options.find] null: all of it is fetched @param {() => void} options.changed it got further */
  constructor({ tape, lens, find = null, changed }) {
    this.#tape = tape
    this.#lens = lens
    this.#find = find
    this.#changed = changed
  }

  get isRunning() {
    return this.#isRunning
  }

  /** Was all looked through that there is, so that nothing else can be found? */
  get isDone() {
    return this.#isDone
  }

  /** Looked through, from 0 to 1. */
  get share() {
    return this.#tape.length && this.isRunning ? this.#next / this.#tape.length : 1
  }

  stop() {
    this.#work.abort()
    this.#isRunning = this.#isDone = false
    this.#changed()
  }

  /** Begin again, with what the lens asks for now. */
  async start() {
    this.problem = null
    if (!this.#lens.isLooking) this.stop()
    else await this.#run(0, questionsOf(this.#lens))
  }

  /** Go on where it was stopped, or failed. */
  async resume() {
    this.problem = null
    await this.#run(Math.max(0, this.#next - HELD), questionsOf(this.#lens))
  }

  /** Look at what has come since, and was not seen when it came. */
  async goOn() {
    const first = this.#isDone && this.#lens.isLooking ? this.#tape.unknownFrom() : -1
    if (first < 0) return
    const isFar = this.#tape.length - first > HELD
    await this.#run(isFar ? Math.max(0, first - HELD) : first, isFar ? questionsOf(this.#lens) : null)
  }

  /** @param {number} first @param {Question[] | null} questions */
  async #run(first, questions) {
    this.#work.abort()
    this.#work = new AbortController()
    const { signal } = this.#work
    this.#isRunning = true
    this.#isDone = false
    this.#next = first
    this.#changed()
    try {
      while (this.#next < this.#tape.length) {
        if (questions && this.#find) await this.#lookWhereTheServerSays(questions, signal)
        else await this.#lookThrough({ first: this.#next, last: this.#tape.length - 1 }, signal)
      }
      this.#isDone = true
    } catch (error) {
      if (signal.aborted) return
      this.problem = error
    }
    this.#isRunning = false
    this.#changed()
  }

  /** @param {Question[]} questions @param {AbortSignal} signal */
  async #lookWhereTheServerSays(questions, signal) {
    const first = this.#next
    const { last, ranges } = await this.#ask(questions, first, signal)
    for (let index = first, at = 0; index <= last; index++) {
      while (at < ranges.length && ranges[at].last < index) at += 1
      if (at === ranges.length || index < ranges[at].first) this.#tape.ruleOut(index)
    }
    for (const range of ranges) await this.#lookThrough(range, signal)
    this.#next = last + 1
    this.#changed()
  }

  /** On which pages from `first` on there may be something, and the last one of which that is known. @param {Question[]} questions @param {number} first @param {AbortSignal} signal @returns {Promise<{last: number, ranges: Range[]}>} */
  async #ask(questions, first, signal) {
    const tape = this.#tape
    const find = /** @type {FindPlaces} */ (this.#find)
    const end = tape.length - 1
    let last = end
    /** @type {Range[]} */
    const ranges = []
    for (const question of questions) {
      const { reset, head, floor, scanned_to = 0, places = [] } = await find(tape.startOf(first), question, signal)
      signal.throwIfAborted()
      if (reset && floor > tape.floor) {
        tape.raise(floor)
        return await this.#ask(questions, first, signal)
      }
      // It is another log by now; whoever follows it is told.
      if (reset) return { last: end, ranges: [{ first, last: end }] }
      if (scanned_to < Math.min(head, tape.head)) last = Math.min(last, tape.pageOf(scanned_to + 1) - 1)
      for (const [from, to] of places) {
        ranges.push({ first: Math.max(first, tape.pageOf(from)), last: tape.pageOf(to) })
      }
    }
    // Events so large that not even one page was looked through; and the last page is where live lines are added.
    if (last < first) {
      last = first
      ranges.push({ first, last })
    }
    if (last === end) ranges.push({ first: end, last: end })
    return { last, ranges: merged(ranges.filter((range) => range.first <= last)) }
  }

  /** @param {Range} range @param {AbortSignal} signal */
  async #lookThrough({ first, last }, signal) {
    const held = { first, last: first }
    this.#tape.hold(held)
    try {
      for (let from = first; from <= last; from = this.#next) {
        held.first = Math.max(first, from - HELD)
        held.last = Math.min(last, from + this.#tape.handy - 1)
        await this.#tape.loadAll(from, held.last)
        signal.throwIfAborted()
        for (let index = from; index <= held.last; index++) this.#tape.sight(index)
        if (from === first) await this.#makeSure(held, signal)
        this.#next = held.last + 1
        this.#changed()
        // Others want to draw, too.
        await new Promise((resolve) => setTimeout(resolve, BREATHE))
        signal.throwIfAborted()
      }
    } finally {
      this.#tape.release(held)
    }
  }

  /** What was found first may be the rest of an earlier line: look at where that begins. @param {Range} held @param {AbortSignal} signal */
  async #makeSure(held, signal) {
    const { first } = held
    for (let at = this.#tape.unsureBefore(first); at >= 0 && first - at <= HELD; at = this.#tape.unsureBefore(first)) {
      held.first = at
      await this.#tape.load(at)
      signal.throwIfAborted()
      if (!this.#tape.page(at)) return
    }
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
      if (this.#tape.hitsOn(index) === null && !this.isRunning) continue
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

/** The same in order, those that overlap or touch as one. @param {Range[]} ranges */
function merged(ranges) {
  /** @type {Range[]} */
  const merged = []
  for (const range of ranges.sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1)
    if (before && range.first <= before.last + 1) before.last = Math.max(before.last, range.last)
    else merged.push(range)
  }
  return merged
}
