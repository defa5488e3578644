// One connection for all tabs of a browser. The tab that holds a lock leads: it keeps the line, and serves the others by
// mail. When it closes or crashes, the lock goes to the next in line, which opens a line of its own; a leader that is
// stuck, or so long hidden that its timers hardly run, is robbed of it. Whoever leads, the Client above is told `opened`
// and says anew what it follows and what has no answer, so nothing is lost; what comes twice it drops.

import { CONTROL } from './contract.js'
import { newId } from './ids.js'
import { LEADER, Mail, ON, ROOM } from './mail.js'
import { isUp, LEADERS_WORDS, Switchboard } from './switchboard.js'

/** @import {Frame, Hello, Status, Wire, WireListener} from './types.d.ts' */
/** @import {Letter} from './mail.js' */

/** @typedef {(listener: WireListener, wasUp: boolean) => Wire} Connect */

const LOOK_EVERY = 1500
const PATIENCE = 3
// After five minutes browsers let a hidden tab's timers run once a minute.
const HIDDEN_TOO_LONG = 240_000

/** @type {Status} */
const NOTHING_KNOWN = {
  state: 'idle',
  transport: null,
  delay: null,
  latency: null,
  jitter: null,
  serverTime: null,
  attempt: 0,
  retryIn: null,
  refusal: null,
  reconnects: 0,
  received: 0,
  sent: 0,
}

/** @implements {Wire} */
export class Tabs {
  #id = ''
  #status = NOTHING_KNOWN
  #knownAt = 0
  /** @type {Mail | null} */
  #mail = null
  /** Only in the leading tab. @type {Switchboard | null} */
  #board = null
  /** Whom we follow. */
  #leader = ''
  /** Whether it knows what we follow. */
  #joined = false
  /** Whether we were told `opened` since the line was last down. */
  #isOpen = false
  #unanswered = 0
  #patience = PATIENCE + Math.random()
  #lookedAt = 0
  /** @type {number | null} */
  #hiddenSince = null
  /** Ends our waiting for the lead, or the lead itself. */
  #candidacy = new AbortController()
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #looking
  #name
  #connect
  #listener
  #isVisible

  /** @param {{name: string, connect: Connect, listener: WireListener, isVisible?: () => boolean}} options */
  constructor({ name, connect, listener, isVisible = () => true }) {
    this.#name = name
    this.#connect = connect
    this.#listener = listener
    this.#isVisible = isVisible
  }

  static arePossible() {
    return typeof BroadcastChannel === 'function' && Boolean(globalThis.navigator?.locks)
  }

