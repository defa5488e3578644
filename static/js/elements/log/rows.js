// The window onto a log: the rows that can be seen now, a few more above and below, and nothing else.

import { make } from '../make.js'
import { LogAnchor } from './anchor.js'
import { LogPins } from './pins.js'
import { LogRow } from './row.js'
import { LogScroll } from './scroll.js'

/** @import {Lens} from '../../console/lens.js' */
/** @import {Address, Tape} from '../../console/tape.js' */
/** @import {Shown} from './row.js' */

/** @typedef {{times: 'off' | 'relative' | 'absolute', start: number | null, digits: number}} Look */

const MORE_ROWS = 24
const PROBE = '0'.repeat(100)

/** What a person does who goes elsewhere in the log. */
const MOVES = ['wheel', 'touchmove', 'pointerdown', 'keydown']

export class LogRows {
  view = make('div', { className: 'lines', tabIndex: 0, role: 'log', ariaLabel: 'Log', ariaLive: 'off' })
  /** Does it stay at the end as the log grows? */
  follows = true
  /** @type {Address | null} */
  current = null
  /** Goes up with each place where somebody wants to be; who was on the way to an earlier one gives up. */
  journey = 0
  /** @type {Look} */
  look = { times: 'off', start: null, digits: 6 }
  /** Pages that are seen and not at hand, those in the middle first. @type {number[]} */
  wanted = []
  #spacer = make('div', { className: 'spacer', role: 'presentation' })
  #sheet = make('div', { className: 'sheet', role: 'presentation' })
  #probe = make('div', { className: 'line probe', ariaHidden: 'true' })
  #blanks = make('div', { className: 'blank', hidden: true })
  /** @type {Map<string, LogRow>} */
  #rows = new Map()
  /** @type {LogRow[]} */
  #spare = []
  #pins = new LogPins(this.#sheet)
  #anchor
  #origin = 0
  #widest = 0
  #isWrapping = true
  #charWidth = 8
  #frame = 0
  #tape
  #lens
  #nameOf
  #moved
  #resizes = new ResizeObserver(() => this.measure())

