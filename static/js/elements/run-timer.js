// <run-timer>: how long a run has gone on, by the server's clock, and about how long it still will.
// On the run page `timer.show(story, forecast)` says it step by step; on a card, attributes say when it began
// (`data-from`), ended (`data-to`) and how long it usually takes (`data-usual`, seconds).

import { inMinutes, inWords, serverNow } from '../clock.js'
import { leftInWords, NO_FORECAST } from '../runs/forecast.js'
import { make } from './make.js'

/** @import {RunStory} from '../runs/story.js' */
/** @import {Forecast} from '../runs/forecast.js' */

const EACH = 500

export class RunTimer extends HTMLElement {
  static observedAttributes = ['data-from', 'data-to', 'data-usual']

  /** @type {RunStory | null} */
  #story = null
  #forecast = NO_FORECAST
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer
  #elapsed = make('span', { className: 'elapsed number' })
  #left = make('span', { className: 'left muted small' })

  connectedCallback() {
    this.role = 'timer'
    this.replaceChildren(this.#elapsed, ' ', this.#left)
    this.#draw()
  }

  disconnectedCallback() {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#draw()
  }

  /** @param {RunStory} story @param {Forecast} [forecast] */
  show(story, forecast = this.#forecast) {
    this.#story = story
    this.#forecast = forecast
    this.#draw()
  }

  /** A page that is cut off shows how it was. */
  #tick() {
    if (!this.closest('[data-stale]')) this.#draw()
  }

  #draw() {
    const { from, to } = this.#story ? { from: this.#story.startedAt, to: this.#story.endedAt } : this.dataset
    const began = Date.parse(from ?? '')
    const ended = Date.parse(to ?? '')
    const now = serverNow()
    const isOver = !Number.isNaN(ended)
    const seconds = ((isOver ? ended : now) - began) / 1000
    write(this.#elapsed, Number.isNaN(seconds) ? '' : isOver ? inWords(seconds) : inMinutes(seconds))
    write(this.#left, isOver || Number.isNaN(seconds) ? '' : this.#leftAfter(seconds, now))
    if (isOver || Number.isNaN(seconds)) this.disconnectedCallback()
    else this.#timer ??= setInterval(() => this.#tick(), EACH)
  }

  /** @param {number} seconds @param {number} now */
  #leftAfter(seconds, now) {
    if (this.#story) return leftInWords(this.#story, this.#forecast, now, inMinutes)
    const usual = Number(this.dataset.usual)
    if (!usual) return ''
    return seconds < usual ? `about ${inMinutes(usual - seconds)} left` : 'longer than usual'
  }
}

/** @param {HTMLElement} part @param {string} text */
function write(part, text) {
  if (part.textContent !== text) part.textContent = text
}

customElements.define('run-timer', RunTimer)
