// One WebSocket, from opening to its end. Frames come out in the order they came in, although inflating takes time.

import { CLOSE, CONTROL } from './contract.js'

/** @import {Frame, Hello, Line, LineListener, Refusal, Traffic} from './types.d.ts' */

const OPENS_WITHIN = 10_000
/** Bytes. Each socket chooses anew, or all readers of a topic would confirm in the same moment. */
const CREDIT_EVERY = () => (1 + Math.random()) * 128 * 1024

/** @implements {Line} */
export class Socket {
  /** @type {WebSocket | null} */
  #socket = null
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer
  /** @type {Refusal | null} */
  #refusal = null
  #established = false
  #inflating = 0
  #order = Promise.resolve()
  #uncredited = 0
  #creditAt = CREDIT_EVERY()
  /** @type {Record<string, number>} */
  #seen = {}
  #url
  #listener
  #token
  #ticket
  #traffic

  /**
   * @param {string} url
   * @param {LineListener} listener
   * @param {object} [how]
   * @param {(() => Promise<string>) | null} [how.token] an access token, on pages of another origin
   * @param {(() => Promise<string>) | null} [how.ticket] a one-time ticket, where neither cookie nor token count
   * @param {Traffic} [how.traffic] counts the bytes
   */
  constructor(url, listener, { token = null, ticket = null, traffic = { received: 0, sent: 0 } } = {}) {
    this.#url = url
    this.#listener = listener
    this.#token = token
    this.#ticket = ticket
    this.#traffic = traffic
  }

  async open() {
    this.#timer = setTimeout(() => this.#end(1006, { code: 'timeout', message: '' }), OPENS_WITHIN)
    if (!this.#ticket) return this.#connect(this.#url)
    try {
      const url = new URL(this.#url)
      url.searchParams.set('ticket', await this.#ticket())
      if (this.#timer) this.#connect(url.href)
    } catch (problem) {
      this.#endFor(problem)
    }
  }

  /** @param {string} url */
  #connect(url) {
    try {
      this.#socket = new WebSocket(url)
    } catch {
      // Later, as every other ending: the caller has not finished with us yet.
      queueMicrotask(() => this.#end(1006, { code: 'not_supported', message: '' }))
      return
    }
    this.#socket.binaryType = 'arraybuffer'
    this.#socket.onopen = () => this.#introduce()
    this.#socket.onmessage = ({ data }) => this.#take(data)
    this.#socket.onclose = ({ code }) => this.#inTurn(() => this.#end(code))
  }

  /** End it from this side; nothing is told any more. */
  close() {
    this.#letGo()
  }

  /** The other side is silent: end it as if it had been cut. */
  giveUp() {
    this.#end(1006)
  }

  /** @param {Frame} frame */
  send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false
    const text = JSON.stringify(frame)
    this.#socket.send(text)
    this.#traffic.sent += text.length
    return true
  }

  async #introduce() {
    if (!this.#token) return
    try {
      this.send({ type: CONTROL.AUTH, id: 'auth', data: { token: await this.#token(), compress: canInflate() } })
    } catch (problem) {
      this.#endFor(problem)
    }
  }

  /** The token or ticket could not be had: because nobody answers, or because we may not have it. @param {any} problem */
  #endFor(problem) {
    const isOfTheWay =
      problem instanceof TypeError || ['connection_failed', 'timeout', 'server_error'].includes(problem?.code)
    const refusal = isOfTheWay ? { code: problem.code ?? 'connection_failed', message: '' } : null
    this.#end(isOfTheWay ? 1006 : CLOSE.UNAUTHENTICATED, refusal)
  }

  /** @param {string | ArrayBuffer} data */
  #take(data) {
    this.#traffic.received += typeof data === 'string' ? data.length : data.byteLength
    if (typeof data === 'string') {
      this.#inTurn(() => this.#read(data))
      return
    }
    this.#inflating += 1
    // Inflating starts at once; only the reading waits its turn.
    const text = inflate(data)
    this.#order = this.#order
      .then(async () => this.#read(await text))
      .catch(() => this.#end(1007))
      .finally(() => {
        this.#inflating -= 1
      })
  }

  /** @param {() => void} step */
  #inTurn(step) {
    if (this.#inflating === 0) step()
    else this.#order = this.#order.then(step)
  }

  /** @param {string} text */
  #read(text) {
    if (!this.#socket) return
    const frame = /** @type {Frame} */ (JSON.parse(text))

    if (frame.type === CONTROL.CONNECTION_ESTABLISHED) this.#establish(frame.data)
    else if (frame.type === CONTROL.TOKEN_EXPIRING) this.#refresh()
    else {
      // Only what comes right before the end is its reason.
      this.#refusal = frame.type === CONTROL.ERROR && !frame.id ? frame.data : null
      this.#listener.received(frame)
    }
    this.#credit(frame, text.length)
  }

  /** @param {Hello} hello */
  #establish(hello) {
    if (this.#established) return
    this.#established = true
    clearTimeout(this.#timer)
    if (!this.#token && canInflate()) this.send({ type: CONTROL.AUTH, id: 'auth', data: { compress: true } })
    this.#listener.opened(hello)
  }

  async #refresh() {
    if (!this.#token) return
    try {
      this.send({ type: CONTROL.TOKEN_REFRESH, id: 'token', data: { token: await this.#token() } })
    } catch {
      // The server ends the socket when the old token does; then it is asked for once more.
    }
  }

  /** The server stops sending when too much is unconfirmed. @param {Frame} frame @param {number} size */
  #credit(frame, size) {
    for (const event of frame.messages ?? [frame]) {
      if (event.topic && event.seq) this.#seen[event.topic] = event.seq
    }
    this.#uncredited += size
    if (this.#uncredited < this.#creditAt) return

    this.send({ type: CONTROL.RECEIVED, data: this.#seen })
    this.#uncredited = 0
    this.#creditAt = CREDIT_EVERY()
    this.#seen = {}
  }

  /** @param {number} code @param {Refusal | null} [refusal] */
  #end(code, refusal = this.#refusal) {
    if (!this.#timer) return
    this.#letGo()
    this.#listener.closed({ code: closeCodeOf(code, refusal, !this.#token && !this.#established), refusal })
  }

  #letGo() {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const socket = this.#socket
    this.#socket = null
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }
}

/**
 * Some servers drop the close code; the last error frame repeats it.
 *
 * @param {number} code @param {Refusal | null} refusal @param {boolean} isAllSaid the cookie had to say who it is, and did not
 */
function closeCodeOf(code, refusal, isAllSaid) {
  if (isAllSaid && refusal?.code === 'unauthenticated') return CLOSE.UNAUTHENTICATED
  if (code >= 4000 || !refusal) return code
  const codes = /** @type {Record<string, number>} */ (CLOSE)
  return codes[refusal.code.toUpperCase()] ?? code
}

function canInflate() {
  return typeof DecompressionStream === 'function'
}

/** @param {ArrayBuffer} data @returns {Promise<string>} */
async function inflate(data) {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
  return await new Response(stream).text()
}
