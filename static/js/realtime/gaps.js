// Fetches over HTTP what a feed lacks, between its cursor and its head.

import { CONTROL } from './contract.js'
import { Problem } from './problem.js'
import { sleep } from './sleep.js'

/** @import {Api} from './api.js' */
/** @import {Feed} from './feed.js' */

const AGAIN = 1000

export class Gaps {
  /** @type {Set<Feed>} */
  #filling = new Set()
  #stopped = new AbortController()
  #api
  #isFollowed

  /** @param {Api} api @param {(feed: Feed) => boolean} isFollowed */
  constructor(api, isFollowed) {
    this.#api = api
    this.#isFollowed = isFollowed
  }

  start() {
    if (this.#stopped.signal.aborted) this.#stopped = new AbortController()
  }

  stop() {
    this.#stopped.abort()
  }

  /** In a moment: what is missing may be on its way. @param {Feed} feed */
  async fillSoon(feed) {
    await sleep(AGAIN, this.#stopped.signal)
    await this.fill(feed)
  }

  /** @param {Feed} feed */
  async fill(feed) {
    const { topic } = feed
    const { signal } = this.#stopped
    if (this.#filling.has(feed)) return
    this.#filling.add(feed)
    while (feed.isBehind() && this.#isFollowed(feed) && !signal.aborted) {
      try {
        const { epoch, seq } = feed
        const page = await this.#api.events(topic, { after: seq, epoch }, { signal })
        // It was asked of a life that has ended meanwhile, or from where we are no more.
        if (feed.epoch !== epoch || (page?.reset && feed.seq !== seq) || !this.#isFollowed(feed)) continue
        if (page?.reset) feed.reset(page)
        for (const event of page?.events ?? []) feed.accept(event)
        if (!page?.events.length) break
      } catch (error) {
        const problem = Problem.from(error)
        if (problem.isFinal() && this.#isFollowed(feed)) {
          feed.tell({ type: CONTROL.UNSUBSCRIBED, topic, data: problem.asRefusal() })
          break
        }
        await sleep(problem.retryAfter ? problem.retryAfter * 1000 : AGAIN, signal)
      }
    }
    this.#filling.delete(feed)
  }
}
