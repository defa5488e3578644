// The HTTP side of the client: reading a topic's log, and sending frames where no socket can.

import { Problem } from './problem.js'

/** @import {Frame, Page, Traffic} from './types.d.ts' */

const PAGE = 500
const TIMEOUT = 10_000

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
    const response = await this.#fetch(`api/v1/events/?${query}`, { headers, signal }, TIMEOUT + wait * 1000)
    if (etag) {
      etag.value = response.headers.get('ETag')
      etag.retryAfter = Number(response.headers.get('Retry-After')) || null
    }
    if (response.status === 304) return null
    return await this.#read(response)
  }

  /** Send one command frame. @param {Frame} frame @returns {Promise<Frame>} its ack */
  async frame(frame) {
    return await this.post('api/v1/frames/', frame)
  }

  /** Milliseconds there and back. */
  async ping() {
    const sent = performance.now()
    await this.#fetch('health', {}, TIMEOUT)
    return performance.now() - sent
  }

  /** @param {string} path @param {{signal?: AbortSignal}} [how] @returns {Promise<any>} */
  async get(path, { signal } = {}) {
    return await this.#read(await this.#fetch(path, { signal }, TIMEOUT))
  }

  /** @param {string} path @param {unknown} [data] @returns {Promise<any>} */
  async post(path, data = {}) {
    const headers = new Headers({ 'Content-Type': 'application/json' })
    if (!this.#token) headers.set('X-CSRFToken', this.#csrf)
    const body = JSON.stringify(data)
    this.#traffic.sent += body.length
    const response = await this.#fetch(path, { method: 'POST', headers, body }, TIMEOUT)
    return response.status === 204 ? null : await this.#read(response)
  }

  /** @param {Response} response @returns {Promise<any>} */
  async #read(response) {
    const text = await response.text()
    this.#traffic.received += text.length
    return JSON.parse(text)
  }

  /** @param {string} path @param {RequestInit} init @param {number} timeout milliseconds */
  async #fetch(path, init, timeout) {
    const limit = AbortSignal.timeout(timeout)
    const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit
    const headers = new Headers(init.headers)
    if (this.#token) headers.set('Authorization', `Bearer ${await this.#token()}`)

    let response
    try {
      // Another origin gets a token and never a cookie.
      const credentials = this.#token ? 'omit' : 'same-origin'
      response = await fetch(this.#base + path, { ...init, headers, signal, credentials, cache: 'no-store' })
    } catch (error) {
      if (init.signal?.aborted) throw error
      throw new Problem(limit.aborted ? 'timeout' : 'connection_failed')
    }
    if (response.ok || response.status === 304) return response
    throw await problemOf(response)
  }
}

/** @param {Response} response */
async function problemOf(response) {
  const body = await response.json().catch(() => null)
  const problem = Problem.of(body?.error ?? body?.data ?? { code: codeOf(response.status), message: body?.detail })
  problem.retryAfter ??= Number(response.headers.get('Retry-After')) || null
  return problem
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
