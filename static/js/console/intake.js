// What comes live, gathered until the page draws; while paused it is counted, and kept only as far as that is cheap.

import { pieceOf } from './pieces.js'

/** @import {StoredEvent} from '../realtime/types.d.ts' */
/** @import {Lens} from './lens.js' */
/** @import {Piece} from './pieces.js' */
/** @import {Tape} from './tape.js' */

const MOST_HELD = 2000

export class Intake {
  isPaused = false
  /** Lines that are seen and have begun since somebody last asked for less. */
  lines = 0
  /** @type {StoredEvent[]} */
  #events = []
  #head = 0
  #overflowed = false
  /** Sources whose last line has not ended. @type {Set<string>} */
  #open = new Set()
  #tape
  #lens

  /** @param {Tape} tape @param {Lens} lens */
  constructor(tape, lens) {
    this.#tape = tape
    this.#lens = lens
  }

  /** @param {StoredEvent} event */
  take(event) {
    this.#head = event.seq
    const piece = pieceOf(event)
    const begun = this.#begunIn(piece)
    if (this.#lens.shows(piece)) this.lines += begun
    if (this.isPaused && this.#events.length >= MOST_HELD) {
      this.#overflowed = true
      this.#events = []
    }
    if (!this.#overflowed) this.#events.push(event)
  }

  /** Let what has come be seen. */
  pour() {
    if (this.isPaused) return
    const events = this.#events
    this.#events = []
    if (this.#overflowed) this.#tape.skipTo(this.#head)
    else if (events.length) this.#tape.push(events)
    this.#overflowed = false
  }

  /** Another log begins. */
  forget() {
    this.lines = 0
    this.#events = []
    this.#overflowed = false
    this.#open.clear()
  }

  /** How many lines begin in a piece. @param {Piece} piece */
  #begunIn({ text, source, whole, fresh }) {
    if (!text) return 0
    let lines = 1
    for (let at = text.indexOf('\n'); at >= 0 && at < text.length - 1; at = text.indexOf('\n', at + 1)) lines += 1
    if (whole) return lines
    const goesOn = this.#open.has(source) && !fresh
    if (text.endsWith('\n')) this.#open.delete(source)
    else this.#open.add(source)
    return goesOn ? lines - 1 : lines
  }
}
