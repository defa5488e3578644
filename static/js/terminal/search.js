// Finding words in what a terminal shows.

/** @typedef {{x: number, y: number}} Place column and line of the buffer, from 0 */
/** @typedef {Place & {width: number}} Hit how many columns it takes */
/** @typedef {{length: number, translateToString(trimRight?: boolean): string, getCell(x: number): {getChars(): string, getWidth(): number} | undefined}} Line */
/** @typedef {{length: number, getLine(y: number): Line | undefined}} Lines */

/** The next place after (or before) `from`, around the end if need be; null: nowhere. @param {Lines} lines @param {string} words @param {Place | null} from @param {boolean} [backwards] @returns {Hit | null} */
export function findInBuffer(lines, words, from, backwards = false) {
  const wanted = words.toLowerCase()
  const start = from?.y ?? (backwards ? lines.length - 1 : 0)
  for (let n = 0; n <= lines.length; n += 1) {
    const y = (start + (backwards ? -n : n) + 2 * lines.length) % lines.length
    const line = lines.getLine(y)
    if (!line?.translateToString(true).toLowerCase().includes(wanted)) continue
    const { text, columns } = read(line)
    const isBeyond = (/** @type {number} */ x) => n > 0 || !from || (backwards ? x < from.x : x > from.x)
    let best = -1
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
      if (!isBeyond(columns[at]) || (best >= 0 && !backwards)) continue
      best = at
    }
    if (best >= 0) return { x: columns[best], y, width: columns[best + wanted.length] - columns[best] }
  }
  return null
}

/** What a line says in small letters, and in which column each of its characters stands: some take two, some none. @param {Line} line */
function read(line) {
  let text = ''
  const columns = []
  for (let x = 0; x < line.length; x++) {
    const cell = line.getCell(x)
    // The second half of a wide character is a cell without any.
    const characters = cell?.getWidth() === 0 ? '' : (cell?.getChars() || ' ').toLowerCase()
    for (let n = 0; n < characters.length; n++) columns.push(x)
    text += characters
  }
  columns.push(line.length)
  return { text, columns }
}
