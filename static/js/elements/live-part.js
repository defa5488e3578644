// A part of the page that the server writes anew when something has happened. What is the same stays untouched; what
// could not be had is marked as stale until it can.

import { Renewal } from '../renewal.js'
import { morph } from './morph.js'

const TIMEOUT = 10_000

/** @param {HTMLElement} place @param {string | (() => string)} address where the server writes what is inside it @param {{every?: number, shown?: () => void}} [options] `every`: milliseconds after which it is old by itself */
export function livePart(place, address, { every, shown } = {}) {
  const part = new Renewal(renew, { every, isWanted: () => !document.hidden, answered: shown })
  document.addEventListener('visibilitychange', () => part.look())
  return part

  async function renew() {
    try {
      const answer = await fetch(typeof address === 'string' ? address : address(), {
        credentials: 'same-origin',
        signal: AbortSignal.timeout(TIMEOUT),
      })
      if (!answer.ok || answer.redirected) throw new Error(`The server said ${answer.status}.`)
      morph(place, await answer.text())
      place.removeAttribute('data-stale')
    } catch (error) {
      place.setAttribute('data-stale', '')
      throw error
    }
  }
}
