// What is looked for: words, or /a regular expression/, in capital or small letters alike.

import { literalsIn } from './literals.js'

const MOST_PLACES = 1000
/** What a server looks for may be so long. */
const LONGEST_NEEDLE = 100

export class Query {
  #expression
  #lastText = ''
  /** @type {[number, number][]} */
  #lastPlaces = []

  /** @param {string} written as a person typed it @throws {SyntaxError} with words, when it is no regular expression */
  constructor(written) {
    this.written = written
    const expression = expressionIn(written)
    this.isExpression = expression !== null
    this.#expression = written ? new RegExp(expression ?? quoted(written), 'giu') : null
    const needles = expression === null ? [written] : literalsIn(expression)
    /** Texts that every hit contains; none if that is not sure. */
    this.needles = needles.map((needle) => [...needle].slice(0, LONGEST_NEEDLE).join('')).filter(Boolean)
  }

  get isEmpty() {
    return this.#expression === null
  }

  /** @param {string} text */
  isIn(text) {
    if (!this.#expression) return true
    this.#expression.lastIndex = 0
    return this.#expression.test(text)
  }

  /** Where it is first. @param {string} text @returns {[number, number] | null} */
  firstIn(text) {
    return this.placesIn(text)[0] ?? null
  }

  /** Where it is in `text`: beginnings and ends. @param {string} text @returns {[number, number][]} */
  placesIn(text) {
    /** @type {[number, number][]} */
    const places = []
    if (!this.#expression) return places
    // Rows of one line are written one after the other.
    if (text === this.#lastText) return this.#lastPlaces
    this.#expression.lastIndex = 0
    for (const found of text.matchAll(this.#expression)) {
      if (found[0]) places.push([found.index, found.index + found[0].length])
      if (places.length === MOST_PLACES) break
    }
    this.#lastText = text
    this.#lastPlaces = places
    return places
  }
}

/** The regular expression between two slashes. @param {string} written @returns {string | null} */
function expressionIn(written) {
  // A single slash is looked for; `/x` without its end is a regular expression that is still being typed.
  return /^\/(.+)\/$/s.exec(written)?.[1] ?? null
}

/** @param {string} text */
function quoted(text) {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

/** The problem with a regular expression, without the browser's preface. @param {unknown} error */
export function problemWith(error) {
  const words = error instanceof Error ? error.message : String(error)
  return `This is not a regular expression: ${words.replace(/^Invalid regular expression: /, '').replace(/^\/.*\/[a-z]*: /s, '')}.`
}
