// What the tools of a log say is wanted, put into its lens; and how somebody likes logs to be shown.

import { readPrefs, writePrefs } from '../console/prefs.js'
import { problemWith, Query } from '../console/query.js'

/** @import {Lens} from '../console/lens.js' */
/** @import {Prefs} from '../console/prefs.js' */
/** @import {Parts} from './log-actions.js' */

export class LogSettings {
  /** @type {Prefs} */
  #prefs = readPrefs()
  #parts

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts
  }

  /** Another filter, or other words to look for. */
  refilter() {
    const { lens, tape, search, status, tools } = this.#parts
    const { source, agent, level, kinds, only, find, filters } = tools
    const written = find.value.trim()
    let { query } = lens
    try {
      query = new Query(written)
      status.problem(null)
    } catch (error) {
      status.problem(problemWith(error))
    }
    find.ariaInvalid = query.written === written ? null : 'true'
    lens.set({
      query,
      onlyHits: only.checked,
      source: source.value,
      agent: agent.value,
      level: level.value,
      kinds: /** @type {Lens['kinds']} */ (kinds.value),
    })
    const chosen = [source.value, agent.value, level.value].filter(Boolean).length + (kinds.value === 'events' ? 1 : 0)
    filters.summary.textContent = chosen ? `Filter: ${chosen}` : 'Filter'
    tape.lookAgain()
    search.start()
  }

  /** @param {Partial<Prefs>} change */
  prefer(change) {
    this.#prefs = { ...this.#prefs, ...change }
    writePrefs(this.#prefs)
    this.show()
  }

  show() {
    const { lens, rows, tools } = this.#parts
    const { wrap, times, kinds } = this.#prefs
    tools.wrap.checked = wrap
    tools.times.value = rows.look.times = times
    tools.kinds.value = lens.kinds = kinds
    rows.view.dataset.times = times
    rows.wraps = wrap
    if (times === 'relative') this.#learnStart()
  }

  /** @returns {Promise<void>} */
  async #learnStart() {
    const { read, rows, tape } = this.#parts
    const { floor } = tape
    const page = await read({ after: floor, limit: 1 }).catch(() => null)
    tape.raise(page?.floor ?? 0)
    if (tape.floor > floor) return this.#learnStart()
    if (page?.events[0]) rows.look.start = Date.parse(page.events[0].timestamp)
    rows.drawSoon()
  }
}
