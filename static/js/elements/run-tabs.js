// <run-tabs data-run="<id>" data-name data-status data-from>: the runs that are open in this browser, each with its state.
// They are pages of their own, so these are links; the arrow keys move between them, Delete closes one.

import { client } from '../here.js'
import { storageOf } from '../memory.js'
import { EVENT } from '../realtime/contract.js'
import { OpenRuns } from '../runs/open-runs.js'
import { make } from './make.js'
import { stateInWords } from './states.js'
import './time-at.js'

/** @import {OpenRun} from '../runs/open-runs.js' */

export class RunTabs extends HTMLElement {
  #runs = new OpenRuns(storageOf('local'), document.body.dataset.user ?? '')
  /** @type {(() => void)[]} */
  #stops = []
  #list = make('ul')

  connectedCallback() {
    const { run = '', name = '', status = '', from = '' } = this.dataset
    this.#runs.open({ id: run, name, status, startedAt: from })
    this.replaceChildren(make('nav', { ariaLabel: 'Open runs' }, this.#list))
    this.#list.onclick = (event) => this.#clicked(event)
    this.#list.onkeydown = (event) => this.#pressed(event)
    const elsewhere = (/** @type {StorageEvent} */ { key }) => this.#runs.isKeptAs(key ?? '') && this.#draw()
    addEventListener('storage', elsewhere)
    this.#stops = [
      client.on(EVENT.RUN_UPDATE, ({ data }) => this.note(data.run_id, data.status)),
      () => removeEventListener('storage', elsewhere),
    ]
    this.#draw()
    this.#list.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    this.#askForOthers(run)
  }

  disconnectedCallback() {
    for (const stop of this.#stops.splice(0)) stop()
  }

  /** @param {string} id @param {string} status */
  note(id, status) {
    if (this.#runs.note(id, status)) this.#draw()
  }

  #draw() {
    const { all } = this.#runs
    const focused = this.#list.contains(document.activeElement) ? idOf(document.activeElement) : ''
    this.#list.replaceChildren(...all.map((run) => this.#tab(run)))
    const find = (/** @type {string} */ tab) => /** @type {HTMLElement | null} */ (this.#list.querySelector(tab))
    // Whoever has closed one is left with the run that is shown.
    if (focused) (find(`[data-open="${focused}"] a`) ?? find('[aria-current]'))?.focus()
  }

  /** @param {OpenRun} run */
  #tab({ id, name, status, startedAt }) {
    const at = document.createElement('time-at')
    at.setAttribute('datetime', startedAt)
    const dot = make('span', { className: 'dot', title: stateInWords(status) })
    dot.dataset.status = status
    const words = make('span', { className: 'unseen', textContent: ` (${stateInWords(status)})` })
    const link = make(
      'a',
      { href: `/runs/${id}/${location.search}` },
      dot,
      make('span', { className: 'name', textContent: name, title: name }),
      make('span', { className: 'when' }, ' · ', at),
      words,
    )
    if (id === this.dataset.run) link.ariaCurrent = 'page'
    const close = make('button', {
      type: 'button',
      className: 'close',
      textContent: '×',
      ariaLabel: `Close ${name}, ${at.textContent}`,
      tabIndex: -1,
    })
    const item = make('li', {}, link, close)
    item.dataset.open = id
    return item
  }

  /** What happened to the others while no page of this browser listened. @param {string} mine */
  async #askForOthers(mine) {
    for (const { id, status } of this.#runs.all) {
      if (id === mine || status !== 'running') continue
      try {
        this.note(id, (await client.api.get(`api/v1/runs/${id}/`)).status)
      } catch (error) {
        if (/** @type {any} */ (error)?.code !== 'not_found') return
        this.#runs.close(id)
        this.#draw()
      }
    }
  }

  /** @param {MouseEvent} event */
  #clicked({ target }) {
    const button = target instanceof Element ? target.closest('button') : null
    if (button) this.#close(idOf(button))
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const links = /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll('a')])
    const at = links.findIndex((link) => link.contains(document.activeElement))
    if (at < 0) return
    const moves = /** @type {Record<string, number>} */ ({
      ArrowRight: at + 1,
      ArrowLeft: at - 1,
      Home: 0,
      End: links.length - 1,
    })
    if (event.key === 'Delete') this.#close(idOf(links[at]))
    else if (event.key in moves) links[(moves[event.key] + links.length) % links.length].focus()
    else return
    event.preventDefault()
  }

  /** @param {string} id */
  #close(id) {
    const next = this.#runs.close(id)
    if (id !== this.dataset.run) return this.#draw()
    location.assign(next ? `/runs/${next.id}/` : '/projects/')
  }
}

/** @param {Element | null} part */
function idOf(part) {
  return /** @type {HTMLElement | null} */ (part?.closest('[data-open]') ?? null)?.dataset.open ?? ''
}

customElements.define('run-tabs', RunTabs)
