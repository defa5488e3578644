// The dashboard: numbers and short lists over many topics. The server writes them anew when something has happened, at
// most once a second, and every few seconds for the charts.

import '../websocket.js'
import '../elements/metric-chart.js'
import { livePart } from '../elements/live-part.js'
import { client } from '../here.js'
import { EVENT } from '../realtime/contract.js'

const AT_LEAST_EVERY = 4000

const place = /** @type {HTMLElement} */ (document.getElementById('overview'))
const overview = livePart(place, '/?part=overview', { every: AT_LEAST_EVERY })

for (const type of [EVENT.RUN_UPDATE, EVENT.TASK_UPDATE, EVENT.AGENT_UPDATE]) client.on(type, () => overview.renew())
