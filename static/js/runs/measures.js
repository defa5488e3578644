// What agents cost lately, as far as this browser's tab has seen: it survives a reload and nothing more.

/** @typedef {{at: number, cpu: number, bytes: number}} Measure CPU in percent of a core, memory in bytes, time by the server's clock */

export const MOST = 60
const OLDEST = 10 * 60_000

export class Measures {
  #storage
  #key

  /** @param {Pick<Storage, 'getItem' | 'setItem'>} storage @param {string} agent @param {number} now */
  constructor(storage, agent, now) {
    this.#storage = storage
    this.#key = `measures ${agent}`
    /** @type {Measure[]} */
    this.all = this.#kept().filter(({ at }) => now - at < OLDEST)
  }

  /** @param {number} at @param {{cpu_percent?: number, rss_bytes?: number}} metrics */
  add(at, { cpu_percent: cpu = 0, rss_bytes: bytes = 0 }) {
    if (at <= (this.all.at(-1)?.at ?? 0)) return
    this.all.push({ at, cpu, bytes })
    this.all.splice(0, this.all.length - MOST)
    try {
      this.#storage.setItem(this.#key, JSON.stringify(this.all))
    } catch {}
  }

  /** @returns {Measure[]} */
  #kept() {
    try {
      const kept = JSON.parse(this.#storage.getItem(this.#key) ?? '[]')
      return Array.isArray(kept) ? kept : []
    } catch {
      return []
    }
  }
}
