// The socket and its topics: each is asked for until the server has answered, and those for which the socket has no room
// are polled beside it, from the same cursor, until there is.

import { CONTROL, LIMITS } from './contract.js'
import { Problem } from './problem.js'

/** @import {Poller} from './poller.js' */
/** @import {Frame, Line, LineListener} from './types.d.ts' */

const ANSWERED_WITHIN = 15_000
const OPEN_AGAIN = 5000

/** @typedef {{frame: Frame, timer: ReturnType<typeof setTimeout>}} Carried `timer`: asks again */

/** @implements {Line} */
export class Topics {
  /** What the socket follows, or was asked to. @type {Map<string, Carried>} */
  #carried = new Map()
  /** How each topic was asked for that is polled, the oldest first. @type {Map<string, Frame>} */
  #polled = new Map()
  #room = Number(LIMITS.TOPICS)
  /** @type {Poller | null} */
  #poller = null
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer
  #socket
  #listener
  #poll

  /**
   * @param {LineListener} listener
   * @param {(listener: LineListener) => Line & {giveUp(): void}} socket
   * @param {(listener: LineListener) => Poller} poll
   */
  constructor(listener, socket, poll) {
    this.#listener = listener
    this.#poll = poll
    this.#socket = socket({
      opened: (hello) => {
        this.#room = hello.limits?.topics ?? this.#room
        listener.opened(hello)
      },
      received: (frame) => this.#received(frame),
      closed: (ending) => {
        this.#letGo()
        listener.closed(ending)
      },
    })
  }

  open() {
    this.#socket.open()
  }

  close() {
    this.#letGo()
    this.#socket.close()
  }

  giveUp() {
    this.#socket.giveUp()
  }

  /** @param {Frame} frame */
  send(frame) {
    const { type, topic = '' } = frame
    if (type === CONTROL.SUBSCRIBE) {
      if (this.#carried.size < this.#room) return this.#ask(topic, frame)
      this.#polled.set(topic, frame)
      if (!this.#poller) this.#openPoller()
      this.#poller?.send(frame)
      return true
    }
    if (type === CONTROL.UNSUBSCRIBE) {
      this.#poller?.send(frame)
      if (this.#polled.delete(topic)) return true
      this.#forget(topic)
    }
    return this.#socket.send(frame)
  }

  /** @param {string} topic @param {Frame} frame */
  #ask(topic, frame) {
    this.#askAgain(topic, frame, ANSWERED_WITHIN)
    return this.#socket.send(frame)
  }

  /** @param {string} topic @param {Frame} frame @param {number} ms */
  #askAgain(topic, frame, ms) {
    clearTimeout(this.#carried.get(topic)?.timer)
    this.#carried.set(topic, { frame, timer: setTimeout(() => this.#ask(topic, frame), ms) })
  }

  /** The socket follows it no more. @param {string} topic */
  #forget(topic) {
    clearTimeout(this.#carried.get(topic)?.timer)
    this.#carried.delete(topic)
    // A tab that goes leaves one topic after the other.
    queueMicrotask(() => this.#moveUp())
  }

  /** Let the socket carry what is polled, as far as there is room. */
  #moveUp() {
    for (const [topic, frame] of this.#polled) {
      if (this.#carried.size >= this.#room) return
      this.#polled.delete(topic)
      this.#ask(topic, this.#poller?.goingOn(topic) ?? frame)
      this.#poller?.send({ type: CONTROL.UNSUBSCRIBE, topic })
    }
  }

  /** @param {Frame} frame */
  #received(frame) {
    const { type, id, topic = '', messages, data } = frame
    // An agent's answers come together.
    if (messages?.[0]?.id) return messages.forEach(this.#received, this)
    const [asked, carried] = (id && [...this.#carried].find(([, one]) => one.frame.id === id)) || []
    clearTimeout(carried?.timer)
    if (asked && carried && type === CONTROL.ERROR) return this.#refused(asked, carried.frame, Problem.of(data))
    if (type === CONTROL.UNSUBSCRIBED) this.#forget(topic)
    this.#listener.received(frame)
  }

  /** @param {string} topic @param {Frame} frame @param {Problem} problem */
  #refused(topic, frame, problem) {
    if (!problem.isFinal()) return this.#askAgain(topic, frame, (problem.retryAfter ?? 1) * 1000)
    this.#received({ type: CONTROL.UNSUBSCRIBED, topic, data: problem.asRefusal() })
  }

  #openPoller() {
    clearTimeout(this.#timer)
    if (this.#polled.size === 0) return
    const poller = this.#poll({
      opened: () => {
        for (const frame of this.#polled.values()) poller.send(frame)
      },
      received: (frame) => {
        if (frame.type === CONTROL.UNSUBSCRIBED) this.#polled.delete(frame.topic ?? '')
        this.#listener.received(frame, true)
      },
      closed: () => {
        for (const [topic, frame] of this.#polled) this.#polled.set(topic, poller.goingOn(topic) ?? frame)
        this.#poller = null
        this.#timer = setTimeout(() => this.#openPoller(), OPEN_AGAIN)
      },
    })
    this.#poller = poller
    poller.open()
  }

  #letGo() {
    for (const { timer } of this.#carried.values()) clearTimeout(timer)
    clearTimeout(this.#timer)
    this.#carried.clear()
    this.#polled.clear()
    this.#poller?.close()
    this.#poller = null
  }
}
