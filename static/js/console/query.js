// What is looked for: words, or /a regular expression/, in capital or small letters alike.

import { literalsIn } from './literals.js'
import { isNested } from './nested.js'

/** @import {Trial} from './trial.js' */

const MOST_PLACES = 1000
/** What a server looks for may be so long. */
const LONGEST_NEEDLE = 100

const NESTED = 'This expression repeats what is itself repeated, which can take for ever: write a+, not (a+)+.'

/** An expression that a browser could not come to an end with. */
export class TooSlow extends Error {}

export class Query {
  #expression
  #lastText = ''
  /** @type {[number, number][]} */
  #lastPlaces = []
  #isGivenUp = false
  #trial
  #gaveUp

  /** @param {string} written as a person typed it @param {Trial | null} [trial] @param {(query: Query) => void} [gaveUp] it takes too long, and finds nothing any more @throws {SyntaxError | TooSlow} with words, when it is no regular expression, or one that can take for ever */
  constructor(written, trial = null, gaveUp = () => {}) {
    this.#trial = trial
    this.#gaveUp = gaveUp
    this.written = written
    const expression = expressionIn(written)
    this.isExpression = expression !== null
    this.#expression = written ? new RegExp(expression ?? quoted(written), 'giu') : null
    if (expression !== null && isNested(expression)) throw new TooSlow(NESTED)
    const needles = expression === null ? [written] : literalsIn(expression)
    /** Texts that every hit contains; none if that is not sure. */
    this.needles = needles.map((needle) => [...needle].slice(0, LONGEST_NEEDLE).join('')).filter(Boolean)
  }

  get isEmpty() {
    return this.#expression === null
  }

  /** @param {string} text */
  isIn(text) {
    const expression = this.#expression
    if (!expression) return true
    return this.#try(false, () => {
      expression.lastIndex = 0
      return expression.test(text)
    })
  }

  /** Where it is first. @param {string} text @returns {[number, number] | null} */
  firstIn(text) {
    return this.placesIn(text)[0] ?? null
  }

  /** Where it is in `text`: beginnings and ends. @param {string} text @returns {[number, number][]} */
  placesIn(text) {
    const expression = this.#expression
    if (!expression) return []
    // Rows of one line are written one after the other.
    if (text === this.#lastText) return this.#lastPlaces
    this.#lastPlaces = this.#try([], () => placesOf(expression, text))
    this.#lastText = text
    return this.#lastPlaces
  }

  /** @template T @param {T} otherwise @param {() => T} work @returns {T} */
  #try(otherwise, work) {
    if (!this.isExpression || !this.#trial) return work()
    if (this.#isGivenUp) return otherwise
    return this.#trial.run(this.written, work, () => {
      this.#isGivenUp = true
      queueMicrotask(() => this.#gaveUp(this))
    })
  }
}

/** @param {RegExp} expression @param {string} text */
function placesOf(expression, text) {
  /** @type {[number, number][]} */
  const places = []
  expression.lastIndex = 0
  for (const found of text.matchAll(expression)) {
    if (found[0]) places.push([found.index, found.index + found[0].length])
    if (places.length === MOST_PLACES) break
  }
  return places
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
  if (error instanceof TooSlow) return error.message
  const words = error instanceof Error ? error.message : String(error)
  return `This is not a regular expression: ${words.replace(/^Invalid regular expression: /, '').replace(/^\/.*\/[a-z]*: /s, '')}.`
}
