// <connection-status>: how this page is connected. Its words stand in templates/components/ws_status.html until a client
// says how it is.

import { client } from '../here.js'
import { inWords } from './words.js'

/** @import {Standing} from '../realtime/client.js' */

// A cut that heals by itself this quickly is nobody's business.
const QUIET_FOR = 2000
const SAID_AGAIN = 1000

export class ConnectionStatus extends HTMLElement {
  /** @type {Standing | null} */
  #standing = null
  #goodUntil = 0
  /** @type {(() => void) | null} */
  #unwatch = null
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer

  connectedCallback() {
    this.#part('[data-action="retry"]').onclick = () => client.retry()
    this.#unwatch = client.watch((standing) => this.#take(standing))
  }

  disconnectedCallback() {
    this.#unwatch?.()
    clearTimeout(this.#timer)
  }

  /** @param {Standing} standing */
  #take(standing) {
    const was = this.#standing?.state
    if (standing.state === 'reconnecting' && (was === 'live' || was === 'polling')) {
      this.#goodUntil = performance.now() + QUIET_FOR
    }
    this.#standing = standing
    this.#show()
  }

  #show() {
    clearTimeout(this.#timer)
    const quiet = this.#goodUntil - performance.now()
    if (this.#standing?.state === 'reconnecting' && quiet > 0) {
      this.#timer = setTimeout(() => this.#show(), quiet)
      return
    }
    const standing = client.standing
    const { words, detail, retry, wayOn } = inWords(standing, navigator.onLine)
    this.dataset.state = standing.state
    this.#say('.words', words)
    this.#say('.detail', detail)
    this.#part('[data-action="retry"]').hidden = !retry
    const link = /** @type {HTMLAnchorElement} */ (this.#part('[data-action="way-on"]'))
    link.hidden = !wayOn
    if (wayOn) {
      link.textContent = wayOn.words
      link.href = wayOn.href
    }
    // A countdown is shown, so it has to move.
    if (standing.state === 'offline') this.#timer = setTimeout(() => this.#show(), SAID_AGAIN)
  }

  /** Only what is new is said, or a screen reader would repeat itself. @param {string} selector @param {string} words */
  #say(selector, words) {
    const part = this.#part(selector)
    if (part.textContent !== words) part.textContent = words
  }

  /** @param {string} selector @returns {HTMLElement} */
  #part(selector) {
    const part = this.querySelector(selector)
    if (!part) throw new Error(`<connection-status> has no ${selector}`)
    return /** @type {HTMLElement} */ (part)
  }
}

customElements.define('connection-status', ConnectionStatus)
