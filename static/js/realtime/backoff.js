// How long to wait before the next attempt. The first waits are short, since most cuts are; after them, full jitter
// keeps a thousand browsers from coming back in the same second.

const FIRST_WAIT = 1000
const SLOWER = 1.5
const TRIES = 3
const BASE = 1000
const LONGEST = 30_000
const AFTER_RESTART = 3000

export class Backoff {
  #waits = 0
  #failures = 0
  #random
  #first
  #tries

  /** @param {{random?: () => number, first?: number, tries?: number}} [options] the first wait in milliseconds, and how many failures in a row use the tries up */
  constructor({ random = Math.random, first = FIRST_WAIT, tries = TRIES } = {}) {
    this.#random = random
    this.#first = first
    this.#tries = tries
  }

  /** Attempts in a row that did not come up. */
  get failures() {
    return this.#failures
  }

  failed() {
    this.#failures += 1
  }

  reset() {
    this.#failures = 0
    this.#waits = 0
  }

  triesUsedUp() {
    return this.#failures >= this.#tries
  }

  /** Milliseconds; each call is the next, longer wait. */
  next() {
    const wait = this.#waits
    this.#waits += 1
    if (wait < this.#tries) return Math.min(LONGEST, this.#first * SLOWER ** wait) * (0.9 + 0.2 * this.#random())

    const ceiling = Math.min(LONGEST, BASE * 2 ** (wait - this.#tries + 2))
    return ceiling * this.#random()
  }

  /** Milliseconds after a server that said it restarts. */
  afterRestart() {
    return AFTER_RESTART * this.#random()
  }
}
