// <agent-card data-agent data-topic data-epoch data-seq>: an agent as templates/components/agent_card.html writes it, kept
// true from that cursor on: its state, what it costs, its commands, and each step of an interrupt with its time.

import { serverNow, serverSaid } from '../clock.js'
import { client, followFrom, watchesAgents } from '../here.js'
import { storageOf } from '../memory.js'
import { EVENT, FRAME } from '../realtime/contract.js'
import { isWaiting, STEPS, sayStep } from '../runs/interrupt.js'
import { Measures } from '../runs/measures.js'
import { copyOf, fill, flash, pressed } from './fill.js'
import { make } from './make.js'
import './spark-line.js'

/** @import {SparkLine} from './spark-line.js' */
/** @import {Times} from '../runs/interrupt.js' */

const OPEN = new Set(['sent', 'running'])
const ASKED_EVERY = 5000
const ENDED_SHOWN = 8000
const CPU_FLOOR = 100
const BYTES_FLOOR = 64 * 1048576

/** What its team was told last about each agent: a card may be written before that, and stand here after. @type {Map<string, any>} */
const told = new Map()
client.on(EVENT.AGENT_UPDATE, ({ data }) => told.set(data.agent_id, data))

export class AgentCard extends HTMLElement {
  /** @type {(() => void)[]} */
  #stops = []
  /** Times of interrupts, by command. @type {Map<string, Times>} */
  #interrupts = new Map()
  /** @type {Measures | null} */
  #measures = null
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #asking

