// What the tools of a log say is wanted, put into its lens; and how somebody likes logs to be shown.

import { readPrefs, writePrefs } from '../console/prefs.js'
import { problemWith, Query } from '../console/query.js'

/** @import {Lens} from '../console/lens.js' */
/** @import {Filters, Prefs} from '../console/prefs.js' */
/** @import {Parts} from './log-actions.js' */

export class LogSettings {
  /** @type {Prefs} */
  #prefs = readPrefs()
  #parts

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts
  }

  /** What is asked for. @returns {Filters} */
  get filters() {
    const { source, agent, level, kinds, only, find } = this.#parts.tools
    return {
      find: find.value,
      only: only.checked,
      source: source.value,
      agent: agent.value,
      level: level.value,
      kinds: kinds.value,
    }
  }

  /** Begin with what was asked for before, if anything was. @param {Filters} [filters] */
  begin(filters) {
    const { tools, lens } = this.#parts
    tools.kinds.value = lens.kinds = this.#prefs.kinds
    this.show()
    if (filters) this.#restore(filters)
  }

  /** @param {Filters} filters */
  #restore({ find, only, source, agent, level, kinds }) {
    const { tools } = this.#parts
    tools.find.value = find
    tools.only.checked = only
    tools.source.value = source
    tools.agent.value = agent
    tools.level.value = level
    tools.kinds.value = kinds
    this.refilter()
  }

  /** Another filter, or other words to look for. */
  refilter() {
    const { lens, tape, search, status, tools } = this.#parts
    const { find, only, source, agent, level, kinds } = this.filters
    const written = find.trim()
    // Hits of what was written before would be taken for hits of this.
    let query = new Query('')
    let problem = null
    try {
      query = new Query(written)
    } catch (error) {
      problem = problemWith(error)
    }
    status.problem(problem)
    tools.find.ariaInvalid = problem === null ? null : 'true'
    tools.find.title = problem ?? ''
    lens.set({
      query,
      onlyHits: only,
      source,
      agent,
      level,
      kinds: /** @type {Lens['kinds']} */ (kinds),
    })
    const { chosen } = lens
    tools.filters.summary.textContent = chosen ? `Filter: ${chosen}` : 'Filter'
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
    const { rows, tools } = this.#parts
    const { wrap, times } = this.#prefs
    tools.wrap.checked = wrap
    tools.times.value = rows.look.times = times
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
