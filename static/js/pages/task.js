// One task: how it stands, and what it prints.

import '../websocket.js'
import '../elements/log-console.js'
import { pressed } from '../elements/fill.js'
import { livePart } from '../elements/live-part.js'
import { client } from '../here.js'
import { EVENT, FRAME } from '../realtime/contract.js'

/** @import {LogConsole} from '../elements/log-console.js' */

const place = /** @type {HTMLElement} */ (document.getElementById('task'))
const { task = '', team = '' } = place.dataset

/** Which output shows which try. */
let shown = { output: /** @type {LogConsole | null} */ (null), last: '' }
const part = livePart(place, '?part=task', { shown: show })

show()
new ResizeObserver(showHeading).observe(/** @type {Element} */ (place.querySelector('h1')))
client.on(EVENT.TASK_UPDATE, ({ data }) => data.task_id === task && part.renew())
place.addEventListener('click', ({ target }) => {
  const button = /** @type {HTMLButtonElement | null} */ (
    /** @type {Element} */ (target).closest('[data-action="cancel"]')
  )
  if (/** @type {Element} */ (target).closest('[data-action="show-line"]')) {
    place.querySelector('h1 code')?.classList.toggle('whole')
    showHeading()
  }
  if (button) pressed(button, place, () => client.ask(FRAME.TASK_CANCEL, team, { task_id: task }))
})

function show() {
  showTries()
  showHeading()
}

/** A line of many lines is cut to some, and shown as a whole to who wants it. */
function showHeading() {
  const line = /** @type {Element} */ (place.querySelector('h1 code'))
  const button = /** @type {HTMLButtonElement} */ (place.querySelector('[data-action="show-line"]'))
  const isWhole = line.classList.contains('whole')
  button.hidden = !isWhole && line.scrollHeight <= line.clientHeight
  button.textContent = isWhole ? 'Show less' : 'Show all'
  button.ariaExpanded = String(isWhole)
}

/** A terminal has the output of many commands; of these only the last try's, or what somebody has chosen since. */
function showTries() {
  const output = /** @type {LogConsole | null} */ (place.querySelector('log-console'))
  const tries = (output?.dataset.only ?? '').split(' ').filter(Boolean)
  for (const [n, id] of tries.entries()) output?.name(id, `try ${n + 1}`)
  const last = tries.at(-1) ?? ''
  const isChosen = output === shown.output && (last === shown.last || output?.source !== shown.last)
  if (!isChosen) output?.showOnly?.(last)
  shown = { output, last }
}
