// One run: its timeline, the agents at work, its stages and steps, and the live log.

import '../websocket.js'
import '../elements/agent-card.js'
import '../elements/log-console.js'
import '../elements/run-tabs.js'
import '../elements/run-timeline.js'
import '../elements/run-timer.js'
import '../elements/who-watches.js'
import { inWords, serverNow, serverSaid } from '../clock.js'
import { fill, flash, pressed } from '../elements/fill.js'
import { livePart } from '../elements/live-part.js'
import { client, feeds } from '../here.js'
import { EVENT, FRAME } from '../realtime/contract.js'
import { RunStory } from '../runs/story.js'

/** @import {LogConsole} from '../elements/log-console.js' */
/** @import {RunTabs} from '../elements/run-tabs.js' */
/** @import {RunTimeline} from '../elements/run-timeline.js' */
/** @import {RunTimer} from '../elements/run-timer.js' */
/** @import {Step} from '../runs/story.js' */

const WAITS_LONG = 4000
const LOOKS_EVERY = 1000

const [feed] = feeds
const main = /** @type {HTMLElement} */ (document.getElementById('main'))
const head = /** @type {HTMLElement} */ (document.getElementById('run'))
const { state, tries, forecast } = JSON.parse(document.getElementById('told')?.textContent ?? '{}')
const story = new RunStory(state, tries)
const timeline = /** @type {RunTimeline} */ (main.querySelector('run-timeline'))
const timer = /** @type {RunTimer} */ (head.querySelector('run-timer'))
const tabs = /** @type {RunTabs} */ (main.querySelector('run-tabs'))
const log = /** @type {LogConsole} */ (main.querySelector('log-console'))
const agents = livePart(/** @type {HTMLElement} */ (document.getElementById('agents')), '?part=agents')
/** Agents whose cards are there or on their way. */
const known = new Set(
  [.../** @type {NodeListOf<HTMLElement>} */ (main.querySelectorAll('agent-card'))].map(({ dataset }) => dataset.agent),
)

for (const step of story.steps) log.name(step.key, step.name)
timeline.show(story, forecast)
timer.show(story, forecast)
showOutcome()
setInterval(look, LOOKS_EVERY)

for (const type of [
  EVENT.WORKFLOW_STAGE_UPDATE,
  EVENT.AGENT_STATUS_UPDATE,
  EVENT.PROJECT_PROGRESS,
  EVENT.PROJECT_ERROR,
  EVENT.PROJECT_COMPLETED,
]) {
  feed.on(type, (event) => {
    serverSaid(event.timestamp)
    if (story.apply(event)) showChange(event)
  })
}

act('cancel', (button) => pressed(button, main, () => client.ask(FRAME.RUN_CANCEL, feed.topic)))
act('again', async (button) => {
  const { project = '', team = '' } = head.dataset
  const ack = await pressed(button, main, () => client.ask(FRAME.RUN_START, team, { project_id: project }))
  if (ack) location.assign(`/runs/${ack.data.run_id}/${location.search}`)
})
act('show-error', () => story.error?.step && showStep(story.error.step))
main.addEventListener('show-step', (event) => showStep(/** @type {CustomEvent} */ (event).detail.step))
main.addEventListener('click', ({ target }) => {
  const button = /** @type {Element} */ (target).closest('[data-action="show-step"]')
  const step = /** @type {HTMLElement | null} */ (button?.closest('[data-step]') ?? null)
  if (step) showStep(step.dataset.step ?? '')
})

/** @param {string} action @param {(button: HTMLButtonElement) => void} work */
function act(action, work) {
  const button = /** @type {HTMLButtonElement | null} */ (main.querySelector(`[data-action="${action}"]`))
  button?.addEventListener('click', () => work(button))
}

/** @param {string} key */
function showStep(key) {
  log.showOnly(key)
  log.scrollIntoView({ block: 'nearest' })
}

/** @param {import('../realtime/types.d.ts').StoredEvent} event */
function showChange({ type, data }) {
  timeline.show(story)
  timer.show(story)
  if (type === EVENT.WORKFLOW_STAGE_UPDATE) showStage(data.index, data.status)
  if (type === EVENT.AGENT_STATUS_UPDATE) showStepState(data.step)
  fill(main, { done: story.done })
  showOutcome()
  look()
}

