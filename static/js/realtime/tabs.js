// Shares one connection between the tabs of a browser. The tab that holds a lock leads: it keeps the line and serves the
// others over a channel. When it closes, the lock goes to another tab, which opens a line of its own.

import { newId } from './ids.js'
import { Switchboard } from './switchboard.js'

/** @import {Frame, Hello, Status, Wire, WireListener} from './types.d.ts' */

/** @typedef {{to: string, from: string, frame?: Frame, status?: Status, opened?: Hello, say?: 'join' | 'leave' | 'retry' | 'wake' | 'due'}} Note */

/** @typedef {{connection: Wire, board: Switchboard, hello: Hello | null, others: Set<string>}} Leading */

const LEADER = 'leader'
const EVERYBODY = '*'
const ANSWERS_WITHIN = 2000
const LOOKS_FOR_THE_DEAD_EVERY = 30_000

/** @type {Status} */
const NOTHING_KNOWN = { state: 'idle', transport: null, latency: null, attempt: 0, retryIn: null, refusal: null }

/** @implements {Wire} */
export class Tabs {
  #id = newId()
  /** As the leader says. */
  #status = NOTHING_KNOWN
  /** @type {BroadcastChannel | null} */
  #channel = null
  /** Only in the leading tab. @type {Leading | null} */
  #leading = null
  /** Ends waiting for locks, and gives them back. */
  #life = new AbortController()
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #silence
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #nudge
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #looking
  #name
  #connect
  #listener

  /** @param {string} name @param {(listener: WireListener, wasUp: boolean) => Wire} connect @param {WireListener} listener */
  constructor(name, connect, listener) {
    this.#name = name
    this.#connect = connect
    this.#listener = listener
  }

  static arePossible() {
    return typeof BroadcastChannel === 'function' && Boolean(globalThis.navigator?.locks)
  }

  get status() {
    return this.#status
  }

  get isLeading() {
    return this.#leading !== null
  }

