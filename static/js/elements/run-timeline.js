// <run-timeline>: who worked on what, when. A lane per agent, a bar per try; a bar is a button that shows its step's lines
// in the log (event `show-step`). `timeline.show(story, forecast)` draws it, and it goes on by itself while the run does.

import { inMinutes, inWords, serverNow } from '../clock.js'
import { NO_FORECAST } from '../runs/forecast.js'
import { layOut } from '../runs/lanes.js'
import { make } from './make.js'
import { stateInWords } from './states.js'

/** @import {RunStory} from '../runs/story.js' */
/** @import {Forecast} from '../runs/forecast.js' */
/** @import {Bar, Band, Lane, Layout} from '../runs/lanes.js' */

const GROWS_EVERY = 200
const SIGNS = /** @type {Record<string, string>} */ ({
  running: '▸',
  completed: '✓',
  failed: '✕',
  lost: '?',
  cancelled: '⊘',
  interrupted: '⊘',
  skipped: '↷',
  queued: '◌',
  waiting: '◌',
})

export class RunTimeline extends HTMLElement {
  /** @type {RunStory | null} */
  #story = null
  #forecast = NO_FORECAST
  /** Bars by step and try. @type {Map<string, HTMLButtonElement>} */
  #bars = new Map()
  /** @type {Map<string, Bar>} */
  #shown = new Map()
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer
  /** The one that the keyboard comes in by. */
  #current = ''
  #head = make('div', { className: 'bands' })
  #names = make('div', { className: 'names' })
  #tracks = make('div', { className: 'tracks', role: 'toolbar', ariaLabel: 'Steps in time, a lane per agent' })
  #axis = make('div', { className: 'axis', ariaHidden: 'true' })
  #now = make('div', { className: 'now', ariaHidden: 'true' })
  #detail = make('p', { className: 'detail' })

  connectedCallback() {
    this.#tracks.onclick = ({ target }) => this.#choose(target)
    this.#tracks.onkeydown = (event) => this.#steer(event)
    for (const type of ['pointerover', 'focusin'])
      this.#tracks.addEventListener(type, ({ target }) => this.#tell(target))
    for (const type of ['pointerleave', 'focusout']) this.#tracks.addEventListener(type, () => this.#tell(null))
    this.#timer = setInterval(() => this.#grow(), GROWS_EVERY)
    this.#draw()
  }

