// What the tools of a log say is wanted, put into its lens; and how somebody likes logs to be shown.

import { readPrefs, writePrefs } from '../../console/prefs.js'
import { problemWith, Query, TooSlow } from '../../console/query.js'
import { Trial } from '../../console/trial.js'
import { storageOf } from '../../memory.js'

/** @import {Lens} from '../../console/lens.js' */
/** @import {Filters, Prefs} from '../../console/prefs.js' */
/** @import {Parts} from './actions.js' */

const TOO_SLOW = 'This expression takes too long, so it is not looked for.'

const trial = new Trial(storageOf('session'))

export class LogSettings {
  /** @type {Prefs} */
  #prefs = readPrefs()
  #isLearning = false
  /** The expression that was given up last. */
  #slow = ''
  #parts

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts
  }

  /** What is asked for. @returns {Filters} */
  get filters() {
    const { source, agent, level, kinds, only, find } = this.#parts.tools
    return {
      find: find.value.trim() === this.#slow ? '' : find.value,
      only: only.checked,
      source: source.value,
      agent: agent.value,
      level: level.value,
      kinds: kinds.value,
    }
  }

  /** Begin with what was asked for before, if anything was. @param {Filters} [filters] */
  begin(filters) {
    const { tools, lens, rows } = this.#parts
    rows.look.start = null
    tools.kinds.value = lens.kinds = this.#prefs.kinds
    this.show()
    if (filters) this.#restore(filters)
  }

  /** @param {Filters} filters */
  #restore({ find, only, source, agent, level, kinds }) {
    const { tools, status } = this.#parts
    const isUnfinished = find.trim() !== '' && find.trim() === trial.unfinished
    tools.find.value = isUnfinished ? '' : find
    tools.only.checked = only
    tools.source.value = source
    tools.agent.value = agent
    tools.level.value = level
    tools.kinds.value = kinds
    this.refilter()
    if (isUnfinished) status.problem(`${find} took too long, so it is not looked for again.`)
  }

  /** Another filter, or other words to look for. */
  refilter() {
    const { lens, tape, search, status, tools } = this.#parts
    const { only, source, agent, level, kinds } = this.filters
    const written = tools.find.value.trim()
    // Hits of what was written before would be taken for hits of this.
    let query = new Query('')
    let problem = null
    try {
      if (written && written === this.#slow) throw new TooSlow(TOO_SLOW)
      query = written === lens.query.written ? lens.query : new Query(written, trial, (slow) => this.#giveUp(slow))
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

  /** @param {Query} slow */
  #giveUp(slow) {
    const { lens } = this.#parts
    if (lens.query !== slow) return
    this.#slow = slow.written
    lens.query = new Query('')
    this.refilter()
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
    this.learnStart()
  }

  /** Times since the beginning want to know when that was: who knows is asked again, as long as there is no answer. @returns {Promise<void>} */
  async learnStart() {
    const { read, rows, tape } = this.#parts
    if (rows.look.times !== 'relative' || rows.look.start !== null || this.#isLearning) return
    const { floor } = tape
    this.#isLearning = true
    const page = await read({ after: floor, limit: 1 }).catch(() => null)
    this.#isLearning = false
    tape.raise(page?.floor ?? 0)
    if (tape.floor > floor) return this.learnStart()
    if (page?.events[0]) rows.look.start = Date.parse(page.events[0].timestamp)
    rows.drawSoon()
  }
}