  /** @returns {Status} */
  get status() {
    if (this.#board) return this.#board.status
    const { retryIn } = this.#status
    const since = performance.now() - this.#knownAt
    return { ...this.#status, retryIn: retryIn === null ? null : Math.max(0, retryIn - since) }
  }

  get isLeading() {
    return this.#board !== null
  }

  start() {
    if (this.#mail) return
    this.#id = newId()
    this.#mail = new Mail(this.#name)
    this.#mail.listen(ROOM, (letter) => this.#hear(letter))
    this.#mail.listen(this.#id, (letter) => this.#hear(letter))
    this.#know({ ...NOTHING_KNOWN, state: 'connecting' })
    this.#stand()
    this.#join()
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY)
  }

  stop() {
    if (!this.#mail) return
    clearInterval(this.#looking)
    if (!this.#board) this.#tell('leave')
    this.#stepDown()
    this.#mail.close()
    this.#mail = null
    this.#candidacy.abort()
    this.#know(NOTHING_KNOWN)
  }

  retry() {
    if (!this.#mail) this.start()
    else if (this.#board) this.#board.line.retry()
    else this.#tell('retry')
  }

  wake() {
    this.#unanswered = 0
    this.#look()
    if (this.#board) this.#board.line.wake()
    else this.#tell('wake')
  }

  measure() {
    if (this.#board) this.#board.line.measure()
    else this.#tell('measure')
  }

  /** @param {Frame} frame */
  send(frame) {
    if (this.#board) return this.#board.send(this.#id, frame)

    const { type, topic } = frame
    if (type === CONTROL.UNSUBSCRIBE) this.#mail?.forget(ON + topic)
    if (!this.#joined) return false
    if (type === CONTROL.SUBSCRIBE) this.#mail?.listen(ON + topic, (letter) => this.#hear(letter))
    else if (type !== CONTROL.UNSUBSCRIBE && !isUp(this.#status)) return false
    this.#tell('frame', { frame })
    return true
  }

  // Following

  #join() {
    this.#isLedBy('')
    this.#tell('join')
  }

  /** @param {string} leader '': nobody yet */
  #isLedBy(leader) {
    if (this.#leader && this.#leader !== leader) this.#mail?.forget(this.#leader)
    this.#leader = leader
    this.#joined = false
  }

  /** @param {Letter} letter */
  #hear({ from, say, frame, status, hello, heads }) {
    if (this.#board) return this.#board.hear(from, say, frame)
    if (say === 'call') return this.#answer(from)
    if (say === 'lead') this.#isLedBy(from)
    // What was meant for us as the leader that we were is sent again to the one that is.
    if (from !== this.#leader || !LEADERS_WORDS.has(say)) return

    this.#unanswered = 0
    if (status) this.#know(status)
    if (heads) this.#listener.received({ type: CONTROL.HEADS, data: heads })
    if (frame) this.#listener.received(frame)
    if (hello) this.#opened(hello)
    if (say === 'who') this.#tell('here')
    if (say === 'left') this.#lostLeader()
    if (say === 'known') {
      this.#mayRob(status)
      // Its `opened` has not reached us, or word of an earlier cut came after it.
      if (isUp(status) && !(this.#joined && this.#isOpen)) this.#join()
    }
  }

  /** Somebody has begun to lead. @param {string} leader */
  #answer(leader) {
    this.#unanswered = 0
    this.#mail?.post(leader, { from: this.#id, say: 'join' })
  }

  /** @param {Hello} hello */
  #opened(hello) {
    // From the same leader it is another line, on which it follows for us what it did before.
    const resumed = this.#joined
    this.#joined = true
    this.#isOpen = true
    this.#listener.opened({ ...hello, resumed })
  }

  #lostLeader() {
    this.#isLedBy('')
    if (isUp(this.#status)) this.#know({ ...this.#status, state: 'reconnecting', transport: null, latency: null })
  }

  /** Whoever is looked at makes sure that somebody leads. */
  #look() {
    const isVisible = this.#isVisible()
    this.#hiddenSince = isVisible ? null : (this.#hiddenSince ?? performance.now())
    if (this.#board) this.#board.hiddenFor = isVisible ? 0 : performance.now() - (this.#hiddenSince ?? 0) + 1
    if (this.#board || !isVisible || !this.#mail) return

    // Where our own timers come late, so do the leader's answers.
    const isPunctual = performance.now() - this.#lookedAt < 2 * LOOK_EVERY
    this.#lookedAt = performance.now()
    if (this.#unanswered >= this.#patience && isPunctual) {
      // A hundred slow tabs would rob each other for ever.
      this.#patience = Math.min(60, this.#patience * 2 + 3 * Math.random())
      return this.#stand({ steal: true })
    }
    this.#unanswered += 1
    this.#tell(this.#leader ? 'ask' : 'join')
  }

  /** @param {Status} status */
  #mayRob({ state, hiddenFor = 0 }) {
    const isDown = state === 'reconnecting' || state === 'offline'
    if (hiddenFor > HIDDEN_TOO_LONG || (hiddenFor > 0 && isDown)) this.#stand({ steal: true })
  }

  // Leading

  /** Get in line for the lead, or take it. Ends when it is ours no more. @param {{steal?: boolean}} [how] */
  async #stand({ steal = false } = {}) {
    this.#candidacy.abort()
    this.#unanswered = 0
    const candidacy = new AbortController()
    const { signal } = candidacy
    this.#candidacy = candidacy
    const lead = async () => {
      if (signal.aborted) return
      this.#lead()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    }
    try {
      await navigator.locks.request(this.#name, steal ? { steal } : { signal }, lead)
    } catch (error) {
      // Not wanted any more, or robbed. Where locks are forbidden nobody can be, and each tab has its own line.
      if (/** @type {Error} */ (error).name !== 'AbortError') await lead()
    }
    if (this.#candidacy !== candidacy || signal.aborted) return
    this.#stepDown()
    this.#lostLeader()
    this.#stand()
    this.#join()
  }

  #lead() {
    if (!this.#mail) return
    const wasUp = isUp(this.#status) || this.#status.state === 'reconnecting'
    const own = {
      opened: (/** @type {Hello} */ hello) => this.#listener.opened(hello),
      received: (/** @type {Frame} */ frame) => this.#listener.received(frame),
      changed: (/** @type {Status} */ status) => this.#know(status),
    }
    const connect = (/** @type {WireListener} */ listener) => this.#connect(listener, wasUp)
    this.#mail.listen(LEADER, (letter) => this.#hear(letter))
    this.#board = new Switchboard({ id: this.#id, mail: this.#mail, own, connect })
    this.#board.start()
  }

  #stepDown() {
    const board = this.#board
    this.#board = null
    this.#mail?.forget(LEADER)
    board?.close()
  }

  // Words

  /** @param {string} say @param {Partial<Letter>} [more] */
  #tell(say, more) {
    this.#mail?.post(this.#leader || LEADER, { from: this.#id, say, ...more })
  }

  /** @param {Status} status */
  #know(status) {
    this.#status = status
    if (!isUp(status)) this.#isOpen = false
    this.#knownAt = performance.now()
    this.#listener.changed(status)
  }
}
