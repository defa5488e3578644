// One line of a log, ready to be shown: what a terminal would show after all that was printed into it.

import { Line } from '../text/line.js'
import { Sgr } from '../text/sgr.js'
import { isSimple } from '../text/width.js'

/** @import {How} from '../text/sgr.js' */
/** @import {Span} from '../text/cells.js' */

/** @typedef {{text: string, spans: readonly Span[], cells: number, hidden: number}} Printed */

/** Of a progress bar that has been written over and over, only the end is read. */
const LONG = 128 * 1024
const ENOUGH = 64 * 1024
const WRITTEN_OVER = /\r[^\r]/g

/** @type {Partial<Record<How, (line: Line, by: number) => void>>} */
const DOES = {
  return: (line, by) => line.moveTo(by),
  back: (line, by) => line.moveBy(-by),
  forward: (line, by) => line.moveBy(by),
  erase: (line) => line.erase(),
  before: (line) => line.eraseBefore(),
  clear: (line) => line.clear(),
  blank: (line, by) => line.blank(by),
  delete: (line, by) => line.delete(by),
  insert: (line, by) => line.insert(by),
}

/** @param {string} raw what was printed, without the newline @param {string} style with which it begins @param {number} most columns @param {number} [unread] characters of the same line that are not in `raw` @returns {Printed} */
export function printed(raw, style, most, unread = 0) {
  const bare = withoutReturn(raw)
  if (isSimple(bare)) {
    const text = bare.slice(0, most)
    const spans = text ? [{ text, style }] : []
    return { text, spans, cells: text.length, hidden: bare.length - text.length + unread }
  }
  const line = new Line(most)
  for (const piece of new Sgr(style).read(lastPart(bare))) {
    if (piece.kind === 'text') line.write(piece.text, piece.style)
    else DOES[piece.how]?.(line, piece.by)
  }
  const { spans, cells, hidden } = line
  return { text: spans.map(({ text }) => text).join(''), spans, cells, hidden: hidden + unread }
}

/** A terminal ends its lines with both; alone at the end, the first changes nothing. @param {string} raw */
export function withoutReturn(raw) {
  return raw.endsWith('\r') ? raw.slice(0, -1) : raw
}

/** What was printed since a line was last written over from its beginning, as far as that lies within its end of `most` characters; null: nowhere there. @param {string} raw @param {number} most */
export function lastWritten(raw, most) {
  WRITTEN_OVER.lastIndex = Math.max(0, raw.length - most)
  const found = WRITTEN_OVER.exec(raw)
  return found ? raw.slice(found.index) : null
}

/** @param {string} raw */
function lastPart(raw) {
  return raw.length > LONG ? (lastWritten(raw, ENOUGH) ?? raw) : raw
}
