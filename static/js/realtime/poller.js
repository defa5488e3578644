// The socket's interface over HTTP: a frame given to send() is answered by received(), as a socket would. A question is
// held open by the server (long poll); where a proxy doesn't allow that, it is asked again and again.

import { Api } from './api.js'
import { CLOSE, CONTROL } from './contract.js'
import { Pace } from './pace.js'
import { Problem } from './problem.js'
import { sleep } from './sleep.js'
import { subscribe } from './subscribe.js'

/** @import {Cursor, Frame, Line, LineListener, Page} from './types.d.ts' */

const WAIT = 20
const FAILURES_ALLOWED = 2
// Browsers open six connections to a server; some stay free for everything else.
const HELD_OPEN = 3
const HOLD_AGAIN_AFTER = 120_000

/** @typedef {Cursor & {topic: string, id: string | undefined, stop: AbortController}} Followed */

/** @implements {Line} */
export class Poller {
  /** @type {Map<string, Followed>} */
  #followed = new Map()
  #stopped = new AbortController()
  #open = false
  /** When questions may be held open again, by performance.now(). */
  #holdFrom = 0
  #heldFailures = 0
  #failures = 0
  #api
  #listener
  /** Milliseconds until the next question on a topic; null: it is held open. @type {Map<string, number | null>} */
  #delays = new Map()

  /** @param {Api} api @param {LineListener} listener */
  constructor(api, listener) {
    this.#api = api
    this.#listener = listener
  }

  async open() {
    try {
      await this.#api.ping()
    } catch (error) {
      return this.#end(error)
    }
    if (this.#stopped.signal.aborted) return
    this.#open = true
    this.#listener.opened({})
  }

  close() {
    this.#open = false
    this.#stopped.abort()
    for (const followed of this.#followed.values()) followed.stop.abort()
  }

  giveUp() {
    this.#end(new Problem('timeout'))
  }

  /** @param {Frame} frame */
  send(frame) {
    if (!this.#open) return false
    switch (frame.type) {
      case CONTROL.SUBSCRIBE:
        this.#follow(frame)
        break
      case CONTROL.UNSUBSCRIBE:
        this.#unfollow(frame.topic ?? '')
        break
      case CONTROL.PING:
        this.#ping(frame)
        break
      case CONTROL.RECEIVED:
        break
      default:
        this.#post(frame)
    }
    return true
  }

  /** The frame with which another line goes on where this one is, or ended. @param {string} topic */
  goingOn(topic) {
    const followed = this.#followed.get(topic)
    return followed && subscribe(topic, followed, followed.id)
  }

  /** @param {Frame} frame */
  async #follow({ id, topic = '', data }) {
    this.#unfollow(topic)
    const followed = { topic, id, epoch: data?.epoch ?? null, seq: data?.after ?? null, stop: new AbortController() }
    this.#followed.set(topic, followed)

    const etag = { value: /** @type {string | null} */ (null), retryAfter: null }
    const pace = new Pace()
    let known = false
    while (!followed.stop.signal.aborted) {
      const hold = known && this.#mayHold(topic)
      let page
      try {
        page = await this.#read(followed, hold ? WAIT : 0, etag)
        this.#failures = 0
        if (hold) this.#heldFailures = 0
      } catch (error) {
        if (followed.stop.signal.aborted) return
        if (await this.#isOver(followed, error, hold)) return
        continue
      }
      if (followed.stop.signal.aborted) return

      if (!known && page) this.#announce(followed, page)
      known = true
      if (page) this.#pass(followed, page, pace)
      const isHeld = this.#mayHold(topic)
      const delay = isHeld ? null : Math.max(pace.next(), (etag.retryAfter ?? 0) * 1000)
      this.#paces(topic, delay)
      if (page?.events.length || hold || isHeld) continue
      await sleep(delay ?? 0, followed.stop.signal)
    }
  }

  /** @param {Followed} followed @param {number} wait seconds @param {{value: string | null, retryAfter: number | null}} etag */
  #read({ topic, seq, epoch, stop }, wait, etag) {
    // Without a cursor only the head is wanted, and no event.
    const where = seq === null ? { before: 0 } : { after: seq, epoch, wait }
    return this.#api.events(topic, where, { signal: stop.signal, etag })
  }

  /** @param {Followed} followed @param {Page} page */
  #announce(followed, { epoch, head, floor, reset }) {
    const { topic, id } = followed
    if (reset) this.#listener.received({ type: CONTROL.RESET, topic, data: { topic, epoch, head, floor } })
    // From here on it is either the reader's own cursor or the head; both are known.
    if (reset || followed.seq === null) followed.seq = head
    followed.epoch = epoch
    this.#listener.received({ type: CONTROL.SUBSCRIBED, id, topic, data: { topic, epoch, head, recovered: !reset } })
  }

  /** @param {Followed} followed @param {Page} page @param {Pace} pace */
  #pass(followed, { epoch, head, floor, reset, events }, pace) {
    const { topic } = followed
    if (reset) {
      // Our own cursor was moved to the head when we were told that it was gone.
      if (followed.seq !== head || followed.epoch !== epoch)
        this.#listener.received({ type: CONTROL.RESET, topic, data: { topic, epoch, head, floor } })
      followed.epoch = epoch
      followed.seq = head
      return
    }
    const fresh = events.filter((event) => event.seq > (followed.seq ?? 0))
    if (fresh.length === 0) return

    pace.news()
    followed.seq = fresh[fresh.length - 1].seq
    this.#listener.received({ type: CONTROL.BATCH, messages: fresh })
  }

