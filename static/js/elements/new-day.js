// Tells who shows days that another one has begun.

/** A timer stands still while the machine sleeps. */
const AT_MOST = 3_600_000

/** @type {Set<() => void>} */
const listeners = new Set()
let today = ''

/** @param {() => void} listener @returns {() => unknown} stops it */
export function onNewDay(listener) {
  listeners.add(listener)
  if (!today) look()
  return () => listeners.delete(listener)
}

function look() {
  const now = new Date()
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1)
  const before = today
  today = now.toDateString()
  if (before && before !== today) for (const listener of listeners) listener()
  setTimeout(look, Math.min(AT_MOST, midnight.getTime() - now.getTime()))
}
