// When a page may be written anew by itself: at once, and again ever more seldom, or one that finds its history gone each
// time would load itself for ever.

const FIRST_PAUSE = 10_000
const LONGEST_PAUSE = 300_000
const KEY = 'reloads'

export class Reloads {
  #storage

  /** @param {Pick<Storage, 'getItem' | 'setItem'>} storage of this tab */
  constructor(storage) {
    this.#storage = storage
  }

  /** In how many milliseconds it may. @param {number} now milliseconds since the epoch, of a clock that may be set */
  wait(now) {
    const { at, pause } = this.#last
    return Math.min(pause, Math.max(0, at + pause - now))
  }

  /** It is written anew. @param {number} now */
  note(now) {
    const { at, pause } = this.#last
    const isAgain = Math.abs(now - at) < 2 * pause
    const next = isAgain ? Math.min(2 * pause, LONGEST_PAUSE) : FIRST_PAUSE
    this.#storage.setItem(KEY, JSON.stringify({ at: now, pause: next }))
  }

  get #last() {
    return JSON.parse(this.#storage.getItem(KEY) ?? '{"at":0,"pause":0}')
  }
}
