// Keeps one line to the server up: the socket if it can, polling where it can't, and the socket again as soon as it can.

import { Backoff } from './backoff.js'
import { CLOSE } from './contract.js'
import { Monitor } from './monitor.js'

/** @import {Ending, Frame, Hello, Line, LineListener, Refusal, Status, Traffic, Wire, WireListener} from './types.d.ts' */

/** @typedef {'websocket' | 'http'} Transport */
/** @typedef {(listener: LineListener) => Line & {giveUp(): void}} Opener */

const RESTARTING = 1012
/** Endings after which coming back by itself would be answered the same. */
const FINAL = /** @type {Set<number>} */ (
  new Set([CLOSE.UNAUTHENTICATED, CLOSE.FORBIDDEN, CLOSE.OUT_OF_DATE, CLOSE.REVOKED])
)

/** @implements {Wire} */
export class Connection {
  /** @type {Status['state']} */
  #state = 'idle'
  /** The line in use. @type {ReturnType<Opener> | null} */
  #line = null
  /** @type {Transport | null} */
  #transport = null
  /** Lines that are being opened. @type {Map<Transport, ReturnType<Opener>>} */
  #opening = new Map()
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer
  /** When the timer fires, by performance.now(). @type {number | null} */
  #retryAt = null
  /** @type {Refusal | null} */
  #refusal = null
  #renewed = false
  #wasUp = false
  #reconnects = 0
  /** @type {number | null} */
  #delay = null
  #traffic
  #backoff
  #monitor
  #openers
  #listener
  #user
  #canRenew

