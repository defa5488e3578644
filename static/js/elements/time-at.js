// <time-at datetime="…">: a moment, in the reader's own time; the day is left out when it is today, but not `with-day`.

import { timeInWords } from '../clock.js'
import { onNewDay } from './new-day.js'

const DAY = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' })

export class TimeAt extends HTMLElement {
  static observedAttributes = ['datetime']
  /** @type {() => unknown} */
  #stop = () => {}

  connectedCallback() {
    this.#stop = onNewDay(() => this.#write())
  }

  disconnectedCallback() {
    this.#stop()
  }

  attributeChangedCallback() {
    this.#write()
  }

  #write() {
    const at = new Date(this.getAttribute('datetime') ?? '')
    if (Number.isNaN(at.getTime())) return
    const isToday = !this.hasAttribute('with-day') && at.toDateString() === new Date().toDateString()
    this.textContent = isToday ? timeInWords(at) : DAY.format(at)
    this.title = at.toLocaleString()
  }
}

customElements.define('time-at', TimeAt)
