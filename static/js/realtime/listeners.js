/** @import {Frame} from './types.d.ts' */

/** @typedef {(event: any) => void} Listener */

/** Who listens to which type of event. */
export class Listeners {
  /** @type {Map<string, Set<Listener>>} */
  #byType = new Map()

  /** The answer stops it. @param {string} type @param {Listener} listener */
  on(type, listener) {
    const listeners = this.#byType.get(type) ?? new Set()
    this.#byType.set(type, listeners.add(listener))
    return () => listeners.delete(listener)
  }

  /** @param {Frame} event */
  tell(event) {
    for (const listener of this.#byType.get(event.type) ?? []) attempt(listener, event)
  }
}

/** One broken listener does not cost the others their event. @param {Listener} listener @param {Frame} event */
function attempt(listener, event) {
  try {
    listener(event)
  } catch (error) {
    reportError(error)
  }
}