  /**
   * @param {object} options
   * @param {Partial<Record<Transport, Opener>>} options.openers how to open a line of each kind; one may be left out
   * @param {WireListener} options.listener
   * @param {string} [options.user] whose line it is; the server's answer must say the same
   * @param {boolean} [options.canRenew] whether each opening fetches a new token, so that 4401 deserves a second try
   * @param {boolean} [options.wasUp] whether it goes on with what another one has kept up
   * @param {Traffic} [options.traffic] counted by whoever opens the lines
   * @param {{reconnectMs?: number, attempts?: number}} [options.settings]
   * @param {() => number} [options.random]
   */
  constructor({ openers, listener, user = '', canRenew = false, wasUp = false, traffic, settings = {}, random }) {
    this.#openers = openers
    this.#listener = listener
    this.#user = user
    this.#canRenew = canRenew
    this.#wasUp = wasUp
    this.#traffic = traffic ?? { received: 0, sent: 0 }
    this.#backoff = new Backoff({ random, first: settings.reconnectMs, tries: settings.attempts })
    this.#monitor = new Monitor({
      send: (frame) => this.#line?.send(frame),
      silent: () => this.#line?.giveUp(),
    })
  }

  /** @returns {Status} */
  get status() {
    return {
      state: this.#state,
      transport: this.#transport,
      delay: this.#delay,
      latency: this.#monitor.latency,
      jitter: this.#monitor.jitter,
      attempt: this.#backoff.failures,
      retryIn: this.#retryAt === null ? null : Math.max(0, this.#retryAt - performance.now()),
      refusal: this.#refusal,
      reconnects: this.#reconnects,
      ...this.#traffic,
    }
  }

  start() {
    if (this.#state !== 'idle' && this.#state !== 'stopped') return
    this.#backoff.reset()
    this.#try()
  }

  stop() {
    this.#letGoOfAll()
    this.#become('idle')
  }

  retry() {
    this.#refusal = null
    if (this.#state === 'idle' || this.#state === 'stopped') this.start()
    else if (this.#state !== 'live') this.#try()
  }

  wake() {
    if (this.#state === 'idle' || this.#state === 'stopped') return
    if (this.#line) this.#monitor.check()
    if (this.#state !== 'live') this.#try()
  }

  measure() {
    if (this.#line) this.#monitor.check()
  }

  /** @param {Frame} frame */
  send(frame) {
    return this.#line?.send(frame) ?? false
  }

  #try() {
    this.#stopTimer()
    if (!this.#line) this.#become(this.#wasUp || this.#backoff.failures ? 'reconnecting' : 'connecting')
    if (this.#openers.websocket) this.#open('websocket')
    else this.#open('http')
  }

  /** @param {Transport} transport */
  #open(transport) {
    const opener = this.#openers[transport]
    if (!opener || this.#opening.has(transport)) return

    const line = opener({
      opened: (hello) => this.#opened(transport, line, hello),
      received: (frame) => this.#received(line, frame),
      closed: (ending) => this.#closed(transport, line, ending),
      paced: (delay) => this.#paced(line, delay),
    })
    this.#opening.set(transport, line)
    line.open()
  }

  /** @param {Transport} transport @param {ReturnType<Opener>} line @param {Hello} hello */
  #opened(transport, line, hello) {
    this.#opening.delete(transport)
    // Polling that comes up while the socket did too is not needed any more.
    if (transport === 'http' && this.#transport === 'websocket') return line.close()
    // Somebody else has logged in meanwhile, who must not say what this page's person wrote.
    if (this.#user && hello.user && `${hello.user.id}` !== this.#user) {
      line.close()
      return this.#stopFor({ code: CLOSE.REVOKED, refusal: { code: 'revoked', message: '' } })
    }

    if (!this.#line && this.#wasUp) this.#reconnects += 1
    this.#line?.close()
    this.#line = line
    this.#transport = transport
    this.#delay = null
    this.#refusal = null
    this.#renewed = false
    this.#wasUp = true
    if (transport === 'websocket' || !this.#openers.websocket) {
      this.#backoff.reset()
      this.#stopTimer()
    }
    this.#become(transport === 'websocket' ? 'live' : 'polling')
    this.#listener.opened(hello)
    this.#monitor.start((hello.heartbeat_interval ?? 25) * 1000)
  }

  /** @param {ReturnType<Opener>} line @param {number | null} delay */
  #paced(line, delay) {
    if (line !== this.#line || delay === this.#delay) return
    this.#delay = delay
    this.#tell()
  }

  /** @param {ReturnType<Opener>} line @param {Frame} frame */
  #received(line, frame) {
    if (line !== this.#line) return
    const before = this.#monitor.latency
    this.#monitor.heard(frame)
    this.#listener.received(frame)
    if (this.#monitor.latency !== before) this.#tell()
  }

  /** @param {Transport} transport @param {ReturnType<Opener>} line @param {Ending} ending */
  #closed(transport, line, ending) {
    const wasInUse = line === this.#line
    if (wasInUse) this.#dropLine()
    else if (this.#opening.get(transport) === line) this.#opening.delete(transport)
    else return

    this.#refusal = ending.refusal
    if (FINAL.has(ending.code) && !this.#mayRenew(ending.code)) return this.#stopFor(ending)
    if (!wasInUse) this.#backoff.failed()
    // The socket's own timer goes on when polling ends.
    if (transport === 'websocket' || !this.#retryAt) this.#retryAfter(this.#waitAfter(ending))
    if (!this.#line) this.#fallBack(transport, wasInUse, ending.code)
  }

  /** @param {Transport} transport the one that has just ended @param {boolean} wasInUse @param {number} code */
  #fallBack(transport, wasInUse, code) {
    if (transport === 'http' && !wasInUse) this.#become('offline')
    else if (this.#wasUp || this.#backoff.triesUsedUp()) this.#become('reconnecting')
    else this.#tell()
    // With too many tabs open, waiting helps nobody.
    const isCrowded = code === CLOSE.TOO_MANY_CONNECTIONS
    if (transport === 'websocket' && (isCrowded || this.#backoff.triesUsedUp())) this.#open('http')
  }

  /** @param {Ending} ending @returns {number} milliseconds */
  #waitAfter({ code, refusal }) {
    if (this.#renewed) return 0
    if (refusal?.retry_after) return refusal.retry_after * 1000
    return code === RESTARTING ? this.#backoff.afterRestart() : this.#backoff.next()
  }

  /** A token that has just run out is worth one new one. @param {number} code */
  #mayRenew(code) {
    if (code !== CLOSE.UNAUTHENTICATED || !this.#canRenew || this.#renewed) return false
    this.#renewed = true
    return true
  }

  /** @param {Ending} ending */
  #stopFor({ code, refusal }) {
    this.#letGoOfAll()
    this.#refusal = refusal ?? { code: code === CLOSE.UNAUTHENTICATED ? 'unauthenticated' : 'forbidden', message: '' }
    this.#become('stopped')
  }

  /** @param {number} ms */
  #retryAfter(ms) {
    clearTimeout(this.#timer)
    this.#retryAt = performance.now() + ms
    this.#timer = setTimeout(() => this.#try(), ms)
  }

  #stopTimer() {
    clearTimeout(this.#timer)
    this.#retryAt = null
  }

  #dropLine() {
    this.#line = null
    this.#transport = null
    this.#delay = null
    this.#monitor.stop()
  }

  #letGoOfAll() {
    this.#stopTimer()
    this.#line?.close()
    this.#dropLine()
    for (const line of this.#opening.values()) line.close()
    this.#opening.clear()
  }

  /** @param {Status['state']} state */
  #become(state) {
    this.#state = state
    this.#tell()
  }

  #tell() {
    this.#listener.changed(this.status)
  }
}
