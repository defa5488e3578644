// Going from place to place in a log: to a line, to the next hit, to a moment. What is not at hand is fetched first.

import { hitIn, isHitHidden, reveal } from '../../console/hidden.js'
import { seqAt } from '../../console/moment.js'

/** @import {Lens} from '../../console/lens.js' */
/** @import {Search} from '../../console/search.js' */
/** @import {Address, Tape} from '../../console/tape.js' */
/** @import {StoredEvent} from '../../realtime/types.d.ts' */
/** @import {LogRows} from './rows.js' */

export class LogWalk {
  #tape
  #lens
  #rows
  #search
  #read
  #missed

  /** @param {object} options @param {Tape} options.tape @param {Lens} options.lens @param {LogRows} options.rows @param {Search} options.search @param {(seq: number) => Promise<StoredEvent | undefined>} options.read @param {(wasRemoved: boolean) => void} options.missed there is no such line, any more or at all */
  constructor({ tape, lens, rows, search, read, missed }) {
    this.#tape = tape
    this.#lens = lens
    this.#rows = rows
    this.#search = search
    this.#read = read
    this.#missed = missed
  }

  /** @param {Address} address @param {boolean} [marks] is it the current line from now on, or only the one at the top? @param {number} [column] that is to be seen */
  async goTo({ seq, n }, marks = true, column = 0) {
    const journey = ++this.#rows.journey
    this.#rows.letGo()
    const index = this.#tape.pageOf(seq)
    this.#tape.near = index
    await this.#tape.loadAll(Math.max(0, index - 1), Math.min(index + 1, this.#tape.length - 1))
    if (journey !== this.#rows.journey) return
    const page = this.#tape.page(index)
    const isThere = page && seq >= page.pieces[0].seq && seq <= page.lastSeq
    if (marks && !isThere) this.#missed(seq <= this.#tape.floor)
    if (!page) return
    const address = page.addressOf(page.find(seq, n))
    if (marks && isThere) this.#rows.current = address
    const { columns } = this.#lens
    this.#rows.show(address, marks ? 0.3 : 0, columns ? Math.floor(column / columns) : 0)
  }

  /** @param {1 | -1} direction */
  async toNextHit(direction) {
    const from = this.#rows.current ?? this.#rows.top ?? { seq: this.#tape.head + 1, n: 0 }
    const journey = ++this.#rows.journey
    const hit = await this.#search.next(from, direction)
    if (!hit || journey !== this.#rows.journey) return
    if (isHitHidden(this.#tape, this.#lens, hit)) reveal(this.#tape, this.#lens, hit)
    await this.goTo(hit, true, hitIn(this.#tape, this.#lens, hit)?.from)
  }

  /** @param {1 | -1} direction */
  async toNextLine(direction) {
    const from = this.#rows.current
    if (!from) this.#rows.current = this.#rows.top
    else {
      const index = this.#tape.pageOf(from.seq)
      const page = this.#tape.page(index)
      const sight = this.#tape.sight(index)
      if (!page || !sight) return this.goTo(from)
      const line = page.find(from.seq, from.n)
      const row = this.#tape.sums.before(index) + sight.rowOf(line)
      const next = this.#lineAt(direction > 0 ? row + this.#height(index, line) : row - 1)
      if (next) this.#rows.current = next
    }
    if (this.#rows.current) this.#rows.show(this.#rows.current)
  }

  async toBeginning() {
    if (!this.#tape.length) return
    await this.goTo({ seq: this.#tape.floor + 1, n: 0 }, false)
  }

  /** @param {number} at milliseconds since 1970 */
  async toMoment(at) {
    const journey = ++this.#rows.journey
    const seq = await seqAt(this.#tape, at, this.#read)
    if (journey === this.#rows.journey) await this.goTo({ seq, n: 0 })
  }

  /** @param {number} index @param {number} line */
  #height(index, line) {
    const { columns } = this.#lens
    return columns ? Math.max(1, Math.ceil(this.#tape.lines.line(index, line).cells / columns)) : 1
  }

  /** @param {number} row */
  #lineAt(row) {
    const { page: index, within } = this.#tape.sums.find(Math.min(row, this.#tape.rows - 1))
    const page = this.#tape.page(index)
    const sight = this.#tape.sight(index)
    return page && sight?.rows ? page.addressOf(sight.lineAt(Math.min(Math.floor(within), sight.rows - 1)).line) : null
  }
}
