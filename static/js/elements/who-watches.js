// <who-watches data-follows="run.…">: who else looks at this topic now. It stays hidden while one is alone.

import { client } from '../here.js'
import { CONTROL } from '../realtime/contract.js'
import { make } from './make.js'

/** @typedef {{id: number, name: string}} Person */

const MOST = 4

export class WhoWatches extends HTMLElement {
  /** @type {(() => void)[]} */
  #stops = []
  #faces = make('span', { className: 'faces', ariaHidden: 'true' })
  #words = make('span', { className: 'small muted' })

  connectedCallback() {
    const { follows = '' } = this.dataset
    const feed = client.follow(follows)
    const ask = () => this.isConnected && client.whisper(CONTROL.PRESENCE, follows, {})
    this.hidden = true
    this.replaceChildren(this.#faces, this.#words)
    this.#stops = [
      feed.on(CONTROL.PRESENCE, ({ data }) => this.#show(data)),
      // Each new line knows nothing of what was asked on the one before.
      feed.on(CONTROL.SUBSCRIBED, () => setTimeout(ask)),
      client.watch(({ state }) => state !== 'live' && this.#show({ users: [], count: 0 })),
      () => client.whisper(CONTROL.PRESENCE, follows, { on: false }),
    ]
    ask()
  }

  disconnectedCallback() {
    for (const stop of this.#stops.splice(0)) stop()
  }

  /** @param {{users: Person[], count: number}} told */
  #show({ users, count }) {
    const mine = document.body.dataset.user
    const others = users.filter(({ id }) => String(id) !== mine)
    const unnamed = count - users.length
    this.hidden = others.length + unnamed === 0
    const faces = others.slice(0, MOST)
    const more = others.length - faces.length + unnamed
    this.#faces.replaceChildren(
      ...faces.map(face),
      ...(more > 0 ? [make('i', { className: 'more', textContent: `+${more}` })] : []),
    )
    this.#words.textContent = this.hidden
      ? ''
      : inWords(
          faces.map(({ name }) => name),
          more,
        )
    this.title = others.map(({ name }) => name).join(', ')
  }
}

/** @param {Person} person */
function face({ id, name }) {
  const letters = name.split(/[\s._-]+/).map(([letter = '']) => letter)
  const made = make('i', { textContent: letters.slice(0, 2).join('').toUpperCase() })
  made.dataset.hue = String(id % 6)
  return made
}

/** @param {string[]} names @param {number} more */
function inWords(names, more) {
  const all = [...names, ...(more > 0 ? [`${more} more`] : [])]
  const list = new Intl.ListFormat('en').format(all)
  return `${list} ${all.length > 1 || more > 1 ? 'watch' : 'watches'} too`
}

customElements.define('who-watches', WhoWatches)
