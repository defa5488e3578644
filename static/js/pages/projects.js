// Projects: cards with their latest run, or one project with all of its runs.

import '../websocket.js'
import '../elements/run-timer.js'
import { fill, pressed } from '../elements/fill.js'
import { livePart } from '../elements/live-part.js'
import { showLogs } from '../elements/log-dialog.js'
import { client } from '../here.js'
import { EVENT, FRAME } from '../realtime/contract.js'

for (const button of document.querySelectorAll('[data-action="run"]')) {
  const place = /** @type {HTMLElement} */ (button.closest('[data-project]'))
  button.addEventListener('click', () => run(/** @type {HTMLButtonElement} */ (button), place))
}

for (const button of document.querySelectorAll('[data-action="logs"]')) {
  const card = /** @type {HTMLElement} */ (button.closest('[data-project]'))
  const latest = /** @type {HTMLAnchorElement} */ (card.querySelector('[data-field="link"]'))
  button.addEventListener('click', () => showLogs(latest.pathname, card.querySelector('h2')?.textContent ?? 'a run'))
}

const list = /** @type {HTMLElement | null} */ (document.querySelector('[data-runs]'))
const runs = list && livePart(list, '?part=runs', { shown: () => showNone(list) })

client.on(EVENT.RUN_UPDATE, ({ data }) => {
  showOnCard(data)
  if (data.project_id === list?.dataset.runs) runs?.renew()
})

/** @param {HTMLButtonElement} button @param {HTMLElement} place */
async function run(button, place) {
  const { project = '', team = '' } = place.dataset
  const ack = await pressed(button, place, () => client.ask(FRAME.RUN_START, team, { project_id: project }))
  if (ack) location.assign(`/runs/${ack.data.run_id}/`)
}

/** @param {any} data */
function showOnCard(data) {
  const card = document.querySelector(`.card[data-project="${data.project_id}"]`)
  const latest = /** @type {HTMLElement | null} */ (card?.querySelector('[data-latest]'))
  if (!card || !latest) return
  // An older run that goes on beside a newer one is not the latest.
  const shown = Date.parse(latest.querySelector('time-at')?.getAttribute('datetime') ?? '')
  if (shown > Date.parse(data.started_at)) return

  const timer = /** @type {HTMLElement | null} */ (card.querySelector('run-timer'))
  if (timer) Object.assign(timer.dataset, { from: data.started_at, to: data.ended_at ?? '' })
  latest.hidden = false
  card.querySelector('[data-action="logs"]')?.removeAttribute('hidden')
  latest.dataset.status = data.status
  fill(card, {
    status: data.status,
    percent: data.total ? (100 * data.done) / data.total : 100,
    link: `/runs/${data.run_id}/`,
    started_at: data.started_at,
  })
}

/** @param {HTMLElement} list */
function showNone(list) {
  document.querySelector('.empty')?.toggleAttribute('hidden', list.childElementCount > 0)
}
