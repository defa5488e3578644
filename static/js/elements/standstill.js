// Whether what a page shows stands still, why, and what one can do about it.

import { timeInWords } from '../clock.js'

/** @import {Standing} from '../realtime/client.js' */

/** @typedef {{words: string, more: string, way: 'retry' | 'reload'}} Said what is so, in a few words, and the rest */

// A cut that heals by itself this quickly is nobody's business.
const QUIET_FOR = 2000

/** @type {Said} */
const OUT_OF_DATE = {
  words: 'This page is out of date.',
  more: 'Some of what happened can’t be had any more. It is loaded again by itself.',
  way: 'reload',
}
/** @type {Said} */
const SHUT_OUT = {
  words: 'You may not see all of this any more.',
  more: 'What is here stays as it was.',
  way: 'reload',
}

export class Standstill {
  #tell
  #meanwhile
  /** @type {Said | null} */
  #reason = null
  #state = ''
  #wasUp = false
  #isCut = false
  #received = 0
  /** What is shown was true then. */
  #trueAt = new Date()
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer

  /** @param {(said: Said | null) => void} tell @param {string} [meanwhile] what one may do while it is cut off */
  constructor(tell, meanwhile = '') {
    this.#tell = tell
    this.#meanwhile = meanwhile
  }

  /** How the connection stands. @param {Standing['state']} state @param {number} [received] bytes, so far */
  connection(state, received = 0) {
    const isUp = isLive(state)
    // A cut is noticed late, after a night's sleep by hours.
    if (isUp && (!isLive(this.#state) || received !== this.#received)) this.heard()
    this.#state = state
    this.#received = received
    this.#wasUp ||= isUp
    // A page that is away, or has never been live, is as it was written.
    const isAtRest = state === 'idle' || (state === 'connecting' && !this.#wasUp)
    if (isUp || isAtRest) this.#heal()
    else if (this.#isCut) this.#say()
    else this.#timer ??= setTimeout(() => this.#cut(), QUIET_FOR)
  }

  /** Something was said to this page just now. */
  heard() {
    this.#trueAt = new Date()
  }

  /** Events are gone before this page had them. */
  lost() {
    this.#because(OUT_OF_DATE)
  }

  /** A topic may not be read any more. */
  shutOut() {
    this.#because(SHUT_OUT)
  }

  #cut() {
    this.#isCut = true
    this.#say()
  }

  #heal() {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#isCut = false
    this.#say()
  }

  /** @param {Said} reason */
  #because(reason) {
    this.#reason = reason
    this.#say()
  }

  #say() {
    this.#tell(this.#said())
  }

  /** @returns {Said | null} */
  #said() {
    if (this.#reason) return this.#reason
    if (!this.#isCut) return null
    const at = `as it was at ${timeInWords(this.#trueAt)}.`
    if (this.#state === 'stopped') return { words: `Not connected any more: ${at}`, more: '', way: 'reload' }
    return { words: `Not connected: ${at}`, more: this.#meanwhile, way: 'retry' }
  }
}

/** @param {string} state */
function isLive(state) {
  return state === 'live' || state === 'polling'
}
