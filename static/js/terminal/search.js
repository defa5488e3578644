// Finding words in what a terminal shows.

/** @typedef {{x: number, y: number}} Place column and line of the buffer, from 0 */
/** @typedef {{length: number, getLine(y: number): {translateToString(trimRight?: boolean): string} | undefined}} Lines */

/** The next place after (or before) `from`, around the end if need be; null: nowhere. @param {Lines} lines @param {string} words @param {Place | null} from @param {boolean} [backwards] @returns {Place | null} */
export function findInBuffer(lines, words, from, backwards = false) {
  const wanted = words.toLowerCase()
  const start = from?.y ?? (backwards ? lines.length - 1 : 0)
  for (let n = 0; n <= lines.length; n += 1) {
    const y = (start + (backwards ? -n : n) + 2 * lines.length) % lines.length
    const text = lines.getLine(y)?.translateToString(true).toLowerCase() ?? ''
    const isFirst = n === 0 && from !== null
    const x = backwards
      ? text.lastIndexOf(wanted, isFirst ? from.x - 1 : undefined)
      : text.indexOf(wanted, isFirst ? from.x + 1 : 0)
    // lastIndexOf takes what is below 0 for 0.
    if (x >= 0 && !(isFirst && backwards && x >= from.x)) return { x, y }
  }
  return null
}
