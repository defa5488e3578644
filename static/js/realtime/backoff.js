// How long to wait before the next attempt. The first waits are short, since most cuts are; after them, full jitter
// keeps a thousand browsers from coming back in the same second.

const FIRST_WAITS = [1000, 1500, 2250]
const BASE = 1000
const LONGEST = 30_000
const AFTER_RESTART = 3000

export class Backoff {
  #waits = 0
  #failures = 0
  #random

  constructor(random = Math.random) {
    this.#random = random
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
    return this.#failures >= FIRST_WAITS.length
  }

  /** Milliseconds; each call is the next, longer wait. */
  next() {
    const wait = this.#waits
    this.#waits += 1
    if (wait < FIRST_WAITS.length) return FIRST_WAITS[wait] * (0.9 + 0.2 * this.#random())

    const ceiling = Math.min(LONGEST, BASE * 2 ** (wait - FIRST_WAITS.length + 2))
    return ceiling * this.#random()
  }

  /** Milliseconds after a server that said it restarts. */
  afterRestart() {
    return AFTER_RESTART * this.#random()
  }
}
