// What the panel of <connection-status> shows while it is open: how good the network is, and what it has cost.

import { client } from '../here.js'
import { make } from './make.js'
import './spark-line.js'
import { inBytes, inEvents, inMs, inWords } from './words.js'

/** @import {Standing} from '../realtime/client.js' */
/** @import {SparkLine} from './spark-line.js' */

const MEASURED_EVERY = 2000
const SHOWN = 45
const FLOOR_MS = 20

const LEVELS = { websocket: 'WebSocket', http: 'HTTP polling' }

/** What was measured since the page was loaded, newest last. @type {{latency: number[], jitter: number[]}} */
const measured = { latency: [], jitter: [] }
/** @type {number | null} */
let last = null
client.watch(({ latency, jitter }) => {
  if (latency === null || latency === last) return
  last = latency
  measured.latency.push(latency)
  measured.jitter.push(jitter ?? 0)
  for (const values of Object.values(measured)) values.splice(0, values.length - SHOWN)
})

/** Fill an open panel, and keep it true until it is closed. @param {HTMLElement} panel */
export function showQuality(panel) {
  const reason = make('p', { className: 'reason' })
  const latency = graphOf('Latency')
  const jitter = graphOf('Jitter')
  const facts = make('dl', {})
  const graphs = make('div', { className: 'graphs' }, latency.figure, jitter.figure)
  panel.replaceChildren(make('h2', {}, 'Connection'), reason, graphs, facts)

  const stop = client.watch(() => show())
  const timer = setInterval(() => client.measure(), MEASURED_EVERY)
  client.measure()
  panel.addEventListener('toggle', close)

  function show() {
    const { standing } = client
    reason.textContent = inWords(standing, navigator.onLine).reason
    latency.show(measured.latency, standing.latency)
    jitter.show(measured.jitter, standing.jitter)
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

/** @param {string} name */
function graphOf(name) {
  const line = /** @type {SparkLine} */ (document.createElement('spark-line'))
  const value = make('b', {}, '–')
  return {
    figure: make('figure', {}, make('figcaption', {}, `${name} `, value), line),
    /** @param {number[]} values @param {number | null} now */
    show(values, now) {
      value.textContent = now === null ? '–' : inMs(now)
      line.show(values, FLOOR_MS, SHOWN)
    },
  }
}

/** @param {Standing} standing @returns {[string, string][]} */
function factsOf(standing) {
  const { transport, delay, received, sent, resent, waiting, reconnects, tabs } = standing
  const way = transport === null ? 'none: what you see stands still' : LEVELS[transport]
  const polling = delay === null ? ', held open' : `, every ${Math.round(delay / 1000)} s`
  const shared =
    tabs === undefined || tabs < 2
      ? 'this tab only'
      : `${tabs} tabs, ${standing.leads ? 'this one leads' : 'another leads'}`
  return [
    ['Way', transport === 'http' ? way + polling : way],
    ['In and out', `${inBytes(received)}, ${inBytes(sent)}`],
    ['Events', inEvents(standing)],
    ['Frames', `${waiting} waiting, ${resent} sent again`],
    ['Reconnects', String(reconnects)],
    ['Shared by', shared],
  ]
}
