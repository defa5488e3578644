// How many rows lie before a page, and which page a row is on: a Fenwick tree, so that both take microseconds with a
// hundred thousand pages. A page whose rows are not known counts as an average one.

export class Sums {
  /** @type {(number | null)[]} */
  #rows = []
  /** Tree of rows that are known, and of pages whose rows are. @type {number[]} */
  #known = [0]
  /** @type {number[]} */
  #counts = [0]
  /** Rows of a page that is not known: a whole number, so that rows don't fall between pages. */
  guess = 1

  get length() {
    return this.#rows.length
  }

  /** @param {number} length */
  growTo(length) {
    while (this.#rows.length < length) {
      this.#rows.push(null)
      const at = this.#rows.length
      const low = at & -at
      let [known, count] = [0, 0]
      for (let step = 1; step < low; step *= 2) {
        known += this.#known[at - step]
        count += this.#counts[at - step]
      }
      this.#known.push(known)
      this.#counts.push(count)
    }
  }

  /** @param {number} page @returns {number | null} */
  of(page) {
    return this.#rows[page] ?? null
  }

  /** @param {number} page @param {number | null} rows null: not known any more */
  set(page, rows) {
    const before = this.#rows[page]
    if (before === rows) return
    this.#rows[page] = rows
    const more = (rows ?? 0) - (before ?? 0)
    const counted = Number(rows !== null) - Number(before !== null)
    for (let at = page + 1; at < this.#known.length; at += at & -at) {
      this.#known[at] += more
      this.#counts[at] += counted
    }
  }

  forgetAll() {
    this.#rows.fill(null)
    this.#known.fill(0)
    this.#counts.fill(0)
  }

  /** There are no pages any more. */
  clear() {
    this.#rows = []
    this.#known = [0]
    this.#counts = [0]
  }

  /** Rows of all pages before this one. @param {number} page */
  before(page) {
    const [known, count] = this.#sum(page)
    return known + (page - count) * this.guess
  }

  get total() {
    return this.before(this.length)
  }

  /** Rows that were counted. */
  get known() {
    return this.#sum(this.length)[0]
  }

  /** What an average page of those that are known has, the last one left out, since it still grows. */
  get average() {
    const last = this.#rows.at(-1) ?? null
    const [known, count] = this.#sum(this.length)
    if (last === null || count < 2) return count ? known / count : null
    return (known - last) / (count - 1)
  }

  get allKnown() {
    return this.#sum(this.length)[1] === this.length
  }

  /** The page that holds a row, and how many of its rows lie before it. @param {number} row @returns {{page: number, within: number}} */
  find(row) {
    let page = 0
    let rest = Math.max(0, row)
    let step = 2 ** Math.floor(Math.log2(Math.max(1, this.length)))
    for (; step >= 1; step /= 2) {
      const next = page + step
      if (next > this.length) continue
      const rows = this.#known[next] + (step - this.#counts[next]) * this.guess
      if (rows <= rest) {
        page = next
        rest -= rows
      }
    }
    if (page >= this.length)
      return { page: Math.max(0, this.length - 1), within: Math.max(0, this.of(this.length - 1) ?? this.guess) }
    return { page, within: rest }
  }

  /** Known rows before a page, and of how many pages they are. @param {number} page @returns {[number, number]} */
  #sum(page) {
    let [known, count] = [0, 0]
    for (let at = page; at > 0; at -= at & -at) {
      known += this.#known[at]
      count += this.#counts[at]
    }
    return [known, count]
  }
}
