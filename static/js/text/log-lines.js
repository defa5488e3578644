// The lines of a log: output of several sources, each cut anywhere, put together line by line. Lines keep the order in
// which they began; a source's last line stays open and may still change.

import { Line, MOST_COLUMNS } from './line.js'
import { Sgr } from './sgr.js'

/** @typedef {{source: string, level: string, agent: string, at: string, seq: number, line: Line, number: number}} LogLine */
/** @typedef {{source: string, level: string, agent: string, at: string, seq: number, text: string, offset: number | null}} Printed */

export class LogLines {
  /** @type {Map<string, {sgr: Sgr, open: LogLine | null}>} */
  #writers = new Map()
  /** @type {LogLine[]} */
  #lines = []
  #count = 0
  #most
  /** Lines that are new or other since the last look. @type {Set<LogLine>} */
  #changed = new Set()

  /** @param {number} [most] lines that are kept */
  constructor(most = 5000) {
    this.#most = most
  }

  /** @returns {readonly LogLine[]} */
  get all() {
    return this.#lines
  }

  /** @param {Printed} printed */
  add(printed) {
    if (printed.offset === null) {
      for (const text of printed.text.replace(/\n$/, '').split('\n')) this.#wholeLine(printed, text)
    } else {
      this.#print(printed, printed.offset)
    }
    if (this.#lines.length > this.#most * 1.1) this.#lines = this.#lines.slice(-this.#most)
  }

  /** What has changed since this was last asked. */
  takeChanged() {
    const changed = this.#changed
    this.#changed = new Set()
    return changed
  }

  /** @param {Printed} printed @param {string} text */
  #wholeLine(printed, text) {
    const { line } = this.#begin(printed)
    for (const piece of new Sgr().read(text)) {
      if (piece.kind === 'text') line.write(piece.text.slice(0, MOST_COLUMNS - line.length), piece.style)
    }
  }

  /** @param {Printed} printed @param {number} offset */
  #print(printed, offset) {
    // A source that begins again is another try: its colours and its open line are not ours.
    if (offset === 0) this.#writers.delete(printed.source)
    const writer = this.#writers.get(printed.source) ?? { sgr: new Sgr(), open: null }
    this.#writers.set(printed.source, writer)

    for (const piece of writer.sgr.read(printed.text)) {
      if (piece.kind === 'move' && piece.how === 'newline') {
        if (!writer.open) this.#begin(printed)
        writer.open = null
        continue
      }
      writer.open ??= this.#begin(printed)
      if (piece.kind === 'text') this.#write(writer, printed, piece.text, piece.style)
      else move(writer.open.line, piece)
      if (writer.open) this.#changed.add(writer.open)
    }
  }

  /** @param {{open: LogLine | null}} writer @param {Printed} printed @param {string} text @param {string} style */
  #write(writer, printed, text, style) {
    let rest = text
    while (rest) {
      writer.open ??= this.#begin(printed)
      const { line } = writer.open
      const room = MOST_COLUMNS - Math.min(line.length, MOST_COLUMNS)
      if (room === 0) {
        writer.open = null
        continue
      }
      line.write(rest.slice(0, room), style)
      this.#changed.add(writer.open)
      rest = rest.slice(room)
    }
  }

  /** @param {Printed} printed @returns {LogLine} */
  #begin({ source, level, agent, at, seq }) {
    this.#count += 1
    const begun = { source, level, agent, at, seq, line: new Line(), number: this.#count }
    this.#lines.push(begun)
    this.#changed.add(begun)
    return begun
  }
}

/** @param {Line} line @param {{how: string, by?: number}} move */
function move(line, { how, by = 0 }) {
  if (how === 'return') line.moveTo(by)
  else if (how === 'back') line.moveBack(by)
  else if (how === 'erase') line.erase()
  else if (how === 'clear') line.clear()
}
