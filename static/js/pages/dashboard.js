// The dashboard: numbers and short lists over many topics. When something has happened, the server writes them anew,
// at most once a second.

import { client } from '../here.js'
import { EVENT } from '../realtime/contract.js'

const AT_MOST_EVERY = 1000
const overview = /** @type {HTMLElement} */ (document.getElementById('overview'))
let isPlanned = false

for (const type of [EVENT.RUN_UPDATE, EVENT.TASK_UPDATE, EVENT.AGENT_UPDATE]) client.on(type, plan)

function plan() {
  if (isPlanned) return
  isPlanned = true
  setTimeout(renew, AT_MOST_EVERY)
}

async function renew() {
  isPlanned = false
  try {
    const response = await fetch('/?part=overview', { credentials: 'same-origin' })
    if (response.ok && !response.redirected) overview.innerHTML = await response.text()
  } catch {
    // The widget says that the server is away; the next event comes when it is back.
    plan()
  }
}
