// The way of an interrupt: sent to the agent's inbox, delivered to its process, acknowledged, stopped. Each has its time.

import { inWords } from '../clock.js'

export const STEPS = /** @type {const} */ (['sent', 'delivered', 'acknowledged', 'stopped'])

/** @typedef {Partial<Record<typeof STEPS[number], string>>} Times when each step was confirmed, ISO 8601 */

/** What a step says: its name, and how long after the first one it came. @param {Times} times @param {typeof STEPS[number]} step */
export function sayStep(times, step) {
  const at = times[step]
  if (!at || step === 'sent' || !times.sent) return step
  return `${step} +${short((Date.parse(at) - Date.parse(times.sent)) / 1000)}`
}

/** What is missing once a command has ended by itself: nothing is waited for any more. @param {Times} times @param {boolean} isOver */
export function isWaiting(times, isOver) {
  return Boolean(times.sent) && !times.stopped && !isOver
}

/** @param {number} seconds */
function short(seconds) {
  return seconds < 1 ? `${Math.max(0, Math.round(seconds * 1000))} ms` : inWords(seconds)
}
