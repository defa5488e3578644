// The log of a run in a dialog, with its time and its agents: the run's page is fetched, and its parts are shown here.
// Opening follows the run and its agents; closing lets go of them.

import { serverSaid } from '../clock.js'
import { client } from '../here.js'
import { EVENT } from '../realtime/contract.js'
import { RunStory } from '../runs/story.js'
import './agent-card.js'
import { fill } from './fill.js'
import './log-console.js'
import { make } from './make.js'
import './run-timer.js'

/** @import {LogConsole} from './log-console.js' */
/** @import {RunTimer} from './run-timer.js' */

const TOLD_BY = [
  EVENT.WORKFLOW_STAGE_UPDATE,
  EVENT.AGENT_STATUS_UPDATE,
  EVENT.PROJECT_PROGRESS,
  EVENT.PROJECT_ERROR,
  EVENT.PROJECT_COMPLETED,
]

/** Open it. @param {string} href the run's page @param {string} title */
export async function showLogs(href, title) {
  const dialog = make('dialog', { className: 'logs', ariaLabel: `Log of ${title}` })
  const close = make('button', { type: 'button', className: 'quiet small', textContent: 'Close', title: 'Close (Esc)' })
  const heading = make('h2', {}, make('a', { href, textContent: title }))
  const badge = make('span', { className: 'badge' })
  const timer = /** @type {RunTimer} */ (document.createElement('run-timer'))
  badge.dataset.field = badge.dataset.status = 'status'
  const state = make('p', { className: 'empty', role: 'status', textContent: 'Loading the run…' })
  dialog.append(make('header', {}, heading, badge, timer, close), state)
  document.body.append(dialog)
  close.onclick = () => dialog.close()
  let isPressed = false
  dialog.onpointerdown = ({ target }) => {
    isPressed = target === dialog
  }
  // A selection that ends beside the dialog is a click on it, too.
  dialog.onclick = ({ target }) => isPressed && target === dialog && dialog.close()
  const life = new AbortController()
  dialog.onclose = () => {
    life.abort()
    dialog.remove()
  }
  dialog.showModal()
  try {
    await fillIn(dialog, href, life.signal)
    state.remove()
  } catch (error) {
    if (life.signal.aborted) return
    state.textContent = `The run could not be loaded. ${error instanceof Error ? error.message : ''} `
    state.append(make('a', { href, textContent: 'Open its page' }))
  }
}

/** @param {HTMLDialogElement} dialog @param {string} href @param {AbortSignal} signal */
async function fillIn(dialog, href, signal) {
  const answer = await fetch(href, { signal, headers: { Accept: 'text/html' } })
  if (!answer.ok)
    throw new Error(answer.status === 404 ? 'It does not exist any more.' : `The server said ${answer.status}.`)
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const told = JSON.parse(page.getElementById('told')?.textContent ?? 'null')
  const followed = /** @type {HTMLElement | null} */ (page.querySelector('main [data-topic], main[data-topic]'))
  if (!told || !followed) throw new Error('It needs a login.')

  const { topic = '', epoch, seq = '0' } = followed.dataset
  const story = new RunStory(told.state, told.tries)
  const feed = client.follow(topic, { epoch: epoch || null, seq: Number(seq) })
  const timer = /** @type {RunTimer} */ (dialog.querySelector('run-timer'))
  const show = () => {
    timer.show(story, told.forecast)
    fill(dialog.firstElementChild ?? dialog, { status: story.status })
  }
  show()
  const stops = TOLD_BY.map((type) =>
    feed.on(type, (event) => {
      serverSaid(event.timestamp)
      if (!story.apply(event)) return
      show()
      log.toggleAttribute('data-over', story.isOver)
    }),
  )

  const log = /** @type {LogConsole} */ (document.createElement('log-console'))
  Object.assign(log.dataset, { feed: topic, until: seq, link: href })
  log.toggleAttribute('data-over', story.isOver)
  for (const step of story.steps) log.name(step.key, step.name)
  const agents = make('aside', { className: 'stack', ariaLabel: 'Agents' })
  for (const card of page.querySelectorAll('#agents agent-card')) agents.append(document.importNode(card, true))
  const templates = [...page.querySelectorAll('template')].filter(({ id }) => !document.getElementById(id))
  dialog.append(
    make('div', { className: 'parts' }, log, agents),
    ...templates.map((one) => document.importNode(one, true)),
  )
  log.focusLines()

  signal.addEventListener('abort', () => {
    for (const stop of stops) stop()
    const topics = [.../** @type {NodeListOf<HTMLElement>} */ (agents.querySelectorAll('[data-topic]'))].map(
      ({ dataset }) => dataset.topic ?? '',
    )
    // The elements let go of their feeds when the dialog has left the document.
    queueMicrotask(() => {
      for (const one of [topic, ...topics]) client.unfollow(one)
    })
  })
}
