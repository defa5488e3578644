// <time-at datetime="…">: a moment, in the reader's own time; the day is left out when it is today.

import { timeInWords } from '../clock.js'

const DAY = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' })

export class TimeAt extends HTMLElement {
  static observedAttributes = ['datetime']

  attributeChangedCallback() {
    const at = new Date(this.getAttribute('datetime') ?? '')
    if (Number.isNaN(at.getTime())) return
    const isToday = at.toDateString() === new Date().toDateString()
    this.textContent = isToday ? timeInWords(at) : DAY.format(at)
    this.title = at.toLocaleString()
  }
}

customElements.define('time-at', TimeAt)
