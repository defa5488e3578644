// Brings pages of a log, several with one request, and none of them twice at a time.

/** Pages from the first to the last. @typedef {{first: number, last: number}} Range */

/** Pages of one request at most, and characters that one should have about. */
const AT_ONCE = 10
const HANDY = 400_000

export class Loader {
  /** @type {Map<number, Promise<void>>} */
  #loading = new Map()
  #perPage = 20_000
  #isHere
  #bring

  /** @param {object} options @param {(index: number) => boolean} options.isHere @param {(first: number, count: number) => Promise<void>} options.bring */
  constructor({ isHere, bring }) {
    this.#isHere = isHere
    this.#bring = bring
  }

  /** Pages that one request should bring. */
  get handy() {
    return Math.max(1, Math.min(AT_ONCE, Math.floor(HANDY / this.#perPage)))
  }

  get isLoading() {
    return this.#loading.size > 0
  }

  /** What a page that has come costs. @param {number} cost in characters */
  learn(cost) {
    this.#perPage = 0.7 * this.#perPage + 0.3 * cost
  }

  /** @param {Range} range */
  async load({ first, last }) {
    for (let index = first; index <= last; ) {
      if (this.#isHere(index)) {
        index += 1
        continue
      }
      const loading = this.#loading.get(index)
      if (loading) {
        await loading
        continue
      }
      let count = 1
      while (count < this.handy && index + count <= last && this.#isMissing(index + count)) count += 1
      await this.#fetch(index, count)
      index += count
    }
  }

  /** @param {number} index */
  #isMissing(index) {
    return !this.#isHere(index) && !this.#loading.has(index)
  }

  /** @param {number} first @param {number} count */
  #fetch(first, count) {
    const work = this.#bring(first, count).finally(() => {
      for (let index = first; index < first + count; index++) this.#loading.delete(index)
    })
    for (let index = first; index < first + count; index++) this.#loading.set(index, work)
    return work
  }
}
