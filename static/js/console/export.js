// A whole log as a file: read from its beginning page by page, so that memory stays small, and written as text, JSON or
// CSV. Lines stand in the order in which they began.

import { EVENT } from '../realtime/contract.js'
import { Page } from './page.js'
import { isPrinted, pieceOf } from './pieces.js'
import { lastWritten, printed } from './printed.js'

/** @import {StoredEvent} from '../realtime/types.d.ts' */
/** @import {Piece} from './pieces.js' */

/** @typedef {'txt' | 'json' | 'csv'} Format */
/** @typedef {{piece: Piece, n: number, parts: string[], size: number, style: string, isOpen: boolean}} Row */
/** @typedef {(after: number, signal: AbortSignal) => Promise<{epoch: string, head: number, floor: number, reset: boolean, events: StoredEvent[]} | null>} ReadAfter */

const COLUMNS = ['time', 'stage', 'step', 'agent', 'level', 'event', 'line', 'text']
const MIME = { txt: 'text/plain', json: 'application/json', csv: 'text/csv' }
/** So many lines wait for an earlier one that has not ended; then that is written as it is. */
const PATIENCE = 20_000
const LONGEST = 4_000_000
const FLUSH = 1_000_000

export class Export {
  /** @type {Blob[]} */
  #blobs = []
  /** @type {string[]} */
  #written = []
  #waiting = 0
  #count = 0
  /** @type {Row[]} */
  #rows = []
  /** @type {Map<string, Row>} */
  #open = new Map()
  /** @type {Page['carry']} */
  #carry = new Map()
  /** Were lines removed before those that come next? */
  #isGap = false
  #format

  /** @param {Format} format */
  constructor(format) {
    this.#format = format
  }

  /** @param {object} options @param {ReadAfter} options.readAfter @param {(share: number) => void} options.progress @param {AbortSignal} options.signal @returns {Promise<Blob>} */
  async run({ readAfter, progress, signal }) {
    this.#write(this.#format === 'csv' ? `\ufeff${COLUMNS.join(',')}\r\n` : this.#format === 'json' ? '[' : '')
    let [first, after, head, epoch] = [0, 0, 0, '']
    do {
      const answer = await readAfter(after, signal)
      signal.throwIfAborted()
      head ||= answer?.head ?? 0
      epoch ||= answer?.epoch ?? ''
      if (answer?.reset && answer.floor > after) {
        first ||= answer.floor
        after = answer.floor
        this.#leaveOut()
        continue
      }
      const events = answer?.events ?? []
      if (answer?.epoch !== epoch || (!events.length && after < head))
        throw new Error('The log became another one while it was read.')
      after = events.at(-1)?.seq ?? after
      this.#take(events.filter(({ type }) => isPrinted(type) || type !== EVENT.PROJECT_PROGRESS).map(pieceOf))
      progress(Math.min(1, (after - first) / Math.max(1, head - first)))
    } while (after < head)
    if (this.#isGap) this.#rows.push(gap(after, Date.now()))

    this.#writeRows(0)
    this.#write(this.#format === 'json' ? '\n]\n' : '')
    this.#flush()
    return new Blob(this.#blobs, { type: MIME[this.#format] })
  }

  /** Nothing goes on over what was removed. */
  #leaveOut() {
    for (const source of [...this.#open.keys()]) this.#close(source)
    this.#carry = new Map()
    this.#isGap = true
  }

  /** @param {Piece[]} pieces */
  #take(pieces) {
    if (this.#isGap && pieces.length) {
      this.#rows.push(gap(pieces[0].seq - 1, pieces[0].at))
      this.#isGap = false
    }
    const page = new Page(pieces, this.#carry)
    let line = 0
    for (const [owner, piece] of pieces.entries()) {
      if (piece.fresh) this.#close(piece.source)
      const open = piece.whole ? undefined : this.#open.get(piece.source)
      if (open) this.#goOn(open, piece)
      for (; page.owners[line] === owner; line++) this.#begin(page, line, piece)
    }
    this.#carry = page.carry
    this.#writeRows(PATIENCE)
  }

  /** @param {Row} row @param {Piece} piece */
  #goOn(row, piece) {
    const end = piece.text.indexOf('\n')
    const more = end < 0 ? piece.text : piece.text.slice(0, end)
    row.parts.push(more)
    row.size += more.length
    if (row.size > 2 * LONGEST) cut(row)
    if (end >= 0) this.#close(piece.source)
  }

  /** @param {Page} page @param {number} line @param {Piece} piece */
  #begin(page, line, piece) {
    const start = page.starts[line]
    const end = piece.text.indexOf('\n', start)
    const isOpen = end < 0 && !piece.whole
    const parts = [piece.text.slice(start, end < 0 ? piece.text.length : end)]
    const size = parts[0].length
    const row = { piece, n: page.addressOf(line).n, parts, size, style: page.styles[line], isOpen }
    this.#rows.push(row)
    if (isOpen) this.#open.set(piece.source, row)
  }

  /** @param {string} source */
  #close(source) {
    const row = this.#open.get(source)
    if (row) row.isOpen = false
    this.#open.delete(source)
  }

  /** Write the rows that are complete; of the others no more than `patience` wait. @param {number} patience */
  #writeRows(patience) {
    let done = 0
    while (done < this.#rows.length && (!this.#rows[done].isOpen || this.#rows.length - done > patience)) {
      const row = this.#rows[done]
      this.#write(this.#said(row))
      if (row.isOpen && patience) {
        const rest = { ...row, parts: [], size: 0 }
        this.#rows.push(rest)
        this.#open.set(row.piece.source, rest)
      }
      done += 1
    }
    this.#rows.splice(0, done)
  }

  /** @param {Row} row */
  #said({ piece, n, parts, style }) {
    const { text } = printed(parts.join(''), style, LONGEST)
    const { stage, source, agent, level, seq } = piece
    const time = new Date(piece.at).toISOString()
    this.#count += 1
    if (this.#format === 'txt') return `${time} ${source ? `[${source}] ` : ''}${text}\n`
    const fact = { time, stage, step: source, agent, level, event: seq, line: n, text }
    if (this.#format === 'json') return `${this.#count > 1 ? ',' : ''}\n${JSON.stringify(fact)}`
    return `${Object.values(fact).map(cell).join(',')}\r\n`
  }

  /** @param {string} text */
  #write(text) {
    this.#written.push(text)
    this.#waiting += text.length
    if (this.#waiting > FLUSH) this.#flush()
  }

  /** The browser keeps blobs elsewhere than in the page's memory. */
  #flush() {
    this.#blobs.push(new Blob(this.#written))
    this.#written = []
    this.#waiting = 0
  }
}

/** A line that does not end must not fill the memory: what is written over or too long goes. @param {Row} row */
function cut(row) {
  const raw = row.parts.join('')
  // What comes next may be written over it all.
  const end = raw.endsWith('\r') ? '\r' : ''
  const kept = lastWritten(raw, LONGEST) ?? raw.slice(0, LONGEST) + end
  row.parts = [kept]
  row.size = kept.length
}

/** What stands in place of lines that were removed, up to the event `seq`. @param {number} seq @param {number} at @returns {Row} */
function gap(seq, at) {
  const text = 'Earlier lines were removed.'
  const piece = {
    seq,
    at,
    type: '',
    source: '',
    stage: '',
    agent: '',
    level: 'system',
    text,
    whole: true,
    fresh: false,
  }
  return { piece, n: 0, parts: [text], size: text.length, style: '', isOpen: false }
}

/** What begins like a formula would be one in a spreadsheet, so it gets an apostrophe. @param {string | number} value */
function cell(value) {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
