// <log-console data-feed="run.…" data-until="<seq>" data-type="workflow_log" data-sources="step">: what is printed on a
// topic, live, and backwards as far as one scrolls. Text of agents only ever becomes text.

import { client } from '../here.js'
import { LogLines } from '../text/log-lines.js'

/** @import {StoredEvent} from '../realtime/types.d.ts' */
/** @import {LogLine, Printed} from '../text/log-lines.js' */

const PAGE = 500
const LINES_AT_FIRST = 200
const MOST_EVENTS = 5000
const MOST_LINES = 5000
const NEAR = 40
const TOUCH_LASTS = 1000

export class LogConsole extends HTMLElement {
  /** What is shown was made of these, oldest first. @type {StoredEvent[]} */
  #events = []
  /** Live events that wait until the history before them is there. @type {StoredEvent[] | null} */
  #early = []
  #lines = new LogLines(MOST_LINES)
  /** @type {Map<LogLine, HTMLElement>} */
  #rows = new Map()
  /** Below this seq nothing has been read yet. */
  #from = 0
  #hasOlder = false
  #loading = false
  #follows = true
  #unseen = 0
  #touchedAt = Number.NEGATIVE_INFINITY
  /** @type {Map<string, string>} */
  #names = new Map()
  #frame = 0
  /** @type {(() => void)[]} */
  #stops = []
  /** @type {ReturnType<typeof partsOf>} */
  #parts = partsOf()

  connectedCallback() {
    const { feed = '', type = '', until = '0' } = this.dataset
    this.replaceChildren(this.#parts.tools, this.#parts.view)
    this.#parts.source.onchange = this.#parts.filter.oninput = () => this.#drawAll()
    this.#parts.follow.onclick = () => this.#followAgain()
    this.#parts.view.onscroll = () => this.#scrolled()
    for (const type of ['wheel', 'touchmove', 'pointerdown', 'keydown']) {
      this.#parts.view.addEventListener(type, () => this.#touched(), { passive: true })
    }
    this.#stops.push(client.follow(feed).on(type, (event) => this.#live(event)))
    this.#from = Number(until) + 1
    this.#readOlder()
  }

  disconnectedCallback() {
    for (const stop of this.#stops.splice(0)) stop()
    cancelAnimationFrame(this.#frame)
  }

  /** What people call a source, said before it prints. @param {string} source @param {string} name */
  name(source, name) {
    this.#names.set(source, name)
  }

  /** Show only what this source prints; '' shows all. @param {string} source */
  showOnly(source) {
    this.#parts.source.value = source
    this.#drawAll()
  }

  /** @param {StoredEvent} event */
  #live(event) {
    if (this.#early) {
      this.#early.push(event)
      return
    }
    this.#events.push(event)
    this.#add(event)
    if (this.#events.length > MOST_EVENTS && this.#follows) this.#forgetOldest()
    this.#drawSoon()
  }

  async #readOlder() {
    if (this.#loading) return
    this.#loading = true
    try {
      const older = await this.#history()
      this.#events = [...older, ...this.#events, ...(this.#early ?? [])]
      this.#early = null
      this.#rebuild()
    } catch (error) {
      this.#parts.older.textContent = `${error instanceof Error ? error.message : error} Scroll up to try again.`
      this.#hasOlder = true
    } finally {
      this.#loading = false
    }
  }

  /** Pages of what lies before, until there is enough to see. @returns {Promise<StoredEvent[]>} */
  async #history() {
    const { feed = '', type } = this.dataset
    /** @type {StoredEvent[]} */
    let older = []
    let lines = 0
    while (lines < LINES_AT_FIRST) {
      const page = await client.api.events(feed, { before: this.#from, limit: PAGE })
      const events = page?.events ?? []
      if (events.length) this.#from = events[0].seq
      const printed = events.filter((event) => event.type === type)
      older = [...printed, ...older]
      lines += printed.reduce((sum, { data }) => sum + data.text.split('\n').length, 0)
      this.#hasOlder = events.length === PAGE && this.#from > (page?.floor ?? 0) + 1
      if (!this.#hasOlder) break
    }
    return older
  }

  #forgetOldest() {
    this.#events = this.#events.slice(-MOST_EVENTS / 2)
    this.#from = this.#events[0].seq
    this.#hasOlder = true
  }

  /** @param {StoredEvent} event */
  #add(event) {
    const printed = this.#printed(event)
    this.#offer(printed.source)
    this.#lines.add(printed)
  }

  /** @param {StoredEvent} event @returns {Printed} */
  #printed({ seq, timestamp, data }) {
    const source = this.dataset.sources === 'command' ? data.command_id : data.step
    return {
      source,
      level: data.level ?? 'info',
      agent: data.agent ?? '',
      at: timestamp,
      seq,
      text: data.text,
      offset: data.offset,
    }
  }

  /** A source can be chosen once it has printed something. @param {string} source */
  #offer(source) {
    if (!source || [...this.#parts.source.options].some(({ value }) => value === source)) return
    this.#parts.source.add(new Option(this.#nameOf(source), source))
  }

  /** @param {string} source */
  #nameOf(source) {
    return this.#names.get(source) ?? source.slice(0, 12)
  }

  #rebuild() {
    const { view } = this.#parts
    const fromBottom = view.scrollHeight - view.scrollTop
    this.#lines = new LogLines(MOST_LINES * 2)
    for (const event of this.#events) this.#add(event)
    this.#drawAll()
    if (!this.#follows) view.scrollTop = view.scrollHeight - fromBottom
  }

  #drawAll() {
    const { view, older } = this.#parts
    this.#lines.takeChanged()
    this.#rows.clear()
    older.hidden = !this.#hasOlder
    view.replaceChildren(
      older,
      ...this.#lines.all.filter((line) => this.#isWanted(line)).map((line) => this.#rowOf(line)),
    )
    this.#afterDrawing()
  }

  #drawSoon() {
    this.#frame ||= requestAnimationFrame(() => this.#draw())
  }

  #draw() {
    this.#frame = 0
    const { view } = this.#parts
    const fresh = document.createDocumentFragment()
    for (const line of this.#lines.takeChanged()) {
      const row = this.#rows.get(line)
      if (row) writeLine(row, line)
      else if (this.#isWanted(line)) fresh.append(this.#rowOf(line))
    }
    if (!this.#follows) this.#unseen += fresh.childElementCount
    view.append(fresh)
    this.#trim()
    this.#afterDrawing()
  }

  #trim() {
    if (!this.#follows) return
    for (const [line, row] of this.#rows) {
      if (this.#rows.size <= MOST_LINES) break
      row.remove()
      this.#rows.delete(line)
    }
  }

  #afterDrawing() {
    const { view, count, follow, empty } = this.#parts
    if (this.#follows) view.scrollTop = view.scrollHeight
    count.textContent = `${this.#rows.size.toLocaleString()} lines`
    follow.hidden = this.#follows
    follow.textContent = this.#unseen ? `↓ ${this.#unseen.toLocaleString()} new` : '↓ Follow'
    if (this.#rows.size === 0) {
      empty.textContent = this.#lines.all.length ? 'Nothing matches.' : 'Nothing has been printed yet.'
      view.append(empty)
    } else empty.remove()
  }

  /** @param {LogLine} line */
  #isWanted({ source, line }) {
    const wanted = this.#parts.source.value
    const words = this.#parts.filter.value.toLowerCase()
    return (!wanted || source === wanted) && (!words || line.text.toLowerCase().includes(words))
  }

  /** @param {LogLine} line */
  #rowOf(line) {
    const row = document.createElement('div')
    row.className = 'line'
    row.dataset.level = line.level
    const who = document.createElement('i')
    who.textContent = this.#nameOf(line.source)
    who.title = `${this.#nameOf(line.source)}${line.agent ? ` on ${line.agent}` : ''}, ${new Date(line.at).toLocaleTimeString()}`
    row.append(who, document.createElement('span'))
    writeLine(row, line)
    this.#rows.set(line, row)
    return row
  }

  #scrolled() {
    const { view, follow } = this.#parts
    const isAtEnd = view.scrollHeight - view.clientHeight - view.scrollTop < NEAR
    // Rows that are measured late move the view too; only a person lets go of the end.
    const byPerson = performance.now() - this.#touchedAt < TOUCH_LASTS
    if (isAtEnd) this.#unseen = 0
    if (isAtEnd || byPerson) this.#follows = isAtEnd
    else if (this.#follows) view.scrollTop = view.scrollHeight
    follow.hidden = this.#follows
    if (view.scrollTop < NEAR && this.#hasOlder && !this.#follows) this.#readOlder()
  }

  #touched() {
    this.#touchedAt = performance.now()
  }

  #followAgain() {
    this.#follows = true
    this.#unseen = 0
    this.#afterDrawing()
  }
}

