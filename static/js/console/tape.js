// A topic's whole log as rows that can be looked at anywhere. New events are added at its end; everything else is
// fetched in pages, when it is wanted.

import { Lines } from './lines.js'
import { Loader } from './loader.js'
import { Page } from './page.js'
import { pieceOf } from './pieces.js'
import { Shelf } from './shelf.js'
import { Sight } from './sight.js'
import { Sums } from './sums.js'

/** @import {StoredEvent} from '../realtime/types.d.ts' */
/** @import {Lens} from './lens.js' */
/** @import {Range} from './loader.js' */
/** @import {Piece} from './pieces.js' */

/** @typedef {(before: number, limit: number) => Promise<{head: number, floor: number, events: StoredEvent[]} | null>} ReadBefore */
/** @typedef {{seq: number, n: number}} Address */

/** Events of a page. */
export const SIZE = 100

export class Tape {
  head = 0
  floor = 0
  /** Page around which one looks: what is far from it may be put away. */
  near = 0
  /** Rows, and the lines that take them, by page. */
  sums = new Sums()
  lineSums = new Sums()
  #shelf = new Shelf()
  /** @type {Map<number, Sight>} */
  #sights = new Map()
  /** Hits of each page, known as long as its lens is the same. @type {Map<number, number>} */
  #hits = new Map()
  /** Pages that one sees rightly only together with a later one, in which their lines end. @type {Map<number, number>} */
  #reaches = new Map()
  #loader = new Loader({
    isHere: (index) => this.isWhole(index),
    bring: (first, count) => this.#bring(first, count),
  })
  #readBefore
  #changed
  #lens

  /** @param {object} options @param {Lens} options.lens @param {ReadBefore} options.readBefore @param {() => void} options.changed rows have come, gone or moved */
  constructor({ lens, readBefore, changed }) {
    this.#lens = lens
    this.#readBefore = readBefore
    this.#changed = changed
    this.lines = new Lines(this.#shelf, lens)
  }

  /** Pages there are, at hand or not. */
  get length() {
    return Math.ceil((this.head - this.floor) / SIZE)
  }

  get rows() {
    return Math.round(this.sums.total)
  }

  get cost() {
    return this.#shelf.cost
  }

  /** @param {{head: number, floor: number}} where */
  begin({ head, floor }) {
    this.head = head
    this.floor = floor
    this.#grow()
  }

  /** @param {number} index */
  page(index) {
    return this.#shelf.get(index)
  }

  /** @param {number} index @returns {Sight | undefined} */
  sight(index) {
    const page = this.#shelf.get(index)
    if (!page) return undefined
    let sight = this.#sights.get(index)
    if (sight?.version !== this.#lens.version) {
      sight = new Sight(page, this.#lens, {
        cellsOf: (line) => this.lines.line(index, line).cells,
        textOf: (line) => this.lines.text(index, line),
      })
      this.#sights.set(index, sight)
      this.#count(index, sight)
    }
    return sight
  }

  /** @param {number} seq */
  pageOf(seq) {
    return Math.max(0, Math.min(this.length - 1, Math.floor((seq - this.floor - 1) / SIZE)))
  }

  /** Hits on a page, null if they are not known. @param {number} index */
  hitsOn(index) {
    return this.#hits.get(index) ?? null
  }

  /** The first page from `index` on of which it is not known; -1: there is none. @param {number} [index] */
  unknownFrom(index = 0) {
    if (this.#hits.size < this.length) for (let at = index; at < this.length; at++) if (!this.#hits.has(at)) return at
    return -1
  }

  /** Nothing that is looked for lies on a page that is not at hand. @param {number} index */
  ruleOut(index) {
    if (this.#shelf.has(index)) return
    this.#hits.set(index, 0)
    if (!this.#lens.isSelective) return
    this.sums.set(index, 0)
    this.lineSums.set(index, 0)
  }

  /** Put none of these pages away until they are released. @param {Range} range */
  hold(range) {
    this.#shelf.held.add(range)
  }

  /** @param {Range} range */
  release(range) {
    this.#shelf.held.delete(range)
  }

  // What comes and is fetched ----------------------------------------------------------------------

  /** Events that have just happened. @param {StoredEvent[]} events */
  push(events) {
    /** @type {Map<number, Piece[]>} */
    const fresh = new Map()
    for (const event of events) {
      if (event.seq <= this.head) continue
      this.head = event.seq
      const index = this.pageOf(event.seq)
      const pieces = fresh.get(index)
      if (pieces) pieces.push(pieceOf(event))
      else fresh.set(index, [pieceOf(event)])
    }
    if (!fresh.size) return
    this.#grow()
    for (const [index, pieces] of fresh) this.#extend(index, pieces)
    this.#tidy()
    this.#changed()
  }

  /** Events up to `head` have happened; they are fetched when they are wanted. @param {number} head */
  skipTo(head) {
    const last = this.length - 1
    this.head = Math.max(this.head, head)
    this.#grow()
    this.#forget(last)
    this.#changed()
  }

  /** Have a page at hand. @param {number} index */
  async load(index) {
    await this.loadAll(index, this.#reaches.get(index) ?? index)
  }

  /** Have pages at hand, several with one request. @param {number} first @param {number} last */
  async loadAll(first, last) {
    const range = { first, last: Math.max(last, this.#reaches.get(last) ?? last) }
    this.hold(range)
    try {
      await this.#loader.load(range)
    } finally {
      this.release(range)
    }
  }

  /** Pages that one request should bring. */
  get handy() {
    return this.#loader.handy
  }

  get isLoading() {
    return this.#loader.isLoading
  }

  /** Is all at hand that has happened on this page? @param {number} index */
  isWhole(index) {
    const page = this.#shelf.get(index)
    return page !== undefined && page.lastSeq >= Math.min(this.#lastOf(index), this.head)
  }

  /** @param {number} first @param {number} count */
  async #bring(first, count) {
    const answer = await this.#readBefore(this.#lastOf(first + count - 1) + 1, SIZE * count)
    const events = answer?.events ?? []
    for (let index = first; index < first + count; index++) {
      const after = this.floor + index * SIZE
      const pieces = events.filter(({ seq }) => seq > after && seq <= after + SIZE).map(pieceOf)
      if (!pieces.length) continue
      this.head = Math.max(this.head, pieces[pieces.length - 1].seq)
      this.#put(index, new Page(pieces, this.#shelf.carryBefore(index)))
    }
    this.#tidy()
    this.#changed()
  }

  /** @param {number} index @param {Page} page */
  #put(index, page) {
    this.#loader.learn(page.cost)
    this.#shelf.put(index, page)
    this.#sights.delete(index)
    this.sight(index)
    this.#link(index)
    this.#lookBack(index, page)
  }

  /** @param {number} index @param {Piece[]} pieces */
  #extend(index, pieces) {
    const page = this.#shelf.get(index)
    const first = this.floor + index * SIZE + 1
    if (!page && pieces[0].seq > first) return this.#forget(index)
    if (!page) return this.#put(index, new Page(pieces, this.#shelf.carryBefore(index)))
    if (page.lastSeq < pieces[0].seq - 1) return this.#forget(index)
    page.add(pieces.filter(({ seq }) => seq > page.lastSeq))
    const sight = this.sight(index)
    sight?.extend()
    if (sight) this.#count(index, sight)
    this.#lookBack(index, page)
  }

  /** Lines of earlier pages go on in what this page was given last. @param {number} index @param {Page} page */
  #lookBack(index, { reachingBack }) {
    const sources = new Set(reachingBack)
    for (let at = index - 1; sources.size; at--) {
      const page = this.#shelf.get(at)
      if (!page) return
      for (const source of sources) {
        const line = page.openLineOf(source)
        if (line === undefined) continue
        sources.delete(source)
        const sight = this.#sights.get(at)
        if (sight?.version !== this.#lens.version) continue
        const before = sight.seen
        sight.extend(line)
        this.#count(at, sight)
        if (sight.seen !== before) this.#reaches.set(at, Math.max(index, this.#reaches.get(at) ?? 0))
      }
    }
  }

  /** Lines go on from page to page: what comes after this one may begin elsewhere than was thought. @param {number} index */
  #link(index) {
    for (let at = index; ; at++) {
      const next = this.#shelf.get(at + 1)
      const carry = this.#shelf.get(at)?.carry
      if (!next || !carry || !next.follow(carry)) return
      this.#sights.delete(at + 1)
      this.sight(at + 1)
    }
  }

  /** @param {number} index */
  #forget(index) {
    if (index < 0) return
    this.#shelf.forget(index)
    this.#sights.delete(index)
    this.#hits.delete(index)
    this.sums.set(index, null)
    this.lineSums.set(index, null)
  }

  #tidy() {
    for (const index of this.#shelf.tidy(this.near, this.length - 1)) this.#sights.delete(index)
  }

  /** @param {number} index */
  #lastOf(index) {
    return this.floor + (index + 1) * SIZE
  }

  // How it is seen ---------------------------------------------------------------------------------

  /** The lens is another one: what is not at hand is not known any more. */
  lookAgain() {
    this.#sights.clear()
    this.#hits.clear()
    this.#reaches.clear()
    for (const sums of [this.sums, this.lineSums]) {
      sums.forgetAll()
      sums.guess = 0
    }
    for (const index of this.#shelf.indexes) this.sight(index)
    this.#changed()
  }

  /** Of some line on this page more is shown. @param {number} index */
  renew(index) {
    this.#sights.delete(index)
    this.sight(index)
    this.#changed()
  }

  /** @param {number} index @param {Sight} sight */
  #count(index, sight) {
    this.sums.set(index, sight.rows)
    this.lineSums.set(index, sight.lines)
    if (this.#lens.isLooking) this.#hits.set(index, sight.hits.length)
    // One looks for something: what was not looked through counts as nothing. Else as much as its neighbours.
    for (const sums of [this.sums, this.lineSums]) {
      sums.guess = this.#lens.isSelective ? 0 : Math.max(1, Math.round(sums.average ?? 1))
    }
  }

  #grow() {
    this.sums.growTo(this.length)
    this.lineSums.growTo(this.length)
  }
}