  start() {
    if (this.#channel) return
    this.#life = new AbortController()
    this.#channel = new BroadcastChannel(this.#name)
    this.#channel.onmessage = ({ data }) => this.#hear(data)
    this.#know({ ...NOTHING_KNOWN, state: 'connecting' })
    this.#hold(this.#lockOf(this.#id), () => {})
    this.#hold(this.#name, () => this.#lead())
    this.#say(LEADER, { say: 'join' })
    this.#expectAnswer()
  }

  stop() {
    if (!this.#channel) return
    this.#say(LEADER, { say: 'leave' })
    this.#stepDown()
    clearTimeout(this.#silence)
    clearTimeout(this.#nudge)
    this.#channel.close()
    this.#channel = null
    this.#life.abort()
    this.#know(NOTHING_KNOWN)
  }

  retry() {
    if (!this.#channel) return this.start()
    if (this.#leading) return this.#leading.connection.retry()
    this.#say(LEADER, { say: 'retry' })
    this.#expectAnswer()
  }

  wake() {
    if (this.#leading) return this.#leading.connection.wake()
    this.#say(LEADER, { say: 'wake' })
    this.#expectAnswer()
  }

  /** @param {Frame} frame */
  send(frame) {
    if (this.#status.state !== 'live' && this.#status.state !== 'polling') return false
    if (this.#leading) this.#leading.board.send(this.#id, frame)
    else this.#say(LEADER, { frame })
    return true
  }

  // Leading

  #lead() {
    const wasUp = this.#status.state === 'live' || this.#status.state === 'polling'
    clearTimeout(this.#silence)
    clearTimeout(this.#nudge)
    const connection = this.#connect(
      {
        opened: (hello) => this.#opened(hello),
        received: (frame) => this.#leading?.board.received(frame),
        changed: (status) => this.#changed(status),
      },
      wasUp,
    )
    const board = new Switchboard(connection, (tab, frame) => this.#deliver(tab, frame))
    this.#leading = { connection, board, hello: null, others: new Set() }
    this.#looking = setInterval(() => this.#forgetTheDead(), LOOKS_FOR_THE_DEAD_EVERY)
    connection.start()
  }

  #stepDown() {
    const leading = this.#leading
    this.#leading = null
    clearInterval(this.#looking)
    leading?.connection.stop()
  }

  /** @param {Hello} hello */
  #opened(hello) {
    if (!this.#leading) return
    this.#leading.hello = hello
    this.#leading.board.forget()
    this.#say(EVERYBODY, { opened: hello })
    this.#listener.opened(hello)
  }

  /** @param {Status} status */
  #changed(status) {
    if (!this.#leading) return
    if (status.transport === null) this.#leading.hello = null
    this.#say(EVERYBODY, { status })
    this.#know(status)
  }

  /** @param {string | null} tab @param {Frame} frame */
  #deliver(tab, frame) {
    if (tab === null || tab === this.#id) this.#listener.received(frame)
    if (tab !== this.#id && this.#leading?.others.size) this.#say(tab ?? EVERYBODY, { frame })
  }

  /** @param {Note} note */
  #serve({ from, frame, say }) {
    const { connection, board, hello, others } = /** @type {Leading} */ (this.#leading)
    if (say === 'leave') {
      others.delete(from)
      board.leave(from)
      return
    }
    others.add(from)
    if (frame) return board.send(from, frame)

    this.#say(from, { status: connection.status })
    if (say === 'join' && hello) this.#say(from, { opened: hello })
    if (say === 'retry' || (say === 'due' && connection.status.retryIn === 0)) connection.retry()
    if (say === 'wake') connection.wake()
  }

  /** A tab that crashed said no goodbye, but its lock is free. */
  async #forgetTheDead() {
    const { held = [] } = await navigator.locks.query()
    const alive = new Set(held.map(({ name }) => name))
    for (const tab of this.#leading?.others ?? []) {
      if (!alive.has(this.#lockOf(tab))) this.#serve({ to: LEADER, from: tab, say: 'leave' })
    }
  }

  // Following

  /** @param {Note} note */
  #hear(note) {
    if (note.to === LEADER) {
      if (this.#leading) this.#serve(note)
      return
    }
    if (this.#leading || (note.to !== EVERYBODY && note.to !== this.#id)) return
    clearTimeout(this.#silence)
    if (note.status) this.#follow(note.status)
    if (note.opened) this.#listener.opened(note.opened)
    if (note.frame) this.#listener.received(note.frame)
  }

  /** @param {Status} status */
  #follow(status) {
    clearTimeout(this.#nudge)
    this.#know(status)
    // Timers of a hidden leader come late; ours may be on time.
    if (status.retryIn !== null) this.#nudge = setTimeout(() => this.#say(LEADER, { say: 'due' }), status.retryIn)
  }

  /** A leader that is frozen or stuck keeps its lock and says nothing: it is taken away. */
  #expectAnswer() {
    clearTimeout(this.#silence)
    if (this.#leading) return
    this.#silence = setTimeout(() => this.#hold(this.#name, () => this.#lead(), { steal: true }), ANSWERS_WITHIN)
  }

  // Locks and words

  /** Hold a lock until this life ends, or until it is taken away. @param {string} name @param {() => void} held @param {{steal?: boolean}} [how] */
  async #hold(name, held, how = {}) {
    const { signal } = this.#life
    try {
      await navigator.locks.request(name, how.steal ? how : { signal }, () => {
        if (signal.aborted || (name === this.#name && this.#leading)) return
        held()
        return new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      })
    } catch {
      // Taken away: another tab leads. If that one ends, we are in line again.
      if (signal.aborted || name !== this.#name) return
      this.#stepDown()
      this.#hold(name, held)
      this.#say(LEADER, { say: 'join' })
    }
  }

  /** @param {string} tab */
  #lockOf(tab) {
    return `${this.#name} ${tab}`
  }

  /** @param {string} to @param {Partial<Note>} words */
  #say(to, words) {
    this.#channel?.postMessage({ ...words, to, from: this.#id })
  }

  /** @param {Status} status */
  #know(status) {
    this.#status = status
    this.#listener.changed(status)
  }
}
