// The runs that somebody has open in this browser, newest last.

import { recall, remember } from '../memory.js'

/** @import {Memory} from '../memory.js' */

/** @typedef {{id: string, name: string, status: string, startedAt: string}} OpenRun */

export const MOST = 8

export class OpenRuns {
  #memory
  #key

  /** @param {Memory} memory @param {string} user whose runs these are: a browser may have several users */
  constructor(memory, user) {
    this.#memory = memory
    this.#key = `open-runs ${user}`
  }

  /** @returns {OpenRun[]} */
  get all() {
    const kept = recall(this.#key, this.#memory)
    return Array.isArray(kept) ? kept.filter((run) => typeof run?.id === 'string').slice(-MOST) : []
  }

  /** It is open from now on, in the place it has if it has one; the oldest one goes where there are too many. @param {OpenRun} run */
  open(run) {
    const runs = this.all
    const at = runs.findIndex(({ id }) => id === run.id)
    if (at < 0) runs.push(run)
    else runs[at] = run
    this.#keep(runs.slice(-MOST))
  }

  /** What became of it; whether that is news about an open one. @param {string} id @param {string} status */
  note(id, status) {
    const runs = this.all
    const known = runs.find((run) => run.id === id)
    if (!known || known.status === status) return false
    known.status = status
    this.#keep(runs)
    return true
  }

  /** @param {string} id @returns {OpenRun | null} the one to look at next */
  close(id) {
    const runs = this.all
    const at = runs.findIndex((run) => run.id === id)
    if (at < 0) return runs.at(-1) ?? null
    runs.splice(at, 1)
    this.#keep(runs)
    return runs[Math.min(at, runs.length - 1)] ?? null
  }

  /** @param {string} key as a `storage` event names it */
  isKeptAs(key) {
    return key === this.#key
  }

  /** @param {OpenRun[]} runs */
  #keep(runs) {
    remember(this.#key, runs, this.#memory)
  }
}