  /** One reading has failed: is this the end of the topic, or of the line? @param {Followed} followed @param {unknown} error @param {boolean} held */
  async #isOver(followed, error, held) {
    const { topic, stop } = followed
    const problem = Problem.from(error)
    if (problem.code === 'unauthenticated') {
      this.#end(problem)
      return true
    }
    if (problem.isFinal()) {
      this.#unfollow(topic)
      this.#listener.received({ type: CONTROL.UNSUBSCRIBED, topic, data: problem.asRefusal() })
      return true
    }
    // A proxy that cuts held questions still lets short ones through.
    if (held) this.#heldFailures += 1
    else this.#failures += 1
    if (this.#heldFailures >= FAILURES_ALLOWED) {
      this.#heldFailures = 0
      this.#holdFrom = performance.now() + HOLD_AGAIN_AFTER
    }
    if (this.#failures >= FAILURES_ALLOWED && !problem.isTransient()) {
      this.#end(problem)
      return true
    }
    await sleep((problem.retryAfter ?? 1) * 1000, stop.signal)
    return false
  }

  /** @param {string} topic */
  #unfollow(topic) {
    this.#followed.get(topic)?.stop.abort()
    this.#followed.delete(topic)
    this.#delays.delete(topic)
  }

  /** @param {string} topic */
  #mayHold(topic) {
    return performance.now() >= this.#holdFrom && [...this.#followed.keys()].indexOf(topic) < HELD_OPEN
  }

  /** The quickest is what a person sees. @param {string} topic @param {number | null} delay */
  #paces(topic, delay) {
    this.#delays.set(topic, delay)
    const delays = [...this.#delays.values()].filter((one) => one !== null)
    this.#listener.paced?.(delays.length === this.#delays.size ? Math.min(...delays) : null)
  }

  /** @param {Frame} frame */
  async #ping({ id }) {
    try {
      this.#tell({ type: CONTROL.PONG, id, data: { time: await this.#api.ping() } })
    } catch {
      // Silence is an answer too: the monitor hears it.
    }
  }

  /** @param {Frame} frame */
  async #post(frame) {
    try {
      this.#tell(await this.#api.frame(frame))
    } catch (error) {
      const problem = Problem.from(error)
      if (problem.code === 'unauthenticated') this.#end(problem)
      // Not delivered is not refused: the outbox sends it again.
      else if (!problem.isOfTheWay()) this.#tell({ type: CONTROL.ERROR, id: frame.id, data: problem.asRefusal() })
    }
  }

  /** @param {Frame} frame */
  #tell(frame) {
    if (this.#open) this.#listener.received(frame)
  }

  /** @param {unknown} error */
  #end(error) {
    if (this.#stopped.signal.aborted) return
    this.close()
    const problem = Problem.from(error)
    const code = problem.code === 'unauthenticated' ? CLOSE.UNAUTHENTICATED : 1006
    this.#listener.closed({ code, refusal: problem.asRefusal() })
  }
}
