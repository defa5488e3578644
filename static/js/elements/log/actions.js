// What a person can do with a log, whichever button, key or place it came from.

import { reveal } from '../../console/hidden.js'
import { save } from './saver.js'

/** @import {Format} from '../../console/export.js' */
/** @import {Intake} from '../../console/intake.js' */
/** @import {Lens} from '../../console/lens.js' */
/** @import {Search} from '../../console/search.js' */
/** @import {Address, Tape} from '../../console/tape.js' */
/** @import {Page} from '../../realtime/types.d.ts' */
/** @import {LogRows} from './rows.js' */
/** @import {LogStatus} from './status.js' */
/** @import {LogTools} from './tools.js' */
/** @import {LogWalk} from './walk.js' */

const SAVED_AT_ONCE = 500

/**
 * @typedef {object} Parts
 * @property {LogTools} tools
 * @property {Tape} tape
 * @property {Lens} lens
 * @property {LogRows} rows
 * @property {Search} search
 * @property {Intake} intake
 * @property {LogWalk} walk
 * @property {LogStatus} status
 * @property {string} link the page on which lines have addresses; '' for this one
 * @property {string} name of files
 * @property {(where: {after: number, limit: number}, signal?: AbortSignal) => Promise<Page | null>} read
 */

export class LogActions {
  /** @type {AbortController | null} */
  #saving = null
  #parts

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts
  }

  /** Do something that may need the server. @param {() => Promise<void>} work @param {() => void} [again] how it is tried again */
  async attempt(work, again = () => this.attempt(work)) {
    try {
      await work()
    } catch (error) {
      const isOver = error instanceof DOMException && error.name === 'AbortError'
      if (!isOver) this.#parts.status.problem(error, again)
    }
    this.#parts.status.show()
  }

  // Where it stands ------------------------------------------------------------------------------

  pause() {
    const { intake, rows, status } = this.#parts
    intake.isPaused = !intake.isPaused
    status.say(intake.isPaused ? 'Paused. New lines wait.' : 'Goes on.')
    intake.pour()
    if (rows.follows && !intake.isPaused) intake.seen()
    status.show()
  }

  follow() {
    const { intake, rows } = this.#parts
    if (intake.isPaused) this.pause()
    rows.follow()
  }

  /** @param {1 | -1} direction */
  nextHit(direction) {
    const { lens, tools, walk } = this.#parts
    if (lens.query.isEmpty) tools.find.focus()
    else this.attempt(() => walk.toNextHit(direction))
  }

  /** @param {1 | -1} direction */
  nextLine(direction) {
    this.attempt(() => this.#parts.walk.toNextLine(direction))
  }

  toBeginning() {
    this.attempt(() => this.#parts.walk.toBeginning())
  }

  /** @param {number} at milliseconds since 1970 */
  toMoment(at) {
    this.attempt(() => this.#parts.walk.toMoment(at))
  }

  /** @param {Address} address */
  goTo(address) {
    this.attempt(() => this.#parts.walk.goTo(address))
  }

  // One line -------------------------------------------------------------------------------------

  /** Make a line the current one, and copy a link to it. @param {Address | null} [address] */
  async link(address = this.#parts.rows.current) {
    if (!address) return
    const { rows, link, status } = this.#parts
    const hash = `#L${address.seq}.${address.n}`
    if (!link) history.replaceState(history.state, '', hash)
    rows.current = address
    rows.letGo()
    rows.drawSoon()
    status.show()
    await this.#copy(new URL(link + hash, location.href).href, 'Link copied.')
  }

  async copyLine() {
    const at = this.#current()
    if (at) await this.#copy(at.text, 'Line copied.')
  }

  /** Show more of a line that is too long. @param {Address | null} [address] */
  reveal(address = this.#parts.rows.current) {
    if (!address) return
    const { rows, lens, tape } = this.#parts
    rows.letGo()
    reveal(tape, lens, address)
  }

  /** Fold the step of a line, or unfold it. @param {string} [source] */
  fold(source = this.#current()?.source) {
    if (!source) return
    const { lens, tape, rows } = this.#parts
    rows.letGo()
    lens.fold(source)
    tape.lookAgain()
  }

  /** @param {boolean} folded */
  foldAll(folded) {
    const { lens, tape, tools } = this.#parts
    const sources = [...tools.source.options].map(({ value }) => value).filter(Boolean)
    lens.set({ folded: new Set(folded ? sources : []) })
    tape.lookAgain()
  }

  // All of it ------------------------------------------------------------------------------------

  /** @param {Format} format */
  async save(format) {
    const { name, read, status } = this.#parts
    this.#saving?.abort()
    const saving = new AbortController()
    this.#saving = saving
    status.saved = 0
    const { signal } = saving
    const readAfter = (/** @type {number} */ after) => read({ after, limit: SAVED_AT_ONCE }, signal)
    const progress = (/** @type {number} */ share) => {
      status.saved = share
      status.show()
    }
    await this.attempt(
      () => save({ format, name, signal, readAfter, progress }),
      () => this.save(format),
    )
    if (this.#saving !== saving) return
    this.#saving = null
    status.saved = null
    status.show()
  }

  /** End what takes long: a download, or else a search. */
  stop() {
    if (this.#saving) {
      this.#saving.abort()
      this.#parts.status.say('The download was stopped.')
    } else this.#parts.search.stop()
  }

  /** Look through what was not looked through when it was stopped. */
  lookOn() {
    this.#parts.search.resume()
  }

  /** The current line's text and source. */
  #current() {
    const { rows, tape } = this.#parts
    const address = rows.current ?? rows.top
    if (!address) return null
    const index = tape.pageOf(address.seq)
    const page = tape.page(index)
    if (!page) return null
    const line = page.find(address.seq, address.n)
    return { text: tape.lines.line(index, line).text, source: page.pieceOf(line).source }
  }

  /** @param {string} text @param {string} words */
  async #copy(text, words) {
    try {
      await navigator.clipboard.writeText(text)
      this.#parts.status.say(words)
    } catch {
      this.#parts.status.say('The browser does not allow copying here; the address is in its address bar.')
    }
  }
}
