// Where in a log the window stands. Logs are taller than browsers can scroll, and their height is a guess until all
// pages were seen; so what counts is the row at the top. Small movements move by pixels, a drag of the scrollbar goes to
// that share of the log, and when all is still the scrollbar is put where it belongs.

/** Pixels: Firefox draws nothing beyond 17 million. */
const TALLEST = 12_000_000
/** Windows; more than that at once is a drag of the scrollbar. */
const FAR = 3
const STILL_AFTER = 150

export class LogScroll {
  /** The row at the top, with the part of it that is above. */
  row = 0
  rowHeight = 20
  /** Pixels of the window, and of all of its content. They are not asked for while things move, since that takes long. */
  height = 0
  #content = 0
  #rows = 0
  /** Between these two a movement by pixels is reckoned. */
  #base = { row: 0, px: 0 }
  #px = 0
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #stillTimer
  #isMoving = false
  #view
  #spacer

  /** @param {HTMLElement} view @param {HTMLElement} spacer gives the view its height */
  constructor(view, spacer) {
    this.#view = view
    this.#spacer = spacer
  }

  /** The window may be another size. */
  measure() {
    this.height = this.#view.clientHeight
  }

  /** Rows that fit into the window. */
  get visible() {
    return this.height / this.rowHeight
  }

  get lastRow() {
    return Math.max(0, this.#rows - this.visible)
  }

  get isAtEnd() {
    return this.row >= this.lastRow - 1.5
  }

  /** Does a person move it just now? */
  get isMoving() {
    return this.#isMoving
  }

  /** Pixels from the top of the content at which a row is, as things stand. @param {number} row */
  pixelsOf(row) {
    return this.#base.px + (row - this.#base.row) * this.rowHeight
  }

  /** There are so many rows, and the one at the top is this one. @param {number} rows @param {number} row */
  refresh(rows, row) {
    this.#rows = rows
    const content = Math.min(TALLEST, Math.max(1, rows * this.rowHeight))
    if (content !== this.#content) this.#spacer.style.height = `${content}px`
    this.#content = content
    this.row = Math.min(Math.max(0, row), this.lastRow)
    // Whoever moves is not moved.
    if (this.#isMoving && !this.#isStuck(this.#px)) this.#base = { row: this.row, px: this.#px }
    else this.#settle()
  }

  /** @param {number} row */
  goTo(row) {
    this.row = Math.min(Math.max(0, row), this.lastRow)
    this.#isMoving = false
    this.#settle()
  }

  /** The view was scrolled. false: it was us. @param {() => void} still called when it has come to rest */
  scrolled(still) {
    const px = this.#view.scrollTop
    const moved = px - this.#px
    if (Math.abs(moved) < 1) return false
    this.#px = px
    this.#isMoving = true
    const isFar = Math.abs(moved) > FAR * this.height
    const row = isFar ? this.#share(px) * this.lastRow : this.#base.row + (px - this.#base.px) / this.rowHeight
    this.row = Math.min(Math.max(0, row), this.lastRow)
    if (isFar || row !== this.row) this.#base = { row: this.row, px }
    if (this.#isStuck(px)) this.#settle()
    clearTimeout(this.#stillTimer)
    this.#stillTimer = setTimeout(() => {
      this.#isMoving = false
      this.#settle()
      still()
    }, STILL_AFTER)
    return true
  }

  stop() {
    clearTimeout(this.#stillTimer)
  }

  /** The scrollbar is at an end and the log is not. @param {number} px */
  #isStuck(px) {
    return (px < 1 && this.row > 0.5) || (px > this.#longest - 1 && this.row < this.lastRow - 0.5)
  }

  get #longest() {
    return Math.max(0, this.#content - this.height)
  }

  /** @param {number} px */
  #share(px) {
    return this.#longest ? px / this.#longest : 0
  }

  #settle() {
    const isWhole = this.#rows * this.rowHeight <= TALLEST
    const exact = isWhole ? this.row * this.rowHeight : (this.lastRow ? this.row / this.lastRow : 0) * this.#longest
    const px = Math.round(Math.min(exact, this.#longest))
    if (px !== this.#px) this.#view.scrollTop = px
    this.#px = px
    this.#base = { row: this.row, px }
  }
}
