// What of a log a page showed, kept by the tab: after a reload the same lines are seen, through the same filters.

import { addressIn, readPlace, writePlace } from '../../console/prefs.js'

/** @import {LogNames} from './names.js' */
/** @import {LogRows} from './rows.js' */
/** @import {LogSettings} from './settings.js' */

export class LogPlace {
  /** Whose log it is, and on which page; '' keeps nothing. */
  log = ''
  #rows
  #names
  #settings

  /** @param {object} parts @param {LogRows} parts.rows @param {LogNames} parts.names @param {LogSettings} parts.settings */
  constructor({ rows, names, settings }) {
    this.#rows = rows
    this.#names = names
    this.#settings = settings
  }

  /** The line that the page's address names. */
  get linked() {
    return this.log ? addressIn(location.hash) : null
  }

  /** What was seen before. Who comes by a link to a line wants to see that; who went on from there, stays there. */
  get kept() {
    const kept = this.log ? readPlace(this.log) : null
    return kept && (!this.linked || kept.hash === location.hash) ? kept : null
  }

  restoreFilters() {
    const filters = this.kept?.filters
    if (filters?.source) this.#names.offer(filters.source)
    if (filters?.agent) this.#names.offerAgent(filters.agent)
    this.#settings.begin(filters)
  }

  keep() {
    if (!this.log) return
    const top = this.#rows.top ?? { seq: 0, n: 0 }
    const follows = this.#rows.follows || !top.seq
    writePlace(this.log, { ...top, follows, hash: location.hash, filters: this.#settings.filters })
  }
}
