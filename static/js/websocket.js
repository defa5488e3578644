// The one script that a page includes to be live: it starts the page's client, and follows the page's life.

import './elements/connection-status.js'
import './elements/time-at.js'
import './elements/time-span.js'
import { client } from './here.js'
import { isFromHistory, isStillOurs, writeAnew } from './kept.js'

export { client }

const LOOK_EVERY = 5000
const SLEPT = 10_000

// A page that came back and is refused was written for somebody who may not see it any more.
let isBack = isFromHistory()
client.watch(({ state }) => {
  if (isBack && state === 'stopped') writeAnew()
  if (state === 'live' || state === 'polling') isBack = false
})

// A browser keeps a page alive to go back to only if it holds nothing open.
addEventListener('pagehide', () => client.stop())
addEventListener('pageshow', ({ persisted }) => {
  if (!persisted) return
  isBack = true
  start()
})

/** Was the login ended from elsewhere meanwhile? The socket's door would wait for somebody to say who they are. */
function checkLogin() {
  client.api.get('api/v1/teams/').catch(({ code }) => code === 'unauthenticated' && writeAnew())
}
// A frozen tab must not lead the others.
document.addEventListener('freeze', () => client.stop())
document.addEventListener('resume', () => client.start())
addEventListener('online', () => client.wake())
addEventListener('offline', () => client.wake())
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && client.wake())

// While a machine sleeps its timers stand still and its clock goes on. A clock that was set costs one ping.
let looked = Date.now()
setInterval(() => {
  const slept = Math.abs(Date.now() - looked - LOOK_EVERY)
  looked = Date.now()
  if (slept > SLEPT && document.visibilityState === 'visible') client.wake()
}, LOOK_EVERY)

if (document.body.dataset.reportErrors === 'on') import('./report.js')

// An event that nobody listens to yet is lost to the page: the scripts that follow this one have to run first.
if (document.readyState === 'complete') start()
else for (const moment of ['DOMContentLoaded', 'load']) addEventListener(moment, start, { once: true })

function start() {
  if (isBack && !isStillOurs()) return writeAnew()
  client.start()
  if (isBack) checkLogin()
}
