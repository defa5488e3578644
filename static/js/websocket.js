// The one script that a page includes to be live: it starts the page's client, and follows the page's life.

import './elements/connection-status.js'
import './elements/time-at.js'
import './elements/time-span.js'
import { client } from './here.js'

export { client }

addEventListener('pagehide', () => client.stop())
addEventListener('pageshow', ({ persisted }) => persisted && client.start())
// A frozen tab must not lead the others.
document.addEventListener('freeze', () => client.stop())
document.addEventListener('resume', () => client.start())
addEventListener('online', () => client.wake())
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && client.wake())

client.start()
