// All agents: who is there, what each does now and costs, and a button to stop it.

import '../websocket.js'
import '../elements/agent-card.js'
import { client } from '../here.js'
import { EVENT } from '../realtime/contract.js'

const cards = /** @type {HTMLElement} */ (document.getElementById('agents'))

// A new agent is written by the server, like the others.
client.on(EVENT.AGENT_UPDATE, ({ data }) => {
  if (data.change !== 'deleted' && !cards.querySelector(`[data-agent="${data.agent_id}"]`)) location.reload()
})
