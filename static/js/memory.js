// What this browser remembers for a person, and what a tab does. A storage that is full, forbidden or spoiled costs the
// memory of the next page, and nothing else.

/** A storage that never throws. `setItem` false: the browser did not take it. @typedef {{getItem: (name: string) => string | null, setItem: (name: string, value: string) => unknown}} Memory */

class Kept {
  /** What the browser did not take, for as long as this page lives. @type {Map<string, string>} */
  #here = new Map()
  #storage

  /** @param {() => Storage} storage where storages are forbidden, reaching for one throws */
  constructor(storage) {
    this.#storage = storage
  }

  /** @param {string} name */
  getItem(name) {
    return this.#here.get(name) ?? attempt(() => this.#storage().getItem(name), null)
  }

  /** @param {string} name @param {string} value */
  setItem(name, value) {
    this.#here.set(name, value)
    return attempt(() => {
      this.#storage().setItem(name, value)
      return this.#here.delete(name)
    }, false)
  }

  /** @param {string} name */
  removeItem(name) {
    this.#here.delete(name)
    attempt(() => this.#storage().removeItem(name), undefined)
  }
}

const STORAGES = { local: new Kept(() => localStorage), session: new Kept(() => sessionStorage) }

/** What this browser keeps, or this tab. @param {'local' | 'session'} kind */
export function storageOf(kind) {
  return STORAGES[kind]
}

/** @param {string} name @param {Memory} memory @returns {any} null where nothing is remembered */
export function recall(name, memory = STORAGES.local) {
  return attempt(() => JSON.parse(memory.getItem(name) ?? 'null'), null)
}

/** false: only as long as this page lives. @param {string} name @param {unknown} value @param {Memory} memory */
export function remember(name, value, memory = STORAGES.local) {
  return memory.setItem(name, JSON.stringify(value)) !== false
}

/** @param {string} name */
export function forget(name) {
  STORAGES.local.removeItem(name)
}

/** @template T, E @param {() => T} work @param {E} otherwise */
function attempt(work, otherwise) {
  try {
    return work()
  } catch {
    return otherwise
  }
}
