// Keeps one line to the server up: the socket if it can, polling where it can't, and the socket again as soon as it can.

import { Backoff } from './backoff.js'
import { CLOSE } from './contract.js'
import { Monitor } from './monitor.js'

/** @import {Ending, Frame, Hello, Line, LineListener, Refusal, Status, Traffic, Wire, WireListener} from './types.d.ts' */

/** @typedef {'websocket' | 'http'} Transport */
/** @typedef {(listener: LineListener) => Line & {giveUp(): void}} Opener */

const RESTARTING = 1012
/** Milliseconds. A line that lives shorter has come up in vain. */
const LASTING = 10_000
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
  #openedAt = 0
  /** Until each way is tried again. @type {Partial<Record<Transport, ReturnType<typeof setTimeout>>>} */
  #timers = {}
  /** When the better way is tried again, by performance.now(). @type {number | null} */
  #retryAt = null
  /** @type {Refusal | null} */
  #refusal = null
  #renewed = false
  #wasUp = false
  #reconnects = 0
  /** @type {number | null} */
  #delay = null
  #traffic
  #backoffs
  #monitor
  #openers
  /** The better way. @type {Transport} */
  #best
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
    this.#best = openers.websocket ? 'websocket' : 'http'
    this.#listener = listener
    this.#user = user
    this.#canRenew = canRenew
    this.#wasUp = wasUp
    this.#traffic = traffic ?? { received: 0, sent: 0 }
    const options = { random, first: settings.reconnectMs, tries: settings.attempts }
    this.#backoffs = { websocket: new Backoff(options), http: new Backoff(options) }
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
      serverTime: this.#monitor.serverTime,
      attempt: this.#backoffs[this.#best].failures,
      retryIn: this.#retryAt === null ? null : Math.max(0, this.#retryAt - performance.now()),
      refusal: this.#refusal,
      reconnects: this.#reconnects,
      ...this.#traffic,
    }
  }

  start() {
    if (this.#state !== 'idle' && this.#state !== 'stopped') return
    for (const backoff of Object.values(this.#backoffs)) backoff.reset()
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
    this.#stopTrying(this.#best)
    if (!this.#line) this.#become(this.#wasUp || this.status.attempt ? 'reconnecting' : 'connecting')
    this.#open(this.#best)
  }

  /** @param {Transport} transport */
  #open(transport) {
    const opener = this.#openers[transport]
    if (!opener || this.#opening.has(transport)) return

    const line = opener({
      opened: (hello) => this.#opened(transport, line, hello),
      received: (frame, beside) => this.#received(line, frame, beside),
      closed: (ending) => this.#closed(transport, line, ending),
      paced: (delay) => this.#paced(line, delay),
    })
    this.#opening.set(transport, line)
    line.open()
  }

  /** @param {Transport} transport @param {ReturnType<Opener>} line @param {Hello} hello */
  #opened(transport, line, hello) {
    this.#opening.delete(transport)
    // Somebody else has logged in meanwhile, who must not say what this page's person wrote.
    if (this.#user && hello.user && `${hello.user.id}` !== this.#user) {
      line.close()
      return this.#stopFor({ code: CLOSE.REVOKED, refusal: { code: 'revoked', message: '' } })
    }

    if (!this.#line && this.#wasUp) this.#reconnects += 1
    this.#line?.close()
    this.#line = line
    this.#transport = transport
    this.#openedAt = performance.now()
    this.#delay = null
    this.#refusal = null
    this.#renewed = false
    this.#wasUp = true
    this.#stopTrying('http')
    this.#stopTrying(transport)
    if (transport === 'websocket') this.#stopOpening()
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

  /** @param {ReturnType<Opener>} line @param {Frame} frame @param {boolean} [beside] */
  #received(line, frame, beside) {
    if (line !== this.#line) return
    const before = this.#monitor.latency
    if (!beside) this.#monitor.heard(frame)
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
    const isRenewed = this.#mayRenew(ending.code)
    if (FINAL.has(ending.code) && !isRenewed) return this.#stopFor(ending)
    const backoff = this.#backoffs[transport]
    if (wasInUse && performance.now() - this.#openedAt >= LASTING) backoff.reset()
    else backoff.failed()
    this.#retryAfter(transport, isRenewed && backoff.failures < 2 ? 0 : waitAfter(ending, backoff))
    if (!this.#line) this.#fallBack(transport, wasInUse, ending)
  }

  /** @param {Transport} transport the one that has just ended @param {boolean} wasInUse @param {Ending} ending */
  #fallBack(transport, wasInUse, { code, refusal }) {
    const isUsedUp = this.#backoffs[transport].triesUsedUp()
    if (transport === 'http' && !wasInUse) this.#become('offline')
    else if (this.#wasUp || isUsedUp) this.#become('reconnecting')
    else this.#tell()
    // Where there is no WebSocket, or too many tabs are open, waiting helps nobody.
    const isInVain = code === CLOSE.TOO_MANY_CONNECTIONS || refusal?.code === 'not_supported'
    if (transport === 'websocket' && (isInVain || isUsedUp)) this.#open('http')
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

  /** @param {Transport} transport @param {number} ms */
  #retryAfter(transport, ms) {
    this.#stopTrying(transport)
    if (transport === this.#best) this.#retryAt = performance.now() + ms
    this.#timers[transport] = setTimeout(() => (transport === this.#best ? this.#try() : this.#open(transport)), ms)
  }

  /** @param {Transport} transport */
  #stopTrying(transport) {
    clearTimeout(this.#timers[transport])
    if (transport === this.#best) this.#retryAt = null
  }

  #dropLine() {
    this.#line = null
    this.#transport = null
    this.#delay = null
    this.#monitor.stop()
  }

  #letGoOfAll() {
    this.#stopTrying('websocket')
    this.#stopTrying('http')
    this.#line?.close()
    this.#dropLine()
    this.#stopOpening()
  }

  #stopOpening() {
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

/** @param {Ending} ending @param {Backoff} backoff @returns {number} milliseconds */
function waitAfter({ code, refusal }, backoff) {
  if (refusal?.retry_after) return refusal.retry_after * 1000
  return code === RESTARTING ? backoff.afterRestart() : backoff.next()
}
