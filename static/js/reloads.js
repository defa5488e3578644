// When a page may be written anew by itself: at once, and again ever more seldom, or one that finds its history gone each
// time would load itself for ever.

import { recall, remember } from './memory.js'

/** @import {Memory} from './memory.js' */

const FIRST_PAUSE = 10_000
const LONGEST_PAUSE = 300_000
const KEY = 'reloads'

export class Reloads {
  #memory

  /** @param {Memory} memory of this tab */
  constructor(memory) {
    this.#memory = memory
  }

  /** In how many milliseconds it may. @param {number} now milliseconds since the epoch, of a clock that may be set */
  wait(now) {
    const { at, pause } = this.#last
    return Math.min(pause, Math.max(0, at + pause - now))
  }

  /** It is written anew, in as many milliseconds: where no note is kept, each page would be the first. @param {number} now */
  note(now) {
    const { at, pause } = this.#last
    const isAgain = Math.abs(now - at) < 2 * pause
    const next = isAgain ? Math.min(2 * pause, LONGEST_PAUSE) : FIRST_PAUSE
    return remember(KEY, { at: now, pause: next }, this.#memory) ? 0 : FIRST_PAUSE
  }

  get #last() {
    return recall(KEY, this.#memory) ?? { at: 0, pause: 0 }
  }
}
