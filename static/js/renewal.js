// Something that is asked for anew when it is old: one question at a time, and once a second at most. What happens while
// a question is under way makes its answer old too. A question that failed is asked again, a little later each time.

const AT_MOST_EVERY = 1000
const PATIENCE = 8000

export class Renewal {
  #ask
  #every
  #isWanted
  #answered
  #isOld = false
  #isAsking = false
  #failures = 0
  #askedAt = performance.now()
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer

  /**
   * @param {() => Promise<void>} ask takes the answer, or throws
   * @param {{every?: number, isWanted?: () => boolean, answered?: () => void}} [options] `every`: milliseconds after which
   *   it is old by itself; `isWanted`: whether anybody looks, else it waits for `look`; `answered`: what follows an answer,
   *   whose own faults are none of the question
   */
  constructor(ask, { every = Number.POSITIVE_INFINITY, isWanted = () => true, answered = () => {} } = {}) {
    this.#ask = ask
    this.#answered = answered
    this.#every = every
    this.#isWanted = isWanted
    this.look()
  }

  /** Something has happened. */
  renew() {
    this.#isOld = true
    this.look()
  }

  /** Somebody may look now who did not. */
  look() {
    clearTimeout(this.#timer)
    const pause = this.#pause()
    if (this.#isAsking || pause === Number.POSITIVE_INFINITY || !this.#isWanted()) return
    this.#timer = setTimeout(() => this.#go(), Math.max(0, this.#askedAt + pause - performance.now()))
  }

  #pause() {
    if (this.#failures) return Math.min(AT_MOST_EVERY * 2 ** (this.#failures - 1), PATIENCE)
    return this.#isOld ? AT_MOST_EVERY : this.#every
  }

  async #go() {
    this.#isAsking = true
    this.#isOld = false
    try {
      await this.#ask()
      this.#failures = 0
      this.#follow()
    } catch {
      this.#failures += 1
    } finally {
      this.#isAsking = false
      this.#askedAt = performance.now()
      this.look()
    }
  }

  #follow() {
    try {
      this.#answered()
    } catch (error) {
      reportError(error)
    }
  }
}
