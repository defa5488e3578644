// How many columns of a terminal text takes: two for East Asian and emoji characters, none for what combines with the
// character before it.

// One character, one column, one code unit: nearly every line of every log.
const SIMPLE =
  /^[\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u2307\u2500-\u259f]*$/
const WIDE =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|.\ufe0f)/u
const EMPTY = /^[\p{Mn}\p{Me}\p{Cf}]/u

const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** @param {string} text */
export function isSimple(text) {
  return SIMPLE.test(text)
}

/** The characters of `text` as people see them, each with the columns that it takes. @param {string} text @returns {Iterable<[string, number]>} */
export function* charactersIn(text) {
  if (isSimple(text)) for (const character of text) yield [character, 1]
  else for (const { segment } of characters.segment(text)) yield [segment, widthOf(segment)]
}

/** Columns that `text` takes. @param {string} text */
export function cellsOf(text) {
  if (isSimple(text)) return text.length
  let cells = 0
  for (const { segment } of characters.segment(text)) cells += widthOf(segment)
  return cells
}

/**
 * The columns from `from` up to `to`. A wide character that is cut in half becomes a space, or with `keepsWide` belongs
 * to where it begins.
 *
 * @param {string} text @param {number} from @param {number} to @param {boolean} [keepsWide]
 */
export function sliceCells(text, from, to, keepsWide = false) {
  if (isSimple(text)) return text.slice(Math.max(0, from), Math.max(0, to))
  let cut = ''
  let at = 0
  for (const { segment } of characters.segment(text)) {
    const width = widthOf(segment)
    const end = at + width
    const isInside = width ? at >= from && (keepsWide ? at < to : end <= to) : at > from && at <= to
    if (isInside) cut += segment
    else if (width === 2 && end > from && at < to && !(keepsWide && at >= to)) cut += ' '
    at = end
    if (at > to) break
  }
  return cut
}

/** @param {string} character one as people see them */
function widthOf(character) {
  if (WIDE.test(character)) return 2
  return EMPTY.test(character) ? 0 : 1
}
