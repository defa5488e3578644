// <log-console data-feed="run.…" data-until="<seq>">: the log of a topic, live, and back to its first line.
// Without data-until it begins at the log's present end. data-link: the page on which its lines have addresses, if that
// is not this one.

import { Fetcher } from '../console/fetcher.js'
import { finder } from '../console/finder.js'
import { Intake } from '../console/intake.js'
import { Lens } from '../console/lens.js'
import { Search } from '../console/search.js'
import { Tape } from '../console/tape.js'
import { client } from '../here.js'
import { CONTROL, EVENT } from '../realtime/contract.js'
import { LogActions } from './log/actions.js'
import { bind } from './log/bindings.js'
import { LogNames } from './log/names.js'
import { LogPlace } from './log/place.js'
import { LogRows } from './log/rows.js'
import { LogSettings } from './log/settings.js'
import { LogStatus } from './log/status.js'
import { logTools } from './log/tools.js'
import { LogWalk } from './log/walk.js'
import { make } from './make.js'

/** @import {StoredEvent} from '../realtime/types.d.ts' */

const GONE = 'The line of this link was removed from the log.'
const UNKNOWN = 'That line is not in this log.'
const POUR_HIDDEN = 500
const RETRY_AFTER = [1000, 2000, 5000, 15_000]

export class LogConsole extends HTMLElement {
  static observedAttributes = ['data-over']

