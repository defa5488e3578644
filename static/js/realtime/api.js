// The HTTP side of the client: reading a topic's log, and sending frames where no socket can.

import { Problem } from './problem.js'

/** @import {Frame, Page, Traffic} from './types.d.ts' */

const PAGE = 500
/** Milliseconds without a byte. A slow link may take longer for a page, as long as it goes on. */
const SILENCE = 10_000
const NOT_OURS = 'Something else has answered in place of the server. Does this network want you to sign in to it?'

/** @typedef {Pick<Response, 'status' | 'ok' | 'headers'> & {text: string}} Answer */

export class Api {
  #base
  #csrf
  #token
  #traffic

  /**
   * @param {object} options
   * @param {string} [options.base] the server's address, ending in a slash
   * @param {string} [options.csrf] Django's token, needed with the session cookie
   * @param {(() => Promise<string>) | null} [options.token] an access token, on pages of another origin
   * @param {Traffic} [options.traffic] counts the bytes
   */
  constructor({ base = '/', csrf = '', token = null, traffic = { received: 0, sent: 0 } } = {}) {
    this.#traffic = traffic
    this.#base = base
    this.#csrf = csrf
    this.#token = token
  }

  /**
   * One page of a topic: after or before a seq, waiting up to `wait` seconds for something new.
   * null: nothing new since the answer that had this `etag`.
   *
   * @param {string} topic
   * @param {{after?: number | null, before?: number, epoch?: string | null, limit?: number, wait?: number}} [where]
   * @param {{signal?: AbortSignal, etag?: {value: string | null, retryAfter?: number | null}}} [how] `etag.value` is read and replaced
   * @returns {Promise<Page | null>}
   */
  async events(topic, { after, before, epoch, limit = PAGE, wait = 0 } = {}, { signal, etag } = {}) {
    const query = new URLSearchParams({ topic, limit: String(limit) })
    if (after != null) query.set('after', String(after))
    if (before != null) query.set('before', String(before))
    if (epoch != null) query.set('epoch', String(epoch))
    if (wait) query.set('wait', String(wait))

    const headers = new Headers(etag?.value ? [['If-None-Match', etag.value]] : [])
    const answer = await this.#fetch(`api/v1/events/?${query}`, { headers, signal }, SILENCE + wait * 1000)
    if (etag) {
      etag.value = answer.headers.get('ETag')
      etag.retryAfter = Number(answer.headers.get('Retry-After')) || null
    }
    return answer.status === 304 ? null : read(answer)
  }

  /** Send one command frame. @param {Frame} frame @returns {Promise<Frame>} its ack */
  async frame(frame) {
    return await this.post('api/v1/frames/', frame)
  }

  /** What the server's clock shows, as milliseconds since the epoch, to the second; null if it does not tell. */
  async ping() {
    const { headers } = await this.#fetch('health')
    return Date.parse(headers.get('Date') ?? '') || null
  }

  /** @param {string} path @param {{signal?: AbortSignal}} [how] @returns {Promise<any>} */
  async get(path, { signal } = {}) {
    return read(await this.#fetch(path, { signal }))
  }

  /** @param {string} path @param {unknown} [data] @returns {Promise<any>} */
  async post(path, data = {}) {
    const headers = new Headers({ 'Content-Type': 'application/json' })
    if (!this.#token) headers.set('X-CSRFToken', this.#csrf)
    const body = JSON.stringify(data)
    this.#traffic.sent += body.length
    const answer = await this.#fetch(path, { method: 'POST', headers, body })
    return answer.status === 204 ? null : read(answer)
  }

  /** The whole answer, or a Problem. @param {string} path @param {RequestInit} [init] @param {number} [patience] milliseconds until it begins @returns {Promise<Answer>} */
  async #fetch(path, init = {}, patience = SILENCE) {
    const headers = new Headers(init.headers)
    if (this.#token) headers.set('Authorization', `Bearer ${await this.#token()}`)

    const silence = new AbortController()
    const signal = init.signal ? AbortSignal.any([init.signal, silence.signal]) : silence.signal
    const giveUp = () => silence.abort()
    let timer = setTimeout(giveUp, patience)
    const heard = () => {
      clearTimeout(timer)
      timer = setTimeout(giveUp, SILENCE)
    }
    let answer
    try {
      // Another origin gets a token and never a cookie.
      const credentials = this.#token ? 'omit' : 'same-origin'
      const response = await fetch(this.#base + path, { ...init, headers, signal, credentials, cache: 'no-store' })
      const { status, ok } = response
      answer = { status, ok, headers: response.headers, text: await this.#textOf(response, heard) }
    } catch (error) {
      if (init.signal?.aborted) throw error
      throw new Problem(silence.signal.aborted ? 'timeout' : 'connection_failed')
    } finally {
      clearTimeout(timer)
    }
    if (answer.ok || answer.status === 304) return answer
    throw problemOf(answer)
  }

  /** @param {Response} response @param {() => void} heard called for whatever comes */
  async #textOf({ body }, heard) {
    const decoder = new TextDecoder()
    const reader = body?.getReader()
    let text = ''
    heard()
    for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
      heard()
      this.#traffic.received += part.value.length
      text += decoder.decode(part.value, { stream: true })
    }
    return text + decoder.decode()
  }
}

/** @param {Answer} answer @returns {any} */
function read({ text }) {
  const said = parsed(text)
  if (said === undefined) throw new Problem('server_error', NOT_OURS)
  return said
}

/** @param {Answer} answer */
function problemOf({ status, headers, text }) {
  const body = parsed(text)
  const problem = Problem.of(body?.error ?? body?.data ?? { code: codeOf(status), message: body?.detail })
  problem.retryAfter ??= Number(headers.get('Retry-After')) || null
  return problem
}

/** undefined: it is no JSON. @param {string} text @returns {any} */
function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A refusal code for an answer that carries none, such as a proxy's. @param {number} status */
function codeOf(status) {
  if (status === 401) return 'unauthenticated'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'not_found'
  if (status === 429) return 'too_fast'
  if (status === 503) return 'unavailable'
  return 'server_error'
}