  disconnectedCallback() {
    clearInterval(this.#timer)
  }

  /** @param {RunStory} story @param {Forecast} [forecast] */
  show(story, forecast = this.#forecast) {
    this.#story = story
    this.#forecast = forecast
    this.#draw()
  }

  #grow() {
    // A page that is cut off shows how it was.
    if (this.closest('[data-stale]')) return
    if (this.#story && !this.#story.isOver && document.visibilityState === 'visible') this.#draw()
  }

  #draw() {
    if (!this.#story || !this.isConnected) return
    if (!this.#detail.isConnected) this.#furnish()
    const layout = layOut(this.#story, this.#forecast, serverNow())
    this.dataset.status = this.#story.status
    this.#drawLanes(layout)
    this.#drawBands(layout.bands)
    this.#drawAxis(layout)
    if (!this.#tracks.matches(':hover, :focus-within')) this.#tell(null)
  }

  /** Until there is something to draw stands what the server has written, which is as high: `data-rows` says how many rows to keep room for. */
  #furnish() {
    const time = make('div', { className: 'time' }, this.#head, this.#tracks, this.#axis)
    this.replaceChildren(make('div', { className: 'board' }, this.#names, time), this.#detail)
  }

  /** @param {Layout} layout */
  #drawLanes({ lanes }) {
    keepUp(this.#names, lanes, nameOf)
    keepUp(this.#tracks, lanes, () => make('div', { className: 'track' }))
    const bars = new Map(this.#bars)
    this.#shown.clear()
    lanes.forEach((lane, n) => {
      const track = /** @type {HTMLElement} */ (this.#tracks.children[n])
      const name = /** @type {HTMLElement} */ (this.#names.children[n])
      writeName(name, lane)
      for (const part of [track, name]) part.style.setProperty('--rows', String(lane.rows))
      for (const bar of lane.bars) {
        const key = keyOf(bar)
        const button = this.#bars.get(key) ?? make('button', { type: 'button' }, make('span', { className: 'words' }))
        bars.delete(key)
        this.#bars.set(key, button)
        this.#shown.set(key, bar)
        writeBar(button, key, bar)
        if (button.parentNode !== track) track.append(button)
      }
    })
    for (const [key, button] of bars) {
      button.remove()
      this.#bars.delete(key)
    }
    if (!this.#bars.has(this.#current)) this.#current = this.#bars.keys().next().value ?? ''
    for (const [key, button] of this.#bars) button.tabIndex = key === this.#current ? 0 : -1
  }

  /** @param {Band[]} bands */
  #drawBands(bands) {
    keepUp(this.#head, bands, () => make('div', { className: 'band' }))
    bands.forEach(({ stage, from, to }, n) => {
      const band = /** @type {HTMLElement} */ (this.#head.children[n])
      place(band, from, to)
      band.dataset.status = stage.status
      band.title = `${stage.name}: ${stateInWords(stage.status)}`
      setText(band, `${SIGNS[stage.status] ?? ''} ${stage.name}`)
    })
  }

  /** @param {Layout} layout */
  #drawAxis({ ticks, now }) {
    keepUp(this.#axis, ticks, () => make('span', {}))
    ticks.forEach(({ seconds, at }, n) => {
      const tick = /** @type {HTMLElement} */ (this.#axis.children[n])
      tick.style.left = percent(at)
      setText(tick, inMinutes(seconds))
    })
    this.#now.hidden = this.#story?.isOver ?? true
    this.#now.style.left = percent(now)
    if (this.#now.parentNode !== this.#head.parentNode) this.#head.after(this.#now)
  }

  /** Say all that is known of a bar, in a line of its own so that nothing moves. @param {EventTarget | null} target */
  #tell(target) {
    const button = target instanceof Element ? target.closest('button') : null
    const bar = this.#shown.get(button?.dataset.bar ?? '')
    if (bar) this.#detail.replaceChildren(...detailsOf(bar))
    else if (!this.#tracks.matches(':focus-within')) setText(this.#detail, this.#hint())
    this.#detail.toggleAttribute('data-empty', !bar)
  }

  #hint() {
    if (this.#bars.size) return 'Choose a step to see its lines. The arrow keys move between steps.'
    return this.#story?.isOver ? 'No agent had a step of it.' : 'No agent has a step yet.'
  }

  /** @param {EventTarget | null} target */
  #choose(target) {
    const button = target instanceof Element ? target.closest('button') : null
    const bar = this.#shown.get(button?.dataset.bar ?? '')
    if (!bar) return
    this.#current = keyOf(bar)
    const detail = { step: bar.step.key, name: bar.step.name, attempt: bar.one.attempt, at: bar.one.started_at }
    this.dispatchEvent(new CustomEvent('show-step', { bubbles: true, detail }))
  }

  /** Left and right within a lane, up and down between lanes. @param {KeyboardEvent} event */
  #steer(event) {
    const button = /** @type {HTMLElement} */ (event.target).closest('button')
    const next = button && neighbour(button, event.key)
    if (!next) return
    event.preventDefault()
    this.#current = next.dataset.bar ?? ''
    for (const bar of this.#bars.values()) bar.tabIndex = bar === next ? 0 : -1
    next.focus()
  }
}

/** @param {HTMLElement} button @param {string} key @returns {HTMLElement | null} */
function neighbour(button, key) {
  const track = /** @type {HTMLElement} */ (button.parentElement)
  const bars = /** @type {HTMLElement[]} */ ([...track.children])
  const n = bars.indexOf(button)
  if (key === 'ArrowRight') return bars[n + 1] ?? null
  if (key === 'ArrowLeft') return bars[n - 1] ?? null
  if (key === 'Home') return bars[0]
  if (key === 'End') return bars.at(-1) ?? null
  if (key !== 'ArrowDown' && key !== 'ArrowUp') return null
  let lane = key === 'ArrowDown' ? track.nextElementSibling : track.previousElementSibling
  while (lane && !lane.children.length)
    lane = key === 'ArrowDown' ? lane.nextElementSibling : lane.previousElementSibling
  const middle = (/** @type {Element} */ bar) => bar.getBoundingClientRect().left
  const near = [...(lane?.children ?? [])].sort(
    (a, b) => Math.abs(middle(a) - middle(button)) - Math.abs(middle(b) - middle(button)),
  )
  return /** @type {HTMLElement | null} */ (near[0] ?? null)
}

/** @param {Bar} bar */
function keyOf({ step, one }) {
  return `${step.key} ${one.attempt}`
}

/** @param {HTMLButtonElement} button @param {string} key @param {Bar} bar */
function writeBar(button, key, bar) {
  const { step, one, row, from, to } = bar
  button.dataset.bar = key
  button.dataset.status = one.status
  place(button, from, to)
  button.style.setProperty('--row', String(row))
  const tries = one.attempt > 1 ? ` ↻${one.attempt}` : ''
  setText(/** @type {HTMLElement} */ (button.firstElementChild), `${SIGNS[one.status] ?? ''}${tries} ${step.name}`)
  const label = `${step.name}${one.attempt > 1 ? `, try ${one.attempt}` : ''}: ${stateInWords(one.status)} on ${one.agent}`
  if (button.ariaLabel !== label) button.ariaLabel = label
}

/** @param {Bar} bar */
function detailsOf({ step, stage, one }) {
  const end = one.ended_at ? Date.parse(one.ended_at) : serverNow()
  const took = one.started_at
    ? `${inWords((end - Date.parse(one.started_at)) / 1000)}${one.ended_at ? '' : ' so far'}`
    : ''
  const badge = make('span', { className: 'badge', textContent: stateInWords(one.status) })
  badge.dataset.status = one.status
  const facts = [
    stage.name,
    one.agent,
    one.attempt > 1 ? `try ${one.attempt}` : '',
    took,
    one.exit_code === null ? '' : `exit ${one.exit_code}`,
    one.error,
  ]
  const name = make('b', { textContent: step.name })
  return [
    badge,
    name,
    make('span', { className: 'muted', textContent: facts.filter(Boolean).join(' · ') }),
    make('code', { textContent: step.command }),
  ]
}

/** @param {Lane} lane */
function nameOf({ id }) {
  return id ? make('a', { className: 'lane', href: `/agents/${id}/` }) : make('span', { className: 'lane' })
}

/** @param {HTMLElement} part @param {Lane} lane */
function writeName(part, { name, id }) {
  setText(part, name)
  part.title = name
  if (id && part instanceof HTMLAnchorElement) part.href = `/agents/${id}/`
}

/** @param {HTMLElement} part @param {number} from @param {number} to */
function place(part, from, to) {
  part.style.left = percent(from)
  part.style.width = percent(Math.max(0, to - from))
}

/** @param {number} fraction */
function percent(fraction) {
  return `${(100 * fraction).toFixed(3)}%`
}

/** As many children as there are things. @template T @param {HTMLElement} parent @param {T[]} things @param {(thing: T) => HTMLElement} made */
function keepUp(parent, things, made) {
  while (parent.children.length > things.length) parent.lastElementChild?.remove()
  while (parent.children.length < things.length) parent.append(made(things[parent.children.length]))
}

/** @param {HTMLElement} part @param {string} text */
function setText(part, text) {
  if (part.textContent !== text) part.textContent = text
}

customElements.define('run-timeline', RunTimeline)
