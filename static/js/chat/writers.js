// Who is writing just now, as far as they said so.

const LASTS = 5000

export class Writers {
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #timers = new Map()
  #line

  /** @param {HTMLElement} line where it is said */
  constructor(line) {
    this.#line = line
  }

  /** @param {string} name */
  starts(name) {
    clearTimeout(this.#timers.get(name))
    this.#timers.set(
      name,
      setTimeout(() => this.stops(name), LASTS),
    )
    this.#show()
  }

  /** @param {string} name */
  stops(name) {
    clearTimeout(this.#timers.get(name))
    this.#timers.delete(name)
    this.#show()
  }

  #show() {
    const names = [...this.#timers.keys()]
    const words =
      names.length === 0 ? '' : names.length === 1 ? `${names[0]} is writing…` : `${names.join(' and ')} are writing…`
    if (this.#line.textContent !== words) this.#line.textContent = words
  }
}
