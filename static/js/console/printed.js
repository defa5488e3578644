// One line of a log, ready to be shown: what a terminal would show after all that was printed into it.

import { Line } from '../text/line.js'
import { Sgr } from '../text/sgr.js'
import { isSimple } from '../text/width.js'

/** @import {Span} from '../text/line.js' */

/** @typedef {{text: string, spans: readonly Span[], cells: number, hidden: number}} Printed */

/** Of a progress bar that has been written over and over, only the end is read. */
const LONG = 128 * 1024
const ENOUGH = 64 * 1024

/** @param {string} raw what was printed, without the newline @param {string} style with which it begins @param {number} most columns @param {number} [unread] characters of the same line that are not in `raw` @returns {Printed} */
export function printed(raw, style, most, unread = 0) {
  // A terminal ends its lines with both; alone at the end, the first changes nothing.
  if (raw.endsWith('\r')) raw = raw.slice(0, -1)
  if (isSimple(raw)) {
    const text = raw.slice(0, most)
    const spans = text ? [{ text, style }] : []
    return { text, spans, cells: text.length, hidden: raw.length - text.length + unread }
  }
  const line = new Line(most)
  for (const piece of new Sgr(style).read(lastPart(raw))) {
    if (piece.kind === 'text') line.write(piece.text, piece.style)
    else if (piece.how === 'return') line.moveTo(piece.by ?? 0)
    else if (piece.how === 'back') line.moveBack(piece.by ?? 0)
    else if (piece.how === 'erase') line.erase()
    else if (piece.how === 'before') line.eraseBefore()
    else if (piece.how === 'clear') line.clear()
  }
  return { text: line.text, spans: line.spans, cells: line.cells, hidden: line.hidden + unread }
}

/** @param {string} raw */
function lastPart(raw) {
  if (raw.length <= LONG) return raw
  const from = raw.indexOf('\r', raw.length - ENOUGH)
  return from < 0 || from > raw.length - 2 ? raw : raw.slice(from)
}
