// All agents: who is there, what each does now and costs, and a button to stop it.

import '../websocket.js'
import '../elements/agent-card.js'
import { livePart } from '../elements/live-part.js'
import { client } from '../here.js'
import { EVENT } from '../realtime/contract.js'

const place = /** @type {HTMLElement} */ (document.getElementById('agents'))
const find = /** @type {HTMLInputElement} */ (document.querySelector('[name="find"]'))
const list = livePart(place, () => addressOf({ part: 'list' }), { shown: letGo })
let topics = topicsHere()

find.addEventListener('input', () => {
  history.replaceState(history.state, '', addressOf({ find: find.value, page: '' }))
  list.renew()
})
find.form?.addEventListener('submit', (event) => event.preventDefault())

// Cards keep themselves true: only who comes and who goes changes the list.
client.on(EVENT.AGENT_UPDATE, ({ data }) => data.change !== 'updated' && list.renew())

/** This page's address with these changes; what is empty is left out. @param {Record<string, string>} changes */
function addressOf(changes) {
  const asked = new URLSearchParams(location.search)
  for (const [name, value] of Object.entries(changes)) {
    if (value.trim()) asked.set(name, value)
    else asked.delete(name)
  }
  return `${location.pathname}${asked.size ? `?${asked}` : ''}`
}

/** A connection may follow so many topics, so those of cards that have gone are not followed any more. */
function letGo() {
  const before = topics
  topics = topicsHere()
  for (const topic of before) if (!topics.has(topic)) client.unfollow(topic)
}

function topicsHere() {
  const cards = /** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll('agent-card'))
  return new Set(Array.from(cards, ({ dataset }) => dataset.topic ?? ''))
}
