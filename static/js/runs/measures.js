// What agents cost lately, as far as this browser's tab has seen: it survives a reload and nothing more.

import { recall, remember } from '../memory.js'

/** @import {Memory} from '../memory.js' */

/** @typedef {{at: number, cpu: number, bytes: number}} Measure CPU in percent of a core, memory in bytes, time by the server's clock */

export const MOST = 60
const OLDEST = 10 * 60_000

export class Measures {
  #memory
  #key

  /** @param {Memory} memory @param {string} agent @param {number} now */
  constructor(memory, agent, now) {
    this.#memory = memory
    this.#key = `measures ${agent}`
    /** @type {Measure[]} */
    this.all = this.#kept().filter(({ at }) => now - at < OLDEST)
  }

  /** @param {number} at @param {{cpu_percent?: number, rss_bytes?: number}} metrics */
  add(at, { cpu_percent: cpu = 0, rss_bytes: bytes = 0 }) {
    if (at <= (this.all.at(-1)?.at ?? 0)) return
    this.all.push({ at, cpu, bytes })
    this.all.splice(0, this.all.length - MOST)
    remember(this.#key, this.all, this.#memory)
  }

  /** @returns {Measure[]} */
  #kept() {
    const kept = recall(this.#key, this.#memory)
    return Array.isArray(kept) ? kept : []
  }
}
