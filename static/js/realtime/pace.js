// How often to ask when the server can't hold a question open: often while something happens, rarely when nothing does.

const QUICKEST = 1000
const ACTIVE = 5000
const IDLE = 15_000
const VERY_IDLE = 30_000
const IDLE_AFTER = 60_000
const VERY_IDLE_AFTER = 300_000

export class Pace {
  #wait = QUICKEST
  #lastNews

  constructor(now = performance.now()) {
    this.#lastNews = now
  }

  news(now = performance.now()) {
    this.#lastNews = now
    this.#wait = QUICKEST
  }

  /** Milliseconds until the next question. */
  next(now = performance.now()) {
    const quiet = now - this.#lastNews
    if (quiet >= VERY_IDLE_AFTER) return VERY_IDLE
    if (quiet >= IDLE_AFTER) return IDLE

    const wait = this.#wait
    this.#wait = Math.min(ACTIVE, wait * 1.5)
    return wait
  }
}
