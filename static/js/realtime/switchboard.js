// What the leading tab does for all tabs: one line to the server, and who of them follows which topic or waits for which
// answer. A tab that joins a topic later is told where it stands and fetches what it lacks by itself.

import { CONTROL } from './contract.js'

/** @import {Frame, Wire} from './types.d.ts' */

/** @typedef {{tabs: Set<string>, asked: string, epoch: string | null, head: number}} Followed */

export class Switchboard {
  /** @type {Map<string, Followed>} */
  #followed = new Map()
  /** Which tabs wait for the answer to a frame. @type {Map<string, Set<string>>} */
  #asked = new Map()
  #line
  #deliver

  /** @param {Pick<Wire, 'send'>} line @param {(tab: string | null, frame: Frame) => void} deliver to one tab, or to all */
  constructor(line, deliver) {
    this.#line = line
    this.#deliver = deliver
  }

  /** The line is another one: every tab says anew what it follows. */
  forget() {
    this.#followed.clear()
    this.#asked.clear()
  }

  /** A tab sends a frame. @param {string} tab @param {Frame} frame */
  send(tab, frame) {
    if (frame.type === CONTROL.SUBSCRIBE) return this.#follow(tab, frame)
    if (frame.type === CONTROL.UNSUBSCRIBE) return this.#unfollow(tab, frame.topic ?? '')

    this.#ask(tab, frame)
  }

  /** A tab is gone. @param {string} tab */
  leave(tab) {
    for (const topic of [...this.#followed.keys()]) this.#unfollow(tab, topic)
    for (const tabs of this.#asked.values()) tabs.delete(tab)
  }

  /** The server sends a frame. @param {Frame} frame */
  received(frame) {
    const { type, id = '', topic = '' } = frame
    if (type === CONTROL.SUBSCRIBED) this.#subscribed(frame)
    else if (type === CONTROL.RESET) this.#deliver(this.#followed.get(topic)?.asked ?? null, frame)
    else if (this.#asked.has(id)) this.#answered(frame, id)
    else {
      for (const event of frame.messages ?? [frame]) this.#note(event)
      this.#deliver(null, frame)
    }
  }

  /** @param {string} tab @param {Frame} frame */
  #follow(tab, frame) {
    const { id, topic = '' } = frame
    const followed = this.#followed.get(topic)
    if (!followed || followed.asked === tab) {
      this.#followed.set(topic, { tabs: new Set(followed?.tabs).add(tab), asked: tab, epoch: null, head: 0 })
      this.#ask(tab, frame)
      return
    }
    followed.tabs.add(tab)
    // If the server has not answered yet, its answer will go to this tab too.
    if (followed.epoch !== null) this.#deliver(tab, shared(topic, followed, id))
  }

  /** @param {string} tab @param {Frame} frame */
  #ask(tab, frame) {
    if (frame.id) this.#asked.set(frame.id, (this.#asked.get(frame.id) ?? new Set()).add(tab))
    this.#line.send(frame)
  }

  /** @param {string} tab @param {string} topic */
  #unfollow(tab, topic) {
    const followed = this.#followed.get(topic)
    if (!followed?.tabs.delete(tab) || followed.tabs.size > 0) return
    this.#followed.delete(topic)
    this.#line.send({ type: CONTROL.UNSUBSCRIBE, id: `unfollow ${topic}`, topic, data: {} })
  }

  /** @param {Frame} frame */
  #subscribed(frame) {
    const { id = '', topic = '', data } = frame
    this.#asked.delete(id)
    const followed = this.#followed.get(topic)
    if (!followed) return
    followed.epoch = data.epoch
    followed.head = Math.max(followed.head, data.head)
    for (const tab of followed.tabs) this.#deliver(tab, tab === followed.asked ? frame : shared(topic, followed))
  }

  /** @param {Frame} frame @param {string} id */
  #answered(frame, id) {
    for (const tab of this.#asked.get(id) ?? []) this.#deliver(tab, frame)
    this.#asked.delete(id)
  }

  /** @param {Frame} event */
  #note({ topic = '', seq = 0 }) {
    const followed = this.#followed.get(topic)
    if (followed) followed.head = Math.max(followed.head, seq)
  }
}

/** @param {string} topic @param {Followed} followed @param {string} [id] @returns {Frame} */
function shared(topic, { epoch, head }, id) {
  return { type: CONTROL.SUBSCRIBED, id, topic, data: { topic, epoch, head, recovered: true, shared: true } }
}
