// All agents: who is there, what each does now and costs, and a button to stop it.

import '../websocket.js'
import '../elements/agent-card.js'
import { livePart } from '../elements/live-part.js'
import { client } from '../here.js'
import { EVENT } from '../realtime/contract.js'

const place = /** @type {HTMLElement} */ (document.getElementById('agents'))
const asked = new URLSearchParams(location.search)
asked.set('part', 'list')
const list = livePart(place, `?${asked}`, { shown: letGo })
let topics = topicsHere()

// Cards keep themselves true: only who comes and who goes changes the list.
client.on(EVENT.AGENT_UPDATE, ({ data }) => data.change !== 'updated' && list.renew())

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
