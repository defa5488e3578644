// A refusal as an error, and in words for people: what happened, and what one can do about it.

/** @import {Refusal} from './types.d.ts' */

const TRANSIENT = new Set(['too_fast', 'too_many_connections', 'unavailable'])
const OF_THE_WAY = new Set(['connection_failed', 'server_error', 'timeout'])

/** What stands in place of the server's own sentence when there is none, or when the reason is on this side. */
const WORDS = /** @type {Record<string, string>} */ ({
  connection_failed: 'The server can’t be reached.',
  forbidden: 'You may not do that here.',
  network_lost: 'This device is offline. It goes on by itself when the network is back.',
  not_supported: 'This browser or network has no WebSocket; the page asks the server instead.',
  out_of_date: 'This page is older than the server. Reload it.',
  outbox_full: 'Too much is waiting to be sent. Wait until the connection is back.',
  revoked: 'Your access has ended. Sign in again.',
  server_error: 'The server had a problem. It is tried again.',
  too_large: 'This is too large to send. Make it shorter.',
  timeout: 'The server did not answer in time.',
  unauthenticated: 'You are signed out. Sign in again to go on.',
})

export class Problem extends Error {
  /** @param {string} code @param {string} [message] @param {number | null} [retryAfter] seconds */
  constructor(code, message = '', retryAfter = null) {
    super(message || WORDS[code] || 'Something went wrong.')
    this.name = 'Problem'
    this.code = code
    this.retryAfter = retryAfter
  }

  /** @param {Partial<Refusal> | null | undefined} refusal */
  static of(refusal) {
    return new Problem(refusal?.code ?? 'server_error', refusal?.message, refusal?.retry_after ?? null)
  }

  /** Whatever went wrong, as a Problem. @param {unknown} error */
  static from(error) {
    return error instanceof Problem ? error : new Problem('server_error')
  }

  /** The same frame may be taken a little later. */
  isTransient() {
    return TRANSIENT.has(this.code)
  }

  /** Nobody has refused it: it did not get there, or its answer not back. */
  isOfTheWay() {
    return OF_THE_WAY.has(this.code)
  }

  /** Who asks again is answered the same. */
  isFinal() {
    return !this.isTransient() && !this.isOfTheWay()
  }

  /** @returns {Refusal} as it travels on the wire */
  asRefusal() {
    const { code, message, retryAfter } = this
    return retryAfter === null ? { code, message } : { code, message, retry_after: retryAfter }
  }
}