  /** @param {object} options @param {Tape} options.tape @param {Lens} options.lens @param {(source: string) => string} options.nameOf @param {() => void} options.moved another part of the log is seen */
  constructor({ tape, lens, nameOf, moved }) {
    this.#tape = tape
    this.#lens = lens
    this.#nameOf = nameOf
    this.#moved = moved
    const gutter = make('span', { className: 'gutter' })
    gutter.append(
      make('a', { className: 'number' }),
      make('time', { className: 'at' }),
      make('span', { className: 'who' }),
    )
    this.#probe.append(gutter, make('span', { className: 'text', textContent: PROBE }))
    this.#sheet.append(this.#probe, this.#blanks)
    this.view.append(this.#spacer, this.#sheet)
    this.scroll = new LogScroll(this.view, this.#spacer)
    this.#anchor = new LogAnchor(tape, this.scroll)
    this.view.addEventListener('scroll', () => this.#scrolled(), { passive: true })
    // Not with each `scroll`: a page that comes makes the log longer or shorter, and then the browser scrolls, too.
    for (const type of MOVES) {
      this.view.addEventListener(type, () => this.#goElsewhere(), { capture: true, passive: true })
    }
  }

  connect() {
    this.#resizes.observe(this.view)
    this.#pins.connect()
  }

  disconnect() {
    this.#resizes.disconnect()
    this.#pins.disconnect()
    this.scroll.stop()
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
  }

  /** @param {boolean} wraps */
  set wraps(wraps) {
    this.#isWrapping = wraps
    this.view.classList.toggle('wraps', wraps)
    this.#sheet.style.minWidth = ''
    this.#widest = 0
    this.measure()
  }

  /** How large a character and a row are may have changed. */
  measure() {
    this.scroll.measure()
    if (!this.scroll.height) return
    // What was drawn before it was seen, and so not wrapped, has widened what is measured.
    if (this.#isWrapping) {
      this.#sheet.style.minWidth = ''
      this.#widest = 0
    }
    this.view.style.setProperty('--digits', `${this.look.digits}ch`)
    const text = /** @type {HTMLElement} */ (this.#probe.lastElementChild)
    const range = document.createRange()
    range.selectNodeContents(text)
    this.#charWidth = range.getBoundingClientRect().width / PROBE.length || 8
    this.scroll.rowHeight = Math.round(parseFloat(getComputedStyle(this.#probe).lineHeight)) || 20
    const columns = Math.max(20, Math.floor(text.clientWidth / this.#charWidth))
    const wanted = this.#isWrapping ? columns : 0
    if (this.#lens.columns !== wanted) {
      this.#lens.set({ columns: wanted })
      this.#tape.lookAgain()
    }
    this.refresh()
  }

  /** Rows have come, gone or changed: what is seen stays where it is. */
  refresh() {
    const rows = this.#tape.rows
    this.scroll.refresh(rows, this.follows ? rows : this.#anchor.row)
    this.drawSoon()
  }

  drawSoon() {
    this.#frame ||= requestAnimationFrame(() => this.draw())
  }

  /** Stay at the end from now on. */
  follow() {
    this.journey += 1
    this.follows = true
    this.refresh()
    this.#moved()
  }

  /** Stay where it is from now on. */
  letGo() {
    if (!this.follows) return
    this.follows = false
    this.#anchor.drop()
  }

  /** Put a line into the window. @param {Address} address @param {number} [from] share of the window above it @param {number} [part] which of its rows */
  show(address, from = 0.3, part = 0) {
    this.journey += 1
    this.follows = false
    const row = this.#anchor.rowOf(address) + part
    const isSeen = row >= this.scroll.row + 1 && row <= this.scroll.row + this.scroll.visible - 2
    if (isSeen && from) this.#anchor.drop()
    else {
      const above = this.scroll.visible * from
      this.scroll.goTo(row - above)
      this.#anchor.dropAt(address, part - above)
    }
    this.drawSoon()
    this.#moved()
  }

  /** The line at the top of the window. @returns {Address | null} */
  get top() {
    return this.#anchor.top
  }

  // Where it stands ------------------------------------------------------------------------------

  #scrolled() {
    if (!this.scroll.scrolled(() => this.#rested())) return
    this.follows = this.scroll.isAtEnd
    this.#anchor.drop()
    this.draw()
    this.#moved()
  }

  #goElsewhere() {
    this.journey += 1
  }

  #rested() {
    this.drawSoon()
    this.#moved()
  }

  // Drawing --------------------------------------------------------------------------------------

  draw() {
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
    const { row, visible } = this.scroll
    const rows = this.#tape.rows
    const first = Math.max(0, Math.floor(row) - MORE_ROWS)
    const last = Math.min(rows, Math.ceil(row + visible) + MORE_ROWS)
    if (Math.abs(first - this.#origin) > 50_000) this.#origin = first
    this.#tape.near = this.#tape.sums.find(row).page
    this.#sheet.style.transform = `translateY(${this.scroll.pixelsOf(this.#origin)}px)`

    const before = this.#rows
    this.#rows = new Map()
    this.#write(first, last, before)
    for (const [key, old] of before) {
      if (this.#pins.has(old.element)) this.#rows.set(key, old)
      else {
        this.#spare.push(old)
        old.element.remove()
      }
    }
    this.#order()
  }

  /** @param {number} first @param {number} last @param {Map<string, LogRow>} before */
  #write(first, last, before) {
    const { sums } = this.#tape
    const top = Math.round(this.scroll.row)
    let { page, within } = sums.find(first)
    let source = ''
    let blanks = 0
    let blankFrom = 0
    /** @type {number[]} */
    const wanted = []
    within = Math.floor(within)
    for (let row = first; row < last && page < this.#tape.length; ) {
      const sight = this.#tape.sight(page)
      if (!this.#tape.isWhole(page)) wanted.push(page)
      const rows = sums.of(page) ?? Math.max(sums.guess, 0)
      if (!sight) {
        if (!blanks) blankFrom = row
        const rest = Math.max(0, Math.min(Math.round(rows) - within, last - row))
        blanks += rest
        row += rest
      } else {
        for (; within < sight.rows && row < last; within++, row++) {
          const at = sight.lineAt(within)
          const shown = this.#shown(page, at, source, row === top)
          source = shown.piece.source
          this.#put(shown, row, before)
          if (this.#goesOnElsewhere(page, at.line)) wanted.push(page + 1)
        }
      }
      page += 1
      within = 0
    }
    this.wanted = wanted
    this.#blanks.hidden = blanks === 0
    if (blanks) {
      this.#blanks.style.transform = `translateY(${(blankFrom - this.#origin) * this.scroll.rowHeight}px)`
      this.#blanks.style.height = `${blanks * this.scroll.rowHeight}px`
    }
  }

  /** Does a line perhaps end on a page that is not at hand? @param {number} index @param {number} line */
  #goesOnElsewhere(index, line) {
    if (index + 1 >= this.#tape.length || this.#tape.isWhole(index + 1)) return false
    return this.#tape.page(index)?.isOpen(line) ?? false
  }

  /** @param {number} index @param {{line: number, part: number}} where @param {string} above the source of the row above @param {boolean} isTop @returns {Shown} */
  #shown(index, { line: number, part }, above, isTop) {
    const page = /** @type {import('../../console/page.js').Page} */ (this.#tape.page(index))
    const line = this.#tape.lines.line(index, number)
    const piece = page.pieceOf(number)
    const { seq, n } = page.addressOf(number)
    const { columns, query, folded } = this.#lens
    const places = query.placesIn(line.text)
    const isBeginning = part === 0 && page.isBeginning(number)
    return {
      address: `${seq}.${n}`,
      piece,
      line,
      part,
      columns,
      name: piece.source !== above || isTop || isBeginning ? this.#nameOf(piece.source) : '',
      times: this.look.times,
      start: this.look.start,
      isCurrent: this.current?.seq === seq && this.current.n === n,
      isLast: !columns || (part + 1) * columns >= line.cells,
      fold: isBeginning && piece.source ? (folded.has(piece.source) ? 'folded' : 'open') : '',
      places,
      isFoundBeyond: line.hidden > 0 && !places.length && (this.#tape.sight(index)?.isHit(number) ?? false),
    }
  }

  /** @param {Shown} shown @param {number} row @param {Map<string, LogRow>} before */
  #put(shown, row, before) {
    const key = `${shown.address}/${shown.part}`
    const one = before.get(key) ?? this.#spare.pop() ?? new LogRow()
    before.delete(key)
    one.key = key
    one.write(shown)
    one.moveTo((row - this.#origin) * this.scroll.rowHeight)
    this.#rows.set(key, one)
    if (!shown.columns && shown.line.cells > this.#widest) {
      this.#widest = shown.line.cells
      this.#sheet.style.minWidth = `calc(var(--gutter) + ${this.#widest + 4}ch)`
    }
  }

  /** Rows stand in the document as they stand on the screen, so that a selection goes through them in order. */
  #order() {
    let rows = [...this.#rows.values()]
    if (this.#pins.any) rows = rows.sort((a, b) => a.top - b.top)
    let next = this.#blanks.nextSibling
    for (const { element } of rows) {
      if (element === next) next = next.nextSibling
      else this.#sheet.insertBefore(element, next)
    }
  }
}