/** @param {HTMLElement} row @param {LogLine} line */
function writeLine(row, { line }) {
  const pieces = line.spans.map(({ text, style }) => {
    if (!style) return text
    const piece = document.createElement('span')
    piece.className = style
    piece.textContent = text
    return piece
  })
  row.lastElementChild?.replaceChildren(...pieces)
}

function partsOf() {
  const source = make('select', { ariaLabel: 'Whose lines' })
  source.add(new Option('All', ''))
  const filter = make('input', { type: 'search', placeholder: 'Filter', ariaLabel: 'Filter lines by text' })
  const count = make('span', { className: 'count' })
  const follow = make('button', { type: 'button', className: 'quiet small', hidden: true, textContent: '↓ Follow' })
  const tools = make('div', { className: 'tools' })
  tools.append(source, filter, count, follow)
  const view = make('div', { className: 'lines', tabIndex: 0, role: 'log', ariaLabel: 'Log', ariaLive: 'off' })
  const older = make('p', { className: 'older', textContent: 'Scroll up for earlier lines.' })
  const empty = make('p', { className: 'empty' })
  return { tools, source, filter, count, follow, view, older, empty }
}

/** @template {keyof HTMLElementTagNameMap} K @param {K} name @param {Partial<HTMLElementTagNameMap[K]>} facts @returns {HTMLElementTagNameMap[K]} */
function make(name, facts) {
  return Object.assign(document.createElement(name), facts)
}

customElements.define('log-console', LogConsole)
