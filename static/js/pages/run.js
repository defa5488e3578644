// One run: its stages and steps, the agents at work, and the live log.

import '../websocket.js'
import '../elements/log-console.js'
import { fill, flash, pressed, sayProblem } from '../elements/fill.js'
import { client, feeds } from '../here.js'
import { EVENT, FRAME } from '../realtime/contract.js'

const [feed] = feeds
const main = /** @type {HTMLElement} */ (document.getElementById('main'))
const head = /** @type {HTMLElement} */ (document.getElementById('run'))
const lanes = /** @type {HTMLElement} */ (document.getElementById('lanes'))
const cancel = /** @type {HTMLButtonElement | null} */ (head.querySelector('[data-action="cancel"]'))

cancel?.addEventListener('click', () => pressed(cancel, main, () => client.ask(FRAME.RUN_CANCEL, feed.topic)))

feed.on(EVENT.WORKFLOW_STAGE_UPDATE, ({ data }) => {
  const stage = /** @type {HTMLElement | null} */ (main.querySelector(`[data-stage="${data.index}"]`))
  if (!stage) return
  stage.dataset.status = data.status
  fill(/** @type {Element} */ (stage.querySelector('header')), { status: data.status })
})

feed.on(EVENT.AGENT_STATUS_UPDATE, ({ data }) => {
  const steps = /** @type {HTMLElement[]} */ ([...main.querySelectorAll('[data-step]')])
  const step = steps.find(({ dataset }) => dataset.step === data.step)
  if (!step) return
  step.dataset.agent = data.agent ?? ''
  fill(step, {
    status: data.status,
    exit: data.exit_code === null ? '' : `exit ${data.exit_code}`,
    tries: data.attempt > 1 ? `try ${data.attempt}` : '',
    error: data.error,
  })
  if (data.agent) fill(step, { agent: data.agent })
  setSpan(step.querySelector('time-span'), data.started_at, data.ended_at)
  flash(step)
  showLanes()
})

feed.on(EVENT.PROJECT_PROGRESS, ({ data }) => fill(main, { done: data.done }))

feed.on(EVENT.PROJECT_ERROR, ({ data }) => sayProblem(main, data.message))

feed.on(EVENT.PROJECT_COMPLETED, ({ data }) => {
  fill(head, { status: data.status })
  const bar = main.querySelector('progress')
  if (bar) bar.dataset.status = data.status
  setSpan(head.querySelector('time-span'), null, data.ended_at)
  if (cancel) cancel.hidden = true
})

/** Who works on it, and what each does now or did last: read from the steps, which are true already. */
function showLanes() {
  /** @type {Map<string, {step: string, status: string}>} */
  const busy = new Map()
  for (const step of /** @type {NodeListOf<HTMLElement>} */ (main.querySelectorAll('[data-step]'))) {
    const { agent = '', name = '' } = step.dataset
    const status = /** @type {HTMLElement | null} */ (step.querySelector('.badge'))?.dataset.status ?? ''
    if (agent && (status === 'running' || busy.get(agent)?.status !== 'running'))
      busy.set(agent, { step: name, status })
  }
  const rows = [...busy].sort(([a], [b]) => a.localeCompare(b))
  lanes.replaceChildren(...rows.map(([agent, { step, status }]) => lane(agent, step, status)))
}

/** @param {string} agent @param {string} step @param {string} status */
function lane(agent, step, status) {
  const row = document.createElement('div')
  row.className = 'lane'
  const badge = document.createElement('span')
  badge.className = 'badge'
  badge.dataset.status = status
  badge.textContent = agent
  const what = document.createElement('span')
  what.className = 'muted small'
  what.textContent = step
  row.append(badge, what)
  return row
}

/** @param {Element | null} span @param {string | null} from @param {string | null} to */
function setSpan(span, from, to) {
  if (from) span?.setAttribute('from', from)
  if (to) span?.setAttribute('to', to)
  else span?.removeAttribute('to')
}
