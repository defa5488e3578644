// <connection-status>: how this page is connected, and a panel with the quality of the network. What stands inside is in
// templates/components/ws_status.html; on a page without it the element brings its own.

import { client } from '../here.js'
import { showQuality } from './connection-quality.js'
import { make } from './make.js'
import { inWords } from './words.js'

/** @import {Standing} from '../realtime/client.js' */

// A cut that heals by itself this quickly is nobody's business, unless the next one follows it.
const QUIET_FOR = 2000
// A try that fails at once is not worth taking the button away.
const TRIES_FOR = 400
const SAID_AGAIN = 1000

export class ConnectionStatus extends HTMLElement {
  /** @type {Standing['state'] | null} */
  #state = null
  #staysUntil = 0
  /** @type {(() => void) | null} */
  #unwatch = null
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer

  connectedCallback() {
    if (!this.querySelector('.words')) this.#furnish()
    const panel = this.#part('.quality')
    panel.addEventListener('beforetoggle', ({ newState }) => newState === 'open' && this.#open(panel))
    panel.addEventListener('toggle', ({ newState }) =>
      this.#part('.signal').setAttribute('aria-expanded', String(newState === 'open')),
    )
    this.#part('[data-action="retry"]').onclick = () => client.retry()
    this.#unwatch = client.watch((standing) => this.#take(standing))
  }

  disconnectedCallback() {
    this.#unwatch?.()
    clearTimeout(this.#timer)
  }

  /** @param {Standing} standing */
  #take({ state, attempt }) {
    const wasUp = this.#state === 'live' || this.#state === 'polling'
    if (state === 'reconnecting') {
      if (wasUp && attempt < 2) this.#stay(QUIET_FOR)
      if (this.#state === 'offline') this.#stay(TRIES_FOR)
    }
    this.#state = state
    this.#show()
  }

  /** What is shown stays for a while, unless it gets better. @param {number} ms */
  #stay(ms) {
    this.#staysUntil = performance.now() + ms
  }

  #show() {
    clearTimeout(this.#timer)
    const quiet = this.#staysUntil - performance.now()
    if (this.#state === 'reconnecting' && quiet > 0) {
      this.#timer = setTimeout(() => this.#show(), quiet)
      return
    }
    const { standing } = client
    const { words, detail, reason, retry, wayOn } = inWords(standing, navigator.onLine)
    this.dataset.state = standing.state
    this.title = reason
    this.#say('.words', words)
    this.#say('.heard', words)
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

  /** @param {HTMLElement} panel */
  #open(panel) {
    const { bottom, right } = this.getBoundingClientRect()
    panel.style.setProperty('--below', `${bottom}px`)
    panel.style.setProperty('--from-right', `${document.documentElement.clientWidth - right}px`)
    // Its script came with the page: when the server is away, one wants to see this most.
    showQuality(panel)
  }

  #furnish() {
    const light = make('span', { className: 'light' })
    const words = make('span', { className: 'words' }, 'Connecting…')
    const signal = make('button', { type: 'button', className: 'signal' }, light, words)
    const panel = make('section', {
      className: 'quality',
      id: 'connection-quality',
      ariaLabel: 'Connection',
      popover: 'auto',
    })
    const retry = make('button', { type: 'button', hidden: true }, 'Retry')
    const wayOn = make('a', { hidden: true })
    const heard = make('span', { className: 'heard', role: 'status' })
    signal.append(make('span', { className: 'detail' }))
    signal.popoverTargetElement = panel
    retry.dataset.action = 'retry'
    wayOn.dataset.action = 'way-on'
    this.replaceChildren(signal, heard, retry, wayOn, panel)
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
