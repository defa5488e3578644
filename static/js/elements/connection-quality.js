// What the panel of <connection-status> shows while it is open: how good the network is, and what it has cost.

import { client } from '../here.js'
import { make } from './make.js'
import './spark-line.js'
import { inBytes, inMs, inWords } from './words.js'

/** @import {Standing} from '../realtime/client.js' */
/** @import {SparkLine} from './spark-line.js' */

const MEASURED_EVERY = 2000
const SHOWN = 60
const FLOOR_MS = 20

const LEVELS = { websocket: 'WebSocket', http: 'HTTP polling' }

/** Latencies since this page began to measure, newest last. @type {number[]} */
const latencies = []
/** @type {number | null} */
let last = null
client.watch(({ latency }) => {
  if (latency === null || latency === last) return
  last = latency
  latencies.push(latency)
  if (latencies.length > SHOWN) latencies.shift()
})

/** Fill an open panel, and keep it true until it is closed. @param {HTMLElement} panel */
export function showQuality(panel) {
  const reason = make('p', { className: 'reason' })
  const line = /** @type {SparkLine} */ (document.createElement('spark-line'))
  const facts = make('dl', {})
  panel.replaceChildren(make('h2', {}, 'Connection'), reason, line, facts)

  const stop = client.watch(() => show())
  const timer = setInterval(() => client.measure(), MEASURED_EVERY)
  client.measure()
  panel.addEventListener('toggle', close)

  function show() {
    const { standing } = client
    reason.textContent = inWords(standing, navigator.onLine).reason
    line.show(latencies, FLOOR_MS, SHOWN)
    facts.replaceChildren(
      ...factsOf(standing).flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]),
    )
  }

  /** @param {ToggleEvent} event */
  function close({ newState }) {
    if (newState !== 'closed') return
    stop()
    clearInterval(timer)
    panel.removeEventListener('toggle', close)
  }
}

/** @param {Standing} standing @returns {[string, string][]} */
function factsOf(standing) {
  const { transport, delay, latency, jitter, received, sent, replayed, lost, resent, waiting, reconnects, tabs } =
    standing
  const way = transport === null ? 'none: what you see stands still' : LEVELS[transport]
  const polling = delay === null ? ', held open' : `, every ${Math.round(delay / 1000)} s`
  const shared =
    tabs === undefined || tabs < 2
      ? 'this tab only'
      : `${tabs} tabs, ${standing.leads ? 'this one leads' : 'another leads'}`
  return [
    ['Way', transport === 'http' ? way + polling : way],
    ['Latency', latency === null ? '–' : `${inMs(latency)}${jitter === null ? '' : ` ± ${inMs(jitter)}`}`],
    ['In and out', `${inBytes(received)}, ${inBytes(sent)}`],
    ['Events', `${replayed} replayed, ${lost} lost`],
    ['Frames', `${waiting} waiting, ${resent} sent again`],
    ['Reconnects', String(reconnects)],
    ['Shared by', shared],
  ]
}
