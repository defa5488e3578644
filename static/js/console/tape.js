// A topic's whole log as rows that can be looked at anywhere. New events are added at its end; everything else is
// fetched in pages, when it is wanted.

import { Counts } from './counts.js'
import { Lines } from './lines.js'
import { Loader } from './loader.js'
import { Page } from './page.js'
import { pieceOf } from './pieces.js'
import { Shelf } from './shelf.js'
import { Sights } from './sights.js'
import { whole } from './whole.js'

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
  /** Up to here the log was removed. */
  floor = 0
  /** Page around which one looks: what is far from it may be put away. */
  near = 0
  #shelf = new Shelf()
  /** Pages that one sees rightly only together with a later one, in which their lines end. @type {Map<number, number>} */
  #reaches = new Map()
  #loader = new Loader({
    isHere: (index) => this.isWhole(index),
    bring: (first, count) => this.#bring(first, count),
  })
  /** The pages begin after this event. */
  #start = 0
  /** Goes up when another log begins. */
  #life = 0
  #lens
  #readBefore
  #changed
  #counts
  #sights

  /** @param {object} options @param {Lens} options.lens @param {ReadBefore} options.readBefore @param {() => void} options.changed rows have come, gone or moved */
  constructor({ lens, readBefore, changed }) {
    this.#lens = lens
    this.#readBefore = whole(readBefore)
    this.#changed = changed
    this.#counts = new Counts(lens)
    this.lines = new Lines(this.#shelf, lens)
    this.#sights = new Sights({ shelf: this.#shelf, lens, lines: this.lines, counts: this.#counts })
  }

  /** Pages there are, at hand or not. */
  get length() {
    return Math.ceil((this.head - this.#start) / SIZE)
  }

  get rows() {
    return Math.round(this.sums.total)
  }

  /** Rows, and the lines that take them, by page. */
  get sums() {
    return this.#counts.rows
  }

  get lineSums() {
    return this.#counts.lines
  }

  get cost() {
    return this.#shelf.cost
  }

  /** A log begins, or another one in its place. @param {{head: number, floor: number}} where */
  begin({ head, floor }) {
    this.#life += 1
    this.#shelf.clear()
    this.#sights.clear()
    this.#counts.clear()
    this.#reaches.clear()
    this.lines.clear()
    this.#lens.conceal()
    this.head = head
    this.floor = this.#start = floor
    this.#grow()
  }

  /** @param {number} index */
  page(index) {
    return this.#shelf.get(index)
  }

  /** @param {number} index */
  sight(index) {
    return this.#sights.of(index)
  }

  /** @param {number} seq */
  pageOf(seq) {
    return Math.max(0, Math.min(this.length - 1, Math.floor((seq - this.#start - 1) / SIZE)))
  }

  /** The event after which a page begins. @param {number} index */
  startOf(index) {
    return Math.max(this.floor, this.#start + index * SIZE)
  }

  /** Hits on a page, null if they are not known. @param {number} index */
  hitsOn(index) {
    return this.#counts.hitsOn(index)
  }

  /** The first page from `index` on of which it is not known; -1: there is none. @param {number} [index] */
  unknownFrom(index = 0) {
    return this.#counts.unknownFrom(index)
  }

  /** The page that tells whether something looked for on this one is the rest of an earlier line; -1: that is known. @param {number} index */
  unsureBefore(index) {
    return this.#sights.unsureBefore(index)
  }

  /** Nothing that is looked for lies on a page that is not at hand. @param {number} index */
  ruleOut(index) {
    if (!this.#shelf.has(index)) this.#counts.ruleOut(index)
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

  /** What lies up to `floor` was removed, and is seen only as long as it is at hand. @param {number} floor */
  raise(floor) {
    if (floor <= this.floor) return
    this.floor = floor
    this.head = Math.max(this.head, floor)
    this.#grow()
    this.#bury()
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

  /** Is all at hand that there is of this page? @param {number} index */
  isWhole(index) {
    if (this.#lastOf(index) <= this.floor) return true
    const page = this.#shelf.get(index)
    return page !== undefined && page.lastSeq >= Math.min(this.#lastOf(index), this.head)
  }

  /** @param {number} first @param {number} count */
  async #bring(first, count) {
    const life = this.#life
    const answer = await this.#readBefore(this.#lastOf(first + count - 1) + 1, SIZE * count)
    if (life !== this.#life) return
    const events = answer?.events ?? []
    this.raise(answer?.floor ?? 0)
    for (let index = first; index < first + count; index++) {
      const after = this.#start + index * SIZE
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
    this.#sights.drop(index)
    this.sight(index)
    this.#link(index)
    this.#lookBack(index, page)
  }

  /** @param {number} index @param {Piece[]} pieces */
  #extend(index, pieces) {
    const page = this.#shelf.get(index)
    const first = this.startOf(index) + 1
    if (!page && pieces[0].seq > first) return this.#forget(index)
    if (!page) return this.#put(index, new Page(pieces, this.#shelf.carryBefore(index)))
    if (page.lastSeq < pieces[0].seq - 1) return this.#forget(index)
    page.add(pieces.filter(({ seq }) => seq > page.lastSeq))
    this.sight(index)
    this.#sights.extend(index)
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
        if (this.#sights.extend(at, line)) this.#reaches.set(at, Math.max(index, this.#reaches.get(at) ?? 0))
      }
    }
  }

  /** Lines go on from page to page: what comes after this one may begin elsewhere than was thought. @param {number} index */
  #link(index) {
    for (let at = index; ; at++) {
      const next = this.#shelf.get(at + 1)
      const carry = this.#shelf.get(at)?.carry
      if (!next || !carry || !next.follow(carry)) return
      this.#sights.drop(at + 1)
      this.sight(at + 1)
    }
  }

  /** @param {number} index */
  #forget(index) {
    if (index < 0) return
    this.#shelf.forget(index)
    this.#sights.drop(index)
    this.#counts.forget(index)
  }

  #tidy() {
    const away = this.#shelf.tidy(this.near, this.length - 1)
    for (const index of away) this.#sights.drop(index)
    if (away.length) this.#bury()
  }

  /** Of pages that were removed, and are not at hand any more, there is nothing to see. */
  #bury() {
    for (let index = 0; index < this.length && this.#lastOf(index) <= this.floor; index++) {
      if (!this.#shelf.has(index)) this.#counts.setNone(index)
    }
  }

  /** @param {number} index */
  #lastOf(index) {
    return this.#start + (index + 1) * SIZE
  }

  // How it is seen ---------------------------------------------------------------------------------

  /** The lens is another one: what is not at hand is not known any more. */
  lookAgain() {
    this.#sights.clear()
    this.#counts.forgetAll()
    this.#reaches.clear()
    this.#bury()
    for (const index of this.#shelf.indexes) this.sight(index)
    this.#changed()
  }

  /** Of some line on this page more is shown. @param {number} index */
  renew(index) {
    this.#sights.drop(index)
    this.sight(index)
    this.#changed()
  }

  #grow() {
    this.#counts.growTo(this.length)
  }
}
