// Frames that wait for their answer. They are sent again until it comes, under the same id, so each happens once; on one
// topic they go one after the other, so their order is that of the person who wrote them.

import { Problem } from './problem.js'

/** @import {Entry, Frame, Left, Refused, Store} from './types.d.ts' */

const MOST = 100
const ANSWERED_WITHIN = 15_000
const TRY_AGAIN = 1000

/** @typedef {{entry: Entry, answer: Promise<any>, resolve: (ack: any) => void, reject: (problem: Problem) => void, sent: boolean, resent: number,
 *   until: number, timer?: ReturnType<typeof setTimeout>, deadline?: ReturnType<typeof setTimeout>}} Waiting `until`: by Date.now() */

export class Outbox {
  /** Oldest first. @type {Map<string, Waiting>} */
  #waiting = new Map()
  /** @type {Map<string, Refused>} */
  #refused = new Map()
  #isOpen = false
  #store
  #send
  #changed
  #tellRefused
  #most

  /** How often a frame had to be sent again. */
  resent = 0

  /** @param {{send: (frame: Frame) => boolean, store?: Store | null, changed?: () => void, refused?: (refused: Refused) => void, most?: number}} options */
  constructor({ send, store = null, changed = () => {}, refused = () => {}, most = MOST }) {
    this.#most = most
    this.#send = send
    this.#store = store
    this.#changed = changed
    this.#tellRefused = refused
  }

  get size() {
    return this.#waiting.size
  }

  /** What was to be kept and is refused for good, oldest first; a reload does not cost it. */
  get refused() {
    return [...this.#refused.values()]
  }

  /** Take up what an earlier page left; it goes before what this page has written meanwhile. @returns {Promise<Left>} */
  async load() {
    const entries = (await this.#store?.all().catch(() => [])) ?? []
    const younger = [...this.#waiting.entries()]
    this.#waiting.clear()
    /** @type {Left} */
    const left = { waiting: [], refused: [] }
    for (const entry of entries) {
      if ('refusal' in entry) {
        this.#refused.set(entry.id, entry)
        left.refused.push(entry)
      } else {
        const waiting = waitingFor(entry)
        this.#waiting.set(entry.id, waiting)
        left.waiting.push({ ...entry, answer: waiting.answer })
      }
    }
    for (const [id, waiting] of younger) this.#waiting.set(id, waiting)
    this.#pump()
    if (entries.length) this.#changed()
    return left
  }

  /**
   * Send `entry` until it is answered, and answer with the ack's data or throw the Problem. One that is not to be kept
   * is given up after a while, since nobody wants a button to work an hour later.
   *
   * @param {Entry} entry @returns {Promise<any>}
   */
  add(entry) {
    if (this.#waiting.size >= this.#most) return Promise.reject(new Problem('outbox_full'))

    const waiting = waitingFor(entry)
    this.#waiting.set(entry.id, waiting)
    this.#refused.delete(entry.id)
    if (entry.keep) this.#store?.put(entry).catch(() => {})
    else waiting.deadline = setTimeout(() => this.#refuse(waiting, new Problem('timeout')), ANSWERED_WITHIN)
    this.#pump()
    this.#changed()
    return waiting.answer
  }

  /** Send what was refused once more, as the same frame. @param {string} id @returns {Promise<any>} */
  again(id) {
    const { refusal: _, ...entry } = /** @type {Refused} */ (this.#refused.get(id))
    return this.add(entry)
  }

  /** Somebody has seen it: forget it. @param {string} id */
  dismiss(id) {
    this.#refused.delete(id)
    this.#store?.remove(id).catch(() => {})
  }

  /** A line is up. It knows nothing of what was sent on the one before. */
  resume() {
    this.#isOpen = true
    for (const waiting of this.#waiting.values()) this.#takeBack(waiting)
    this.#pump()
  }

  pause() {
    this.#isOpen = false
  }

  /** The page goes away, perhaps to come back. */
  close() {
    this.pause()
    this.#store?.close?.()
  }

  /** An ack or error came in. false: it is not for one of ours. @param {Frame} frame */
  answered({ type, id = '', data }) {
    const waiting = this.#waiting.get(id)
    if (!waiting) return false

    if (type === 'ack') {
      this.#settle(waiting)
      if (waiting.entry.keep) this.dismiss(id)
      waiting.resolve(data)
    } else {
      const problem = Problem.of(data)
      if (problem.isTransient()) this.#again(waiting, (problem.retryAfter ?? 1) * 1000)
      else this.#refuse(waiting, problem)
    }
    this.#pump()
    return true
  }

  #pump() {
    if (!this.#isOpen) return
    const busy = new Set()
    for (const waiting of this.#waiting.values()) {
      const { topic } = waiting.entry
      if (!waiting.sent && !busy.has(topic)) this.#dispatch(waiting)
      busy.add(topic)
    }
  }

  /** @param {Waiting} waiting */
  #dispatch(waiting) {
    const { id, type, topic, data } = waiting.entry
    // The timer stood still while the page was away or the machine asleep.
    if (Date.now() > waiting.until) return this.#refuse(waiting, new Problem('timeout'))
    // A line that is up may be unable for a moment, as where this tab knows less of it than the one that leads.
    if (!this.#send(topic === null ? { type, id, data } : { type, id, topic, data }))
      return this.#again(waiting, TRY_AGAIN)

    waiting.sent = true
    if (waiting.resent) this.resent += 1
    this.#again(waiting, ANSWERED_WITHIN)
  }

  /** @param {Waiting} waiting @param {number} ms */
  #again(waiting, ms) {
    clearTimeout(waiting.timer)
    waiting.timer = setTimeout(() => {
      this.#takeBack(waiting)
      this.#pump()
    }, ms || TRY_AGAIN)
  }

  /** @param {Waiting} waiting */
  #takeBack(waiting) {
    clearTimeout(waiting.timer)
    if (waiting.sent) waiting.resent += 1
    waiting.sent = false
  }

  /** @param {Waiting} waiting @param {Problem} problem */
  #refuse(waiting, problem) {
    const { entry } = waiting
    this.#settle(waiting)
    if (entry.keep) {
      const refused = { ...entry, refusal: problem.asRefusal() }
      this.#refused.set(entry.id, refused)
      this.#store?.put(refused).catch(() => {})
      this.#tellRefused(refused)
    }
    waiting.reject(problem)
    this.#pump()
  }

  /** @param {Waiting} waiting */
  #settle(waiting) {
    clearTimeout(waiting.timer)
    clearTimeout(waiting.deadline)
    this.#waiting.delete(waiting.entry.id)
    queueMicrotask(this.#changed)
  }
}

/** @param {Entry} entry @returns {Waiting} */
function waitingFor(entry) {
  /** @type {(ack: any) => void} */
  let resolve = () => {}
  /** @type {(problem: Problem) => void} */
  let reject = () => {}
  const answer = new Promise((yes, no) => {
    resolve = yes
    reject = no
  })
  // Whoever wrote it hears of a refusal, if they still listen.
  answer.catch(() => {})
  const until = entry.keep ? Number.POSITIVE_INFINITY : Date.now() + ANSWERED_WITHIN
  return { entry, answer, resolve, reject, sent: false, resent: 0, until }
}