  connectedCallback() {
    const { agent = '' } = this.dataset
    this.#measures = new Measures(storageOf('session'), agent, serverNow())
    const feed = followFrom(this)
    for (const row of this.#rows) this.#showInterrupt(row)
    this.#stops = [
      feed.on(EVENT.COMMAND_REQUEST, ({ data, timestamp }) => this.#requested(data, timestamp)),
      feed.on(EVENT.COMMAND_STATE, ({ data, timestamp }) => this.#changed(data, timestamp)),
      feed.on(EVENT.COMMAND_INTERRUPT, ({ data, timestamp }) => this.#interrupted(data.command_id, 'sent', timestamp)),
      feed.on(EVENT.METRICS, ({ data, timestamp }) => this.#measured(timestamp, data.metrics)),
      client.on(EVENT.AGENT_UPDATE, ({ data }) => data.agent_id === agent && this.#updated(data)),
      // Whispers don't come over HTTP.
      client.watch(({ transport }) => this.#askInstead(watchesAgents && transport === 'http')),
    ]
    this.#commands.onclick = ({ target }) => this.#clicked(target)
    this.#showMeasures()
    if (told.has(agent)) this.#updated(told.get(agent))
  }

  disconnectedCallback() {
    for (const stop of this.#stops.splice(0)) stop()
    this.#askNoMore()
  }

  get #commands() {
    return /** @type {HTMLElement} */ (this.querySelector('[data-commands]'))
  }

  get #rows() {
    return /** @type {HTMLElement[]} */ ([...this.#commands.querySelectorAll('[data-command]')])
  }

  /** @param {string} id */
  #row(id) {
    return this.#rows.find(({ dataset }) => dataset.command === id)
  }

  /** @param {any} data @param {string} at */
  #requested({ command_id, spec, attempt }, at) {
    const row = this.#row(command_id) ?? this.#newRow(command_id)
    const tries = attempt > 1 ? `try ${attempt}` : ''
    fill(row, { line: spec.shell || (spec.argv ?? []).join(' '), status: 'sent', tries, at })
  }

  /** @param {string} id */
  #newRow(id) {
    const row = copyOf('command-row')
    row.dataset.command = id
    this.#commands.prepend(row)
    flash(row)
    this.#trim()
    return row
  }

  /** No more than the server writes. What somebody is at goes with the next one. */
  #trim() {
    const most = Number(this.#commands.dataset.most) || Number.POSITIVE_INFINITY
    for (const row of this.#rows.slice(most)) if (!row.matches(':focus-within')) row.remove()
  }

  /** @param {any} data @param {string} timestamp */
  #changed({ command_id, status, exit_code, interrupt }, timestamp) {
    const row = this.#row(command_id)
    if (!row) return
    if (status === 'queued') return row.remove() // Any agent may have it now.
    const isOver = !OPEN.has(status)
    fill(row, { status, exit: exit_code === null ? '' : `exit ${exit_code}` })
    const button = row.querySelector('button')
    if (button) button.hidden = isOver
    if (interrupt) this.#interrupted(command_id, interrupt, timestamp)
    else if (isOver && this.#interrupts.has(command_id)) this.#interrupted(command_id, 'stopped', timestamp)
    if (isOver && this.#commands.dataset.commands === 'open') this.#letGo(row)
  }

  /** What has ended stays a moment, so that one sees how. @param {HTMLElement} row */
  #letGo(row) {
    setTimeout(() => row.remove(), row.querySelector('.interrupt')?.childElementCount ? ENDED_SHOWN : ENDED_SHOWN / 4)
  }

  /** @param {string} id @param {typeof STEPS[number]} step @param {string} timestamp */
  #interrupted(id, step, timestamp) {
    const row = this.#row(id)
    if (!row) return
    const times = this.#interrupts.get(id) ?? {}
    times[step] ??= timestamp
    this.#interrupts.set(id, times)
    this.#showInterrupt(row)
  }

  /** @param {HTMLElement} row */
  #showInterrupt(row) {
    const { command = '' } = row.dataset
    const list = /** @type {HTMLElement | null} */ (row.querySelector('.interrupt'))
    if (!list) return
    const written = /** @type {Times} */ (
      Object.fromEntries(STEPS.flatMap((step) => (list.dataset[step] ? [[step, list.dataset[step]]] : [])))
    )
    const times = { ...written, ...this.#interrupts.get(command) }
    if (!times.sent) return
    this.#interrupts.set(command, times)
    const status = /** @type {HTMLElement | null} */ (row.querySelector('.badge'))?.dataset.status ?? ''
    const button = row.querySelector('button')
    if (button && isWaiting(times, !OPEN.has(status))) {
      button.disabled = true
      button.textContent = 'Interrupting…'
    }
    list.replaceChildren(
      ...STEPS.map((step) => {
        const part = make('li', { textContent: sayStep(times, step), title: times[step] ?? 'not yet' })
        part.toggleAttribute('data-done', Boolean(times[step]))
        return part
      }),
    )
  }

  /** @param {EventTarget | null} target */
  #clicked(target) {
    const button = /** @type {HTMLElement} */ (target).closest('button')
    const row = /** @type {HTMLElement | null} */ (button?.closest('[data-command]'))
    const { topic = '' } = this.dataset
    if (!button || !row) return
    const asked = () => client.ask(FRAME.COMMAND_INTERRUPT, topic, { command_id: row.dataset.command })
    pressed(button, this, asked).then(() => this.#showInterrupt(row))
  }

  /** @param {any} data */
  #updated({ change, name, status, busy, slots }) {
    if (change === 'deleted') {
      this.inert = true
      client.unfollow(this.dataset.topic ?? '')
      fill(this, { status: 'deleted' })
      return
    }
    fill(/** @type {Element} */ (this.querySelector('header') ?? this), { status, name })
    fill(this, { busy, slots })
  }

  /** @param {string} timestamp @param {{cpu_percent?: number, rss_bytes?: number}} metrics */
  #measured(timestamp, metrics) {
    serverSaid(timestamp)
    this.#measures?.add(Date.parse(timestamp), metrics)
    this.#showMeasures()
  }

  #showMeasures() {
    const all = this.#measures?.all ?? []
    const last = all.at(-1)
    if (!last) return
    fill(this, { cpu: `${Math.round(last.cpu)} %`, memory: `${Math.round(last.bytes / 1048576)} MB` })
    const spark = (/** @type {string} */ name) =>
      /** @type {SparkLine | null} */ (this.querySelector(`spark-line[data-of="${name}"]`))
    spark('cpu')?.show(
      all.map(({ cpu }) => cpu),
      CPU_FLOOR,
    )
    spark('memory')?.show(
      all.map(({ bytes }) => bytes),
      BYTES_FLOOR,
    )
  }

  /** @param {boolean} isPolling */
  #askInstead(isPolling) {
    if (isPolling) this.#asking ??= setInterval(() => this.#ask(), ASKED_EVERY)
    else this.#askNoMore()
  }

  #askNoMore() {
    clearInterval(this.#asking)
    this.#asking = undefined
  }

  async #ask() {
    if (document.visibilityState !== 'visible') return
    try {
      const { metrics, seen_at } = await client.api.get(`api/v1/agents/${this.dataset.agent}/`)
      if (metrics && seen_at) this.#measured(seen_at, metrics)
    } catch {
      // The widget says that the server is away.
    }
  }
}

customElements.define('agent-card', AgentCard)
