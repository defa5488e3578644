// One task: how it stands, and what it prints.

import '../websocket.js'
import '../elements/log-console.js'
import { pressed } from '../elements/fill.js'
import { morph } from '../elements/morph.js'
import { client } from '../here.js'
import { EVENT, FRAME } from '../realtime/contract.js'

/** @import {LogConsole} from '../elements/log-console.js' */

const place = /** @type {HTMLElement} */ (document.getElementById('task'))
const { task = '', team = '' } = place.dataset

showTries()
client.on(EVENT.TASK_UPDATE, ({ data }) => data.task_id === task && renew())
place.addEventListener('click', ({ target }) => {
  const button = /** @type {HTMLButtonElement | null} */ (
    /** @type {Element} */ (target).closest('[data-action="cancel"]')
  )
  if (button) pressed(button, place, () => client.ask(FRAME.TASK_CANCEL, team, { task_id: task }))
})

async function renew() {
  const answer = await fetch('?part=task', { credentials: 'same-origin' }).catch(() => null)
  if (!answer?.ok || answer.redirected) return
  morph(place, await answer.text())
  showTries()
}

/** A terminal has the output of many commands; of these only the last try's. */
function showTries() {
  const output = /** @type {LogConsole | null} */ (place.querySelector('log-console'))
  const tries = (output?.dataset.only ?? '').split(' ').filter(Boolean)
  for (const [n, id] of tries.entries()) output?.name(id, `try ${n + 1}`)
  output?.showOnly?.(tries.at(-1) ?? '')
}
