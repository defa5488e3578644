// What comes live, gathered until the page draws; while paused it is counted, and kept only as far as that is cheap.

/** @import {StoredEvent} from '../realtime/types.d.ts' */
/** @import {Tape} from './tape.js' */

const MOST_HELD = 2000

export class Intake {
  isPaused = false
  /** Lines that have come since somebody last asked for less. */
  lines = 0
  /** @type {StoredEvent[]} */
  #events = []
  #head = 0
  #overflowed = false
  #tape

  /** @param {Tape} tape */
  constructor(tape) {
    this.#tape = tape
  }

  /** @param {StoredEvent} event */
  take(event) {
    this.#head = event.seq
    this.lines += linesIn(event.data?.text)
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
}

/** @param {string | undefined} text */
function linesIn(text) {
  if (!text) return 0
  let lines = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1
  return lines || (text.includes('\r') ? 0 : 1)
}
