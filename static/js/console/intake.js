// What comes live, gathered until the page draws; while paused it is counted, and kept only as far as that is cheap.

import { pieceOf } from './pieces.js'

/** @import {StoredEvent} from '../realtime/types.d.ts' */
/** @import {Lens} from './lens.js' */
/** @import {Piece} from './pieces.js' */
/** @import {Tape} from './tape.js' */

const MOST_HELD = 2000

export class Intake {
  isPaused = false
  /** @type {StoredEvent[]} */
  #events = []
  #head = 0
  #overflowed = false
  /** Lines that have begun since the end was last seen, by all on which it depends whether one wants them. @type {Map<string, {of: Piece, lines: number}>} */
  #begun = new Map()
  /** Sources whose last line has not ended. @type {Set<string>} */
  #open = new Set()
  #tape
  #lens

  /** @param {Tape} tape @param {Lens} lens */
  constructor(tape, lens) {
    this.#tape = tape
    this.#lens = lens
  }

  /** Lines that have begun since the end was last seen, and that the lens shows. */
  get lines() {
    let lines = 0
    for (const begun of this.#begun.values()) if (this.#lens.shows(begun.of)) lines += begun.lines
    return lines
  }

  /** @param {StoredEvent} event */
  take(event) {
    this.#head = event.seq
    this.#count(pieceOf(event))
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

  /** The end is seen: nothing is new. */
  seen() {
    this.#begun.clear()
  }

  /** Another log begins. */
  forget() {
    this.seen()
    this.#events = []
    this.#overflowed = false
    this.#open.clear()
  }

  /** @param {Piece} piece */
  #count(piece) {
    const lines = this.#begunIn(piece)
    const kind = `${piece.type} ${piece.agent} ${piece.level} ${piece.source}`
    const begun = this.#begun.get(kind)
    if (begun) begun.lines += lines
    else this.#begun.set(kind, { of: { ...piece, text: '' }, lines })
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
