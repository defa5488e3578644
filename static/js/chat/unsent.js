// What the server has refused, so that a reload does not cost it: it can be tried again, or taken back.

import { forget, recall, remember } from '../memory.js'

/** @typedef {{content: string, why: string}} Refused */

export class Unsent {
  #name

  /** @param {string} name of the session and its writer */
  constructor(name) {
    this.#name = `unsent ${name}`
  }

  /** @returns {Refused[]} oldest first */
  all() {
    return recall(this.#name) ?? []
  }

  /** @param {Refused} refused */
  add(refused) {
    this.#keep([...this.all(), refused])
  }

  /** @param {string} content */
  remove(content) {
    const all = this.all()
    const index = all.findIndex((one) => one.content === content)
    if (index >= 0) this.#keep(all.toSpliced(index, 1))
  }

  /** @param {Refused[]} all */
  #keep(all) {
    if (all.length) remember(this.#name, all)
    else forget(this.#name)
  }
}
