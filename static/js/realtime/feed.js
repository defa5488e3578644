// One topic as this page knows it. Push, replay and polling all pour into accept(), so an event counts once, in order,
// whichever way it came.

import { Listeners } from './listeners.js'

/** @import {Cursor, Frame, StoredEvent} from './types.d.ts' */
/** @import {Listener} from './listeners.js' */

export class Feed {
  #listeners = new Listeners()
  /** Up to here it is history that was missed. */
  #replayUntil = 0
  /** Up to here it was there before this page came alive. @type {number | null} */
  #oldUntil = null
  #everyEvent

  /** The last event's seq, null while none is known. @type {number | null} */
  seq
  /** @type {string | null} */
  epoch
  /** The highest seq that is known to exist. */
  head = 0
  /** Events that came late after a break. */
  replayed = 0
  /** Events that nobody can give back; NaN since the topic began anew, when nobody can know how many. */
  lost = 0
  /** Events that came twice. */
  duplicates = 0

  /** @param {string} topic @param {Cursor} cursor @param {Listener} [everyEvent] hears all of them, after the others */
  constructor(topic, { epoch, seq }, everyEvent = () => {}) {
    this.topic = topic
    this.epoch = epoch
    this.seq = seq
    this.head = seq ?? 0
    this.#everyEvent = everyEvent
  }

  /** @returns {Cursor} */
  get cursor() {
    return { epoch: this.epoch, seq: this.seq }
  }

  isBehind() {
    return this.seq !== null && this.seq < this.head
  }

  /** Whether an event was missed and came late, as part of the history. @param {Frame} event */
  isReplay({ seq = Number.POSITIVE_INFINITY }) {
    return seq <= this.#replayUntil
  }

  /** true: taken, or known already. false: something is missing, fetch after this.seq. @param {StoredEvent} event */
  accept(event) {
    this.head = Math.max(this.head, event.seq)
    if (this.seq !== null && event.seq <= this.seq) {
      this.duplicates += 1
      return true
    }
    if (this.seq !== null && event.seq > this.seq + 1) return false

    this.seq = event.seq
    if (event.seq <= this.#replayUntil && event.seq > (this.#oldUntil ?? 0)) this.replayed += 1
    this.tell(event)
    return true
  }

  /** The server follows us from our cursor; the rest up to `head` is on its way. @param {{epoch: string, head: number}} answer */
  subscribed({ epoch, head }) {
    this.epoch = epoch
    if (this.seq === null) this.seq = head
    this.head = Math.max(this.head, head)
    this.#replayUntil = head
    this.#oldUntil ??= head
    this.tell({ type: 'subscribed', topic: this.topic, data: { epoch, head } })
  }

  /** What lies between our cursor and `head` is gone: listeners of `reset` start afresh. @param {{epoch: string, head: number}} answer */
  reset({ epoch, head }) {
    if (this.epoch && epoch !== this.epoch) this.lost = Number.NaN
    else this.lost += Math.max(0, head - (this.seq ?? head))
    this.epoch = epoch
    this.seq = head
    this.head = head
    this.#replayUntil = head
    this.#oldUntil = head
    this.tell({ type: 'reset', topic: this.topic, data: { epoch, head } })
  }

  /** Listen to events and whispers of `type`; the answer stops it. @param {string} type @param {Listener} listener */
  on(type, listener) {
    return this.#listeners.on(type, listener)
  }

  /** @param {Frame} event */
  tell(event) {
    this.#listeners.tell(event)
    this.#everyEvent(event)
  }
}