  #tools = logTools()
  #names = new LogNames(this.#tools)
  #lens = new Lens()
  #tape = new Tape({
    lens: this.#lens,
    readBefore: (before, limit) => this.#read({ before, limit }),
    changed: () => this.#changed(),
  })
  #search = new Search({
    tape: this.#tape,
    lens: this.#lens,
    find: finder(client.api, () => this.#topic),
    changed: () => this.#changed(),
  })
  #intake = new Intake(this.#tape, this.#lens)
  #rows = new LogRows({
    tape: this.#tape,
    lens: this.#lens,
    nameOf: (source) => this.#names.of(source),
    moved: () => this.#moved(),
  })
  #fetcher = new Fetcher({
    tape: this.#tape,
    lens: this.#lens,
    wanted: () => (this.#life.signal.aborted ? [] : this.#rows.wanted),
    came: () => this.#came(),
    failed: (error) => this.#failed(error, () => this.#fetchAgain()),
  })
  #walk = new LogWalk({
    tape: this.#tape,
    lens: this.#lens,
    rows: this.#rows,
    search: this.#search,
    read: async (seq) => (await this.#read({ before: seq + 1, limit: 1 }))?.events[0],
    missed: (wasRemoved) => this.#status.problem(wasRemoved ? GONE : UNKNOWN),
  })
  #status = new LogStatus({
    tools: this.#tools,
    tape: this.#tape,
    lens: this.#lens,
    rows: this.#rows,
    search: this.#search,
    intake: this.#intake,
    nothing: () => ('over' in this.dataset ? 'It printed nothing.' : 'Nothing has been printed yet.'),
  })
  #parts = {
    tools: this.#tools,
    tape: this.#tape,
    lens: this.#lens,
    rows: this.#rows,
    search: this.#search,
    intake: this.#intake,
    walk: this.#walk,
    status: this.#status,
    link: '',
    name: 'log',
    read: (/** @type {{after: number, limit: number}} */ where, /** @type {AbortSignal | undefined} */ signal) =>
      this.#read(where, signal),
  }
  #actions = new LogActions(this.#parts)
  #settings = new LogSettings(this.#parts)
  #place = new LogPlace({ rows: this.#rows, names: this.#names, settings: this.#settings })
  /** Ends when the element leaves the document. */
  #life = new AbortController()
  /** @type {(() => void)[]} */
  #stops = []
  #frame = 0
  #failures = 0
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #again

  constructor() {
    super()
    bind(this.#parts, this.#actions, this.#settings)
  }

  connectedCallback() {
    this.#life = new AbortController()
    this.#parts.link = this.dataset.link ?? ''
    this.#parts.name = this.#topic
    // Several pages may show a topic's log, each in its own way; a dialog is opened anew.
    this.#place.log = this.dataset.link ? '' : `${location.pathname} ${this.#topic}`
    this.#names.areShort = this.dataset.sources === 'command'
    for (const choice of this.#tools.ofRuns) choice.hidden = this.#names.areShort
    this.#lens.stream = this.#names.areShort ? 'command_id' : 'step'
    const frame = make('div', { className: 'frame' })
    // Rows would lie over an outline of the view itself.
    frame.append(this.#rows.view, make('div', { className: 'ring' }), this.#tools.state, this.#tools.follow)
    this.replaceChildren(this.#tools.tools, frame, this.#tools.foot)
    addEventListener('hashchange', () => this.#followLink(), { signal: this.#life.signal })
    addEventListener('pagehide', () => this.#keepPlace(), { signal: this.#life.signal })
    this.#rows.connect()
    this.#place.restoreFilters()
    this.#begin()
  }

  disconnectedCallback() {
    this.#keepPlace()
    this.#life.abort()
    this.#actions.stop()
    this.#search.stop()
    for (const stop of this.#stops.splice(0)) stop()
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
    clearTimeout(this.#again)
    this.#rows.disconnect()
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#status.show()
  }

  /** An address was put into the address bar. */
  #followLink() {
    const { linked } = this.#place
    if (linked) this.#actions.goTo(linked)
  }

  /** What people call a source. @param {string} source @param {string} name */
  name(source, name) {
    this.#names.set(source, name)
    this.#rows.drawSoon()
  }

  /** Whose lines are shown; '': all. */
  get source() {
    return this.#tools.source.value
  }

  /** Show only what this source prints; '' shows all. @param {string} source */
  showOnly(source) {
    const isGiven = (this.dataset.only ?? '').split(' ').includes(source)
    const isNews = isGiven && this.#lens.given !== source
    if (isGiven) this.#lens.given = source
    if (this.#tools.source.value === source && !isNews) return
    this.#names.offer(source)
    this.#tools.source.value = source
    this.#settings.refilter()
  }

  /** So that keys reach them. */
  focusLines() {
    this.#rows.view.focus()
  }

  get #topic() {
    return this.dataset.feed ?? ''
  }

  // Beginning ------------------------------------------------------------------------------------

  async #begin() {
    this.#status.show()
    try {
      await this.#connect()
      await this.#goToFirstPlace()
      this.#status.isReady = true
      if (this.#failures) this.#status.problem(null)
      this.#failures = 0
      this.#changed()
      // Somebody may have asked for something before there was anything to look through.
      this.#search.start()
    } catch (error) {
      this.#failed(error, () => this.#begin())
    }
  }

  async #connect() {
    if (this.#stops.length) return
    const { until } = this.dataset
    const page = await this.#read({ before: until ? Number(until) + 1 : Number.MAX_SAFE_INTEGER, limit: 1 })
    this.#life.signal.throwIfAborted()
    const known = until ? Number(until) : (page?.head ?? 0)
    const feed = client.follow(this.#topic, { epoch: page?.epoch || null, seq: known })
    this.#tape.begin({ head: Math.max(known, feed.seq ?? 0), floor: page?.floor ?? 0 })
    for (const type of Object.values(EVENT)) this.#stops.push(feed.on(type, (event) => this.#live(event)))
    this.#stops.push(feed.on(CONTROL.RESET, ({ data }) => this.#beginAgain(data.head)))
    if (until) return
    this.#stops.push(() => client.unfollow(this.#topic))
  }

  /** The history is gone, or another one: begin again with what there is now. @param {number} head */
  #beginAgain(head) {
    this.disconnectedCallback()
    if (this.dataset.until) this.dataset.until = String(head)
    this.#intake.forget()
    this.#rows.current = null
    this.#status.isReady = false
    this.connectedCallback()
  }

  async #goToFirstPlace() {
    const { linked, kept } = this.#place
    const place = kept && kept.seq <= this.#tape.head ? kept : null
    if (this.#tape.length && place && !place.follows) await this.#walk.goTo(place, false)
    else if (this.#tape.length && linked && !place) await this.#walk.goTo(linked)
    else {
      if (this.#tape.length) await this.#tape.load(this.#tape.length - 1)
      this.#rows.follow()
    }
  }

  // What comes -----------------------------------------------------------------------------------

  /** @param {Parameters<typeof client.api.events>[1]} where @param {AbortSignal} [signal] */
  async #read(where, signal = this.#life.signal) {
    const page = await client.api.events(this.#topic, where, { signal })
    this.#names.learn(page?.events ?? [])
    return page
  }

  /** @param {StoredEvent} event */
  #live(event) {
    if (event.seq === undefined) return
    this.#names.learn([event])
    this.#intake.take(event)
    this.#settings.learnStart()
    // Nothing is drawn in a hidden tab, but what comes must not pile up.
    if (document.hidden && event.seq % POUR_HIDDEN === 0) this.#intake.pour()
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0
      this.#intake.pour()
      // It has been scrolled to them by now; a frame later one would have seen nothing there.
      this.#rows.draw()
      if (this.#rows.follows && !this.#intake.isPaused) this.#intake.seen()
      this.#status.show()
    })
  }

  /** What could not be had may not be wanted any more. */
  #fetchAgain() {
    if (this.#fetcher.isDone) this.#came()
    else this.#fetch()
  }

  #fetch() {
    if (this.#status.isReady && !this.#life.signal.aborted) this.#fetcher.fetch()
  }

  #came() {
    if (this.#failures) this.#status.problem(null)
    this.#failures = 0
    this.#settings.learnStart()
    this.#rows.draw()
  }

  /** It is tried again by itself, or at once when somebody asks for it. @param {unknown} error @param {() => void} work */
  #failed(error, work) {
    const isOver = error instanceof DOMException && error.name === 'AbortError'
    if (isOver || this.#life.signal.aborted) return
    const again = () => {
      clearTimeout(this.#again)
      work()
    }
    this.#status.problem(error, again)
    clearTimeout(this.#again)
    this.#again = setTimeout(again, RETRY_AFTER[Math.min(this.#failures, RETRY_AFTER.length - 1)])
    this.#failures += 1
  }

  // What changes ---------------------------------------------------------------------------------

  #changed() {
    const digits = String(this.#tape.head).length + 3
    if (digits !== this.#rows.look.digits) {
      this.#rows.look.digits = digits
      this.#rows.measure()
    } else this.#rows.refresh()
    this.#fetch()
    this.#search.goOn()
    this.#status.show()
  }

  #moved() {
    if (this.#rows.follows && !this.#intake.isPaused) this.#intake.seen()
    this.#status.show()
    this.#fetch()
    if (!this.#rows.scroll.isMoving) this.#keepPlace()
  }

  #keepPlace() {
    if (this.#status.isReady) this.#place.keep()
  }
}

customElements.define('log-console', LogConsole)
