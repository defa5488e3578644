// What a log says about itself: how many lines, how far a search is, what is new, and what went wrong.

/** @import {Intake} from '../../console/intake.js' */
/** @import {Lens} from '../../console/lens.js' */
/** @import {Search} from '../../console/search.js' */
/** @import {Tape} from '../../console/tape.js' */
/** @import {LogRows} from './rows.js' */
/** @import {LogTools} from './tools.js' */

const SAY_AGAIN = 15_000

const NUMBER = new Intl.NumberFormat()

export class LogStatus {
  /** How far a download is, from 0 to 1; null: there is none. @type {number | null} */
  saved = null
  isReady = false
  /** @type {(() => void) | null} */
  #again = null
  #problem = ''
  #toldAt = 0
  #told = 0
  #tools
  #tape
  #lens
  #rows
  #search
  #intake
  #nothing

  /** @param {object} parts @param {LogTools} parts.tools @param {Tape} parts.tape @param {Lens} parts.lens @param {LogRows} parts.rows @param {Search} parts.search @param {Intake} parts.intake @param {() => string} parts.nothing what is said of a log without lines */
  constructor({ tools, tape, lens, rows, search, intake, nothing }) {
    this.#tools = tools
    this.#tape = tape
    this.#lens = lens
    this.#rows = rows
    this.#search = search
    this.#intake = intake
    this.#nothing = nothing
    tools.again.onclick = () => {
      const again = this.#again
      this.problem(null)
      again?.()
    }
  }

  show() {
    const { count, pause, follow } = this.#tools
    const rows = this.#tape.rows
    const { isPaused, lines } = this.#intake
    count.textContent = this.#countInWords()
    pause.textContent = isPaused ? (lines ? `Resume: ${NUMBER.format(lines)} new` : 'Resume') : 'Pause'
    pause.toggleAttribute('data-paused', isPaused)
    follow.hidden = this.#rows.follows || rows === 0 || isPaused
    follow.textContent = lines ? `↓ Jump to latest: ${NUMBER.format(lines)} new` : '↓ Jump to latest'
    this.#showHits()
    this.#showWork()
    this.#showState(rows)
    this.#tell(lines)
  }

  /** Say something once, also to who does not see. @param {string} words */
  say(words) {
    this.#tools.status.textContent = words
  }

  /** Say what went wrong, and how to try it again; null takes it back. @param {unknown} error @param {() => void} [again] */
  problem(error, again) {
    this.#problem = error === null ? '' : error instanceof Error ? error.message : String(error)
    this.#again = again ?? null
    const { problem: said } = this.#tools
    // What is said once more is read once more.
    if (said.textContent !== this.#problem) said.textContent = this.#problem
    this.#tools.problem.hidden = !this.#problem
    this.#hide(this.#tools.again, !this.#problem || !again)
    this.#showState(this.#tape.rows)
  }

  /** What has the focus must not take it away. @param {HTMLElement} button @param {boolean} isHidden */
  #hide(button, isHidden) {
    if (isHidden && button === document.activeElement) this.#rows.view.focus({ preventScroll: true })
    button.hidden = isHidden
  }

  #countInWords() {
    if (!this.isReady) return ''
    const { known, allKnown } = this.#tape.lineSums
    const more = (this.#lens.isSelective ? this.#search.isDone : allKnown) ? '' : '+'
    return `${NUMBER.format(known)}${more} ${known === 1 && !more ? 'line' : 'lines'}`
  }

  #showHits() {
    const { find, place, before, after } = this.#tools
    before.disabled = after.disabled = this.#lens.query.isEmpty
    if (this.#lens.query.isEmpty) {
      place.textContent = find.ariaInvalid ? 'Not valid' : ''
      return
    }
    const { count, isRunning, isDone } = this.#search
    const at = this.#rows.current ? this.#search.placeOf(this.#rows.current) : 0
    const all = `${NUMBER.format(count)}${isDone ? '' : '+'}`
    const isOne = count === 1 && isDone
    if (count) place.textContent = at ? `${NUMBER.format(at)} of ${all}` : `${all} ${isOne ? 'hit' : 'hits'}`
    else place.textContent = isRunning ? 'Looking…' : isDone ? 'No hits' : 'No hits so far'
  }

  /** Does one look for something in a part of the log only? */
  get #isCutShort() {
    return this.isReady && this.#lens.isLooking && !this.#search.isRunning && !this.#search.isDone
  }

  #showWork() {
    const { work, stop, goOn } = this.#tools
    const percent = (/** @type {number} */ share) => `${Math.floor(share * 100)} %`
    if (this.saved !== null) work.textContent = `Preparing the download: ${percent(this.saved)}`
    else if (this.#search.isRunning) work.textContent = `Looking through the log: ${percent(this.#search.share)}`
    else work.textContent = this.#isCutShort ? 'Not all of the log was looked through.' : ''
    this.#hide(stop, this.saved === null && !this.#search.isRunning)
    this.#hide(goOn, !this.#isCutShort || this.#search.problem !== null)
    if (this.#search.problem && !this.#problem) this.problem(this.#search.problem, () => this.#search.resume())
  }

  /** @param {number} rows */
  #showState(rows) {
    const { state } = this.#tools
    const { chosen, given, onlyHits, query } = this.#lens
    const { floor, head } = this.#tape
    const isNarrowed = chosen > 0 || (onlyHits && !query.isEmpty)
    let words = ''
    if (!this.isReady) words = this.#problem ? 'The log could not be loaded.' : 'Loading the log…'
    else if (rows === 0 && this.#search.isRunning) words = 'Looking through the log…'
    else if (rows === 0 && isNarrowed && this.#isCutShort) words = 'No line matches in what was looked through.'
    else if (rows === 0 && isNarrowed) words = 'No line matches.'
    else if (rows === 0 && head > floor && this.#tape.isLoading) words = 'Loading the log…'
    // Of a part of a log, what was removed may have been somebody else's.
    else if (rows === 0)
      words = floor && (!given || floor >= head) ? 'What was printed here has been removed.' : this.#nothing()
    if (state.textContent !== words) state.textContent = words
    state.hidden = !words
  }

  /** Who listens instead of looking is told now and then. @param {number} lines */
  #tell(lines) {
    const now = performance.now()
    if (lines < this.#told) this.#told = lines
    if (lines === this.#told || now - this.#toldAt < SAY_AGAIN) return
    const more = lines - this.#told
    this.say(`${NUMBER.format(more)} new ${more === 1 ? 'line' : 'lines'}`)
    this.#toldAt = now
    this.#told = lines
  }
}
