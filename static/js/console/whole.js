// The server gives fewer events than it was asked for when they are large. A page of the tape has all of its own.

/** @import {ReadBefore} from './tape.js' */

/** @param {ReadBefore} readBefore @returns {ReadBefore} the same, in as many requests as it takes */
export function whole(readBefore) {
  return async (before, limit) => {
    const answer = await readBefore(before, limit)
    if (!answer) return null

    const first = Math.max(before - limit, answer.floor + 1)
    let { events } = answer
    while (events.length && events[0].seq > first) {
      const earlier = await readBefore(events[0].seq, events[0].seq - first)
      if (!earlier?.events.length) break
      events = [...earlier.events, ...events]
    }
    return { ...answer, events }
  }
}
