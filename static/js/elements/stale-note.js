// <stale-note data-meanwhile="…">: says that the page stands still, why, and what one can do; meanwhile the page is marked.
// Its place is there from the start, so that nothing moves when it speaks.

import { client } from '../here.js'
import { storageOf } from '../memory.js'
import { CONTROL, EVENT } from '../realtime/contract.js'
import { Reloads } from '../reloads.js'
import { make } from './make.js'
import { Standstill } from './standstill.js'

/** @import {Said} from './standstill.js' */

export class StaleNote extends HTMLElement {
  #words = make('span')
  #meanwhile = make('span', { className: 'meanwhile' })
  #retry = make('button', { type: 'button', onclick: () => client.retry() }, 'Try now')
  #reload = make('button', { type: 'button', onclick: () => location.reload() }, 'Reload')
  #note = make('p', { className: 'note', hidden: true }, this.#words, ' ', this.#meanwhile, this.#retry, this.#reload)
  #reloads = new Reloads(storageOf('session'))
  #isPlanned = false
  /** @type {(() => void)[]} */
  #stops = []

  connectedCallback() {
    const standstill = new Standstill((said) => this.#show(said), this.dataset.meanwhile)
    this.replaceChildren(this.#note)
    this.#stops = [
      client.watch(({ state, received }) => standstill.connection(state, received)),
      ...Object.values(EVENT).map((type) => client.on(type, () => standstill.heard())),
      client.on(CONTROL.UNSUBSCRIBED, () => standstill.shutOut()),
      client.on(CONTROL.RESET, ({ topic }) => {
        if (!this.#stands(topic)) return
        standstill.lost()
        this.#planReload()
      }),
    ]
  }

  disconnectedCallback() {
    for (const stop of this.#stops.splice(0)) stop()
  }

  #planReload() {
    if (this.#isPlanned) return
    this.#isPlanned = true
    setTimeout(() => {
      setTimeout(() => location.reload(), this.#reloads.note(Date.now()))
    }, this.#reloads.wait(Date.now()))
  }

  get #page() {
    return /** @type {HTMLElement} */ (this.closest('main'))
  }

  /** Whether the page shows this topic. A dialog over it begins anew by itself. @param {string} topic */
  #stands(topic) {
    const named = `[data-topic="${topic}"], [data-feed="${topic}"]`
    return this.#page.matches(named) || this.#page.querySelector(named) !== null
  }

  /** @param {Said | null} said */
  #show(said) {
    const page = this.#page
    page.toggleAttribute('data-stale', said !== null)
    // What has the focus must not take it away.
    if (said === null && this.contains(document.activeElement)) page.focus({ preventScroll: true })
    this.#note.hidden = said === null
    const { words, more, way } = said ?? { words: '', more: '', way: '' }
    if (this.#words.textContent !== words) this.#words.textContent = words
    if (this.#meanwhile.textContent !== more) this.#meanwhile.textContent = more
    this.#retry.hidden = way !== 'retry'
    this.#reload.hidden = way !== 'reload'
  }
}

customElements.define('stale-note', StaleNote)
