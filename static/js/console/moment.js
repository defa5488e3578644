// Finding the place in a log at which a moment lies, with a few questions.

/** @import {StoredEvent} from '../realtime/types.d.ts' */

/** The first event at or after `at`, or the last one there is; what is not there any more was before. @param {object} where @param {number} where.floor @param {number} where.head @param {number} at milliseconds since 1970 @param {(seq: number) => Promise<StoredEvent | undefined>} read @returns {Promise<number>} its seq */
export async function seqAt({ floor, head }, at, read) {
  let [low, high] = [floor + 1, head]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const event = await read(middle)
    if (event && Date.parse(event.timestamp) >= at) high = middle
    else low = middle + 1
  }
  return low
}