/** @param {number} index @param {string} status */
function showStage(index, status) {
  const stage = /** @type {HTMLElement | null} */ (main.querySelector(`[data-stage="${index}"]`))
  if (!stage) return
  stage.dataset.status = status
  fill(/** @type {Element} */ (stage.querySelector('header')), { status })
}

/** @param {string} key */
function showStepState(key) {
  const rows = /** @type {HTMLElement[]} */ ([...main.querySelectorAll('[data-step]')])
  const row = rows.find(({ dataset }) => dataset.step === key)
  const step = story.step(key)
  if (!row || !step) return
  const now = step.tries.at(-1)
  fill(row, {
    status: step.status,
    exit: step.exit_code === null ? '' : `exit ${step.exit_code}`,
    tries: step.attempt > 1 ? `try ${step.attempt}` : '',
    error: step.error,
  })
  if (step.agent) fill(row, { agent: step.agent })
  const span = row.querySelector('time-span')
  setOrNot(span, 'to', now?.ended_at)
  setOrNot(span, 'from', now?.started_at)
  flash(row)
  if (step.agent_id) showAgent(step.agent_id)
}

/** @param {Element | null} element @param {string} name @param {string | null | undefined} value */
function setOrNot(element, name, value) {
  if (value) element?.setAttribute(name, value)
  else element?.removeAttribute(name)
}

/** An agent that comes in while the run goes on gets a card too. @param {string} id */
function showAgent(id) {
  if (known.has(id)) return
  known.add(id)
  agents.renew()
}

/** How far it has come and how it ended, or that it will not end well, and a way on. */
function showOutcome() {
  const outcome = /** @type {HTMLElement} */ (document.getElementById('outcome'))
  outcome.dataset.status = story.isOver || !story.isGoingDown ? story.status : 'failed'
  fill(outcome, { outcome: outcomeInWords() })
  const show = /** @type {HTMLElement} */ (outcome.querySelector('[data-action="show-error"]'))
  show.hidden = !story.error?.step
  const bar = main.querySelector('progress')
  if (bar) bar.dataset.status = story.isGoingDown && !story.isOver ? 'failed' : story.status
  fill(head, { status: story.status })
  head.dataset.status = story.status
  for (const [action, isHidden] of /** @type {const} */ ([
    ['cancel', story.isOver || story.isGoingDown],
    ['again', !story.isOver],
  ])) {
    const button = /** @type {HTMLElement | null} */ (head.querySelector(`[data-action="${action}"]`))
    if (button) button.hidden = isHidden
  }
  log.toggleAttribute('data-over', story.isOver)
  tabs.note(story.id, story.status)
}

function outcomeInWords() {
  const took = story.endedAt ? ` in ${inWords((Date.parse(story.endedAt) - Date.parse(story.startedAt)) / 1000)}` : ''
  const steps = `${story.done} of ${story.total} steps`
  if (!story.isOver && !story.isGoingDown) return `${steps} done.`
  if (!story.isOver) return `${story.error?.message ?? ''} What runs comes to its end first; nothing new starts.`
  if (story.status === 'completed') return `Completed: ${steps}${took}.`
  return `${story.error?.message ?? (story.status === 'cancelled' ? 'The run was cancelled.' : 'The run failed.')} It ended after ${steps}${took}.`
}

/** What only time tells: that a step waits for somebody who isn't there. */
function look() {
  if (main.hasAttribute('data-stale')) return
  const place = /** @type {HTMLElement} */ (document.getElementById('waiting'))
  const words = story.isOver ? '' : waitingInWords()
  if (place.textContent !== words) place.textContent = words
  place.hidden = !words
}

function waitingInWords() {
  const long = story.steps.filter((step) => step.status === 'queued' && serverNow() - queuedSince(step) > WAITS_LONG)
  if (!long.length) return ''
  const [{ name, agent, label }] = long
  const whom = agent ? `the agent ${agent}` : label ? `a free agent with the label ${label}` : 'a free agent'
  return `${long.length > 1 ? `${long.length} steps wait, “${name}” among them,` : `“${name}” waits`} for ${whom}. It starts as soon as one is there.`
}

/** @param {Step} step */
function queuedSince({ since }) {
  return Date.parse(since ?? story.startedAt)
}
