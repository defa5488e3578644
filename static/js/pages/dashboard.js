// The dashboard: numbers and short lists over many topics. The server writes them anew when something has happened, at
// most once a second, and every few seconds for the charts. What is the same stays untouched.

import '../websocket.js'
import '../elements/metric-chart.js'
import { morph } from '../elements/morph.js'
import { client } from '../here.js'
import { EVENT } from '../realtime/contract.js'

const AT_MOST_EVERY = 1000
const AT_LEAST_EVERY = 4000
const overview = /** @type {HTMLElement} */ (document.getElementById('overview'))
let renewedAt = performance.now()
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer
let isAsking = false
/** Something has happened while we asked. */
let isOld = false

for (const type of [EVENT.RUN_UPDATE, EVENT.TASK_UPDATE, EVENT.AGENT_UPDATE]) client.on(type, () => plan(AT_MOST_EVERY))
document.addEventListener('visibilitychange', () => plan(0))
addEventListener('pageshow', ({ persisted }) => persisted && plan(0))
plan(AT_LEAST_EVERY)

/** Renew so many milliseconds after the last time. @param {number} after */
function plan(after) {
  clearTimeout(timer)
  isOld ||= isAsking
  if (!document.hidden && !isAsking) timer = setTimeout(renew, Math.max(0, renewedAt + after - performance.now()))
}

async function renew() {
  isAsking = true
  isOld = false
  try {
    const answer = await fetch('/?part=overview', { credentials: 'same-origin', signal: AbortSignal.timeout(10_000) })
    const isOurs = answer.ok && !answer.redirected
    if (isOurs) morph(overview, await answer.text())
    overview.toggleAttribute('data-stale', !isOurs)
  } catch {
    // The widget says that the server is away.
    overview.toggleAttribute('data-stale', true)
  } finally {
    isAsking = false
    renewedAt = performance.now()
    plan(isOld ? AT_MOST_EVERY : AT_LEAST_EVERY)
  }
}
