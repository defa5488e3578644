// Watches whether the other side is still there. Any frame is a sign of life; a ping asks for one. Timers of a hidden
// tab come late, so a silence that began while we slept counts only after a question has gone unanswered.

import { CONTROL } from './contract.js'
import { newId } from './ids.js'

/** @import {Frame} from './types.d.ts' */

const ANSWERS_WITHIN = 5000
const SMOOTH = 8

export class Monitor {
  /** Milliseconds there and back of the last ping, null until measured. @type {number | null} */
  latency = null
  /** By how many milliseconds one differs from the next, smoothed; null until measured twice. @type {number | null} */
  jitter = null
  /** What the server's clock showed at its last answer, as milliseconds since the epoch; null if it does not tell. @type {number | null} */
  serverTime = null

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer
  #interval = 25_000
  #heardAt = 0
  /** @type {{id: string, at: number} | null} */
  #question = null
  #send
  #silent

  /** @param {{send: (frame: Frame) => void, silent: () => void}} how `silent`: nobody is there any more */
  constructor({ send, silent }) {
    this.#send = send
    this.#silent = silent
  }

  /** @param {number} interval milliseconds */
  start(interval) {
    this.stop()
    this.#interval = interval
    this.check()
  }

  stop() {
    clearTimeout(this.#timer)
    this.#question = null
    this.latency = null
    this.jitter = null
  }

  /** Something came in. @param {Frame} frame */
  heard(frame) {
    this.#heardAt = performance.now()
    if (!this.#question || frame.type !== CONTROL.PONG || frame.id !== this.#question.id) return

    const latency = this.#heardAt - this.#question.at
    if (this.latency !== null) {
      const difference = Math.abs(latency - this.latency)
      this.jitter = this.jitter === null ? difference : this.jitter + (difference - this.jitter) / SMOOTH
    }
    this.latency = latency
    this.serverTime = frame.data?.time ?? null
    this.#question = null
    this.#plan(this.#interval)
  }

  /** Ask now, and give up if nothing comes. */
  check() {
    if (this.#question) return
    this.#question = { id: newId(), at: performance.now() }
    this.#plan(ANSWERS_WITHIN)
    this.#send({ type: CONTROL.PING, id: this.#question.id })
  }

  /** @param {number} ms */
  #plan(ms) {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#tick(), ms)
  }

  #tick() {
    const question = this.#question
    if (!question) return this.check()

    const asked = performance.now() - question.at
    const somethingCame = this.#heardAt > question.at
    const sleptThrough = asked > 3 * ANSWERS_WITHIN
    this.#question = null
    if (somethingCame || sleptThrough) this.check()
    else this.#silent()
  }
}
