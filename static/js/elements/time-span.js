// <time-span from="…" to="…">: how long it took; without `to`, how long it has gone on.

import { inWords, serverNow } from '../clock.js'

const EACH_SECOND = 1000

export class TimeSpan extends HTMLElement {
  static observedAttributes = ['from', 'to']

  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer

  connectedCallback() {
    this.#show()
  }

  disconnectedCallback() {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  attributeChangedCallback() {
    this.#show()
  }

  /** A page that is cut off shows how it was. */
  #tick() {
    if (!this.closest('[data-stale]')) this.#show()
  }

  #show() {
    const from = Date.parse(this.getAttribute('from') ?? '')
    const to = Date.parse(this.getAttribute('to') ?? '')
    const goesOn = !Number.isNaN(from) && Number.isNaN(to) && this.isConnected
    if (Number.isNaN(from)) this.textContent = ''
    else this.textContent = inWords(Math.max(0, (Number.isNaN(to) ? serverNow() : to) - from) / 1000)

    if (goesOn) this.#timer ??= setInterval(() => this.#tick(), EACH_SECOND)
    else this.disconnectedCallback()
  }
}

customElements.define('time-span', TimeSpan)
