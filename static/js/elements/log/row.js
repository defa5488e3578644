// One row of a log: its number, which is a link to it, its time, whose it is, and the text. Text of agents only ever
// becomes text.

import { cutSpans } from '../../text/line.js'
import { make } from '../make.js'
import { timeInWords } from './time.js'

/** @import {Span} from '../../text/cells.js' */
/** @import {Piece} from '../../console/pieces.js' */
/** @import {Printed} from '../../console/printed.js' */

/**
 * @typedef {object} Shown what a row shows
 * @property {string} address
 * @property {Piece} piece
 * @property {Printed} line
 * @property {number} part which of the rows of its line this is
 * @property {number} columns of a row; 0: all in one
 * @property {string} name whose it is; '' when the row above says it
 * @property {'off' | 'relative' | 'absolute'} times
 * @property {number | null} start milliseconds at which relative times begin; null: nobody knows yet
 * @property {boolean} isCurrent
 * @property {boolean} isLast of the rows of its line
 * @property {'' | 'open' | 'folded'} fold
 * @property {[number, number][]} places where in the text something was found
 * @property {boolean} isFoundBeyond it was found in what is not shown of the line
 */

export class LogRow {
  element = make('div', { className: 'line' })
  /** Which row of the log this is; rows are taken again for others. */
  key = ''
  top = Number.NaN
  /** What it was last written with. */
  #written = ''
  /** @type {readonly Span[] | null} */
  #spans = null
  #number = make('a', { className: 'number', tabIndex: -1 })
  #at = make('time', { className: 'at' })
  /** @type {HTMLButtonElement | null} */
  #fold = null
  /** @type {HTMLButtonElement | null} */
  #more = null
  #who = make('span', { className: 'who' })
  #text = make('span', { className: 'text' })

  constructor() {
    const gutter = make('span', { className: 'gutter' })
    gutter.append(this.#number, this.#at, this.#who)
    this.element.append(gutter, this.#text)
  }

  /** @param {number} top pixels */
  moveTo(top) {
    if (top === this.top) return
    this.top = top
    this.element.style.transform = `translateY(${top}px)`
  }

  /** @param {Shown} shown */
  write(shown) {
    const { address, line, part, columns, name, times, start, isCurrent, isLast, fold, places, isFoundBeyond } = shown
    const look = [columns, times, start, isCurrent, isLast, fold, line.hidden, isFoundBeyond]
    const facts = [address, part, name, look, places].join(' ')
    if (facts === this.#written && line.spans === this.#spans) return
    this.#written = facts
    this.#spans = line.spans
    const { piece } = shown
    const { dataset } = this.element
    dataset.level = piece.level
    dataset.address = address
    dataset.part = String(part)
    dataset.source = piece.source
    this.element.classList.toggle('current', isCurrent)
    this.#writeGutter(shown, piece, part === 0)
    this.#text.replaceChildren(...nodesOf(partOf(marked(line.spans, places), part, columns)))
    this.#writeMore(isLast ? line.hidden : 0, isFoundBeyond)
  }

  /** @param {Shown} shown @param {Piece} piece @param {boolean} isFirst */
  #writeGutter({ address, name, times, start, fold }, piece, isFirst) {
    this.#number.textContent = isFirst ? address.replace(/\.0$/, '') : ''
    if (isFirst) this.#number.href = `#L${address}`
    else this.#number.removeAttribute('href')
    this.#at.textContent = isFirst ? timeInWords(piece.at, times, start) : ''
    this.#who.textContent = isFirst ? name : ''
    this.#who.title = piece.agent ? `${piece.source} on ${piece.agent}` : piece.source
    this.#writeFold(fold, name)
  }

  /** @param {Shown['fold']} fold @param {string} name */
  #writeFold(fold, name) {
    if (!fold) {
      this.#fold?.remove()
      return
    }
    this.#fold ??= make('button', { className: 'fold', type: 'button', tabIndex: -1 })
    this.#fold.textContent = fold === 'folded' ? '▸' : '▾'
    this.#fold.ariaLabel = `${fold === 'folded' ? 'Unfold' : 'Fold'} ${name}`
    this.#who.before(this.#fold)
  }

  /** @param {number} hidden characters @param {boolean} isFound is among them what is looked for? */
  #writeMore(hidden, isFound) {
    if (!hidden) {
      this.#more?.remove()
      return
    }
    this.#more ??= make('button', { className: 'more', type: 'button', tabIndex: -1 })
    this.#more.textContent = `… ${hidden.toLocaleString()} more characters${isFound ? ', a hit among them' : ''}`
    this.#more.classList.toggle('found', isFound)
    this.#text.after(this.#more)
  }
}

/** @param {readonly Span[]} spans @param {number} part @param {number} columns */
function partOf(spans, part, columns) {
  return columns ? cutSpans(spans, part * columns, (part + 1) * columns, true) : spans
}

/** Spans with the style `hit` where something was found. @param {readonly Span[]} spans @param {[number, number][]} places @returns {readonly Span[]} */
function marked(spans, places) {
  if (!places.length) return spans
  /** @type {Span[]} */
  const made = []
  let at = 0
  for (const { text, style } of spans) {
    let from = 0
    for (const [begin, end] of places) {
      const [a, b] = [Math.max(begin - at, from), Math.min(end - at, text.length)]
      if (a >= b) continue
      if (a > from) made.push({ text: text.slice(from, a), style })
      made.push({ text: text.slice(a, b), style: `${style} hit`.trim() })
      from = b
    }
    if (from < text.length) made.push({ text: text.slice(from), style })
    at += text.length
  }
  return made
}

/** @param {readonly Span[]} spans */
function nodesOf(spans) {
  return spans.map(({ text, style }) => (style ? styled(text, style) : text))
}

/** @param {string} text @param {string} style classes, and colours that have none */
function styled(text, style) {
  const piece = make(style.includes('hit') ? 'mark' : 'span', { textContent: text })
  for (const name of style.split(' ')) {
    if (name[1] !== '#') piece.classList.add(name)
    else {
      piece.classList.add(`sgr-${name[0]}`)
      piece.style.setProperty(`--${name[0]}`, name.slice(1))
    }
  }
  return piece
}
