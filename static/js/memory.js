// What this browser remembers for a person. A storage that is full, forbidden or spoiled costs the memory, nothing else.

/** @param {string} name @returns {any} null where nothing is remembered */
export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? 'null')
  } catch {
    return null
  }
}

/** @param {string} name @param {unknown} value */
export function remember(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value))
  } catch {}
}

/** @param {string} name */
export function forget(name) {
  try {
    localStorage.removeItem(name)
  } catch {}
}
