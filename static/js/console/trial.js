// A browser can't be stopped while it looks for a regular expression in one line, however long that takes. So the tab
// remembers which one is at work, and who comes back after a tab that stood still is not given the same again.

const KEY = 'signalbox:expression at work'
/** Milliseconds in which a line is looked through, or the expression is given up. */
const LONGEST = 500

export class Trial {
  /** The one that was at work when an earlier page of this tab came to its end. */
  unfinished = ''
  #isAtWork = false
  #memory

  /** @param {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} memory of this tab */
  constructor(memory) {
    this.#memory = memory
    this.unfinished = memory.getItem(KEY) ?? ''
  }

  /** Do what may take long; `slow` is called if it did. @template T @param {string} expression @param {() => T} work @param {() => void} slow @returns {T} */
  run(expression, work, slow) {
    if (!this.#isAtWork) {
      this.#isAtWork = true
      this.#memory.setItem(KEY, expression)
      queueMicrotask(() => this.#ended())
    }
    const began = performance.now()
    const found = work()
    if (performance.now() - began > LONGEST) slow()
    return found
  }

  #ended() {
    this.#isAtWork = false
    this.unfinished = ''
    this.#memory.removeItem(KEY)
  }
}
