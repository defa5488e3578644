// The one script that a page includes to be live: it starts the page's client, and follows the page's life.

import './elements/connection-status.js'
import './elements/time-at.js'
import './elements/time-span.js'
import { client } from './here.js'

export { client }

const LOOK_EVERY = 5000
const SLEPT = 10_000

addEventListener('pagehide', () => client.stop())
addEventListener('pageshow', ({ persisted }) => persisted && client.start())
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
if (document.readyState === 'complete') client.start()
else for (const moment of ['DOMContentLoaded', 'load']) addEventListener(moment, () => client.start(), { once: true })
