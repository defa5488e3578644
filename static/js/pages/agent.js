// One agent: what it costs and does, a line to run on it, and its terminal.

import '../websocket.js'
import '../elements/agent-card.js'
import '../elements/agent-terminal.js'
import '../elements/log-console.js'
import '../elements/who-watches.js'
import { keepDraft } from '../elements/draft.js'
import { fill, pressed } from '../elements/fill.js'
import { client } from '../here.js'
import { EVENT, FRAME } from '../realtime/contract.js'

/** @import {AgentTerminal} from '../elements/agent-terminal.js' */
/** @import {LogConsole} from '../elements/log-console.js' */

const card = /** @type {HTMLElement} */ (document.querySelector('agent-card'))
const terminal = /** @type {AgentTerminal} */ (document.querySelector('agent-terminal'))
const log = /** @type {LogConsole} */ (document.querySelector('log-console'))
const { agent = '', topic = '' } = card.dataset
const feed = client.follow(topic)

for (const command of JSON.parse(document.getElementById('commands')?.textContent ?? '[]').reverse()) tell(command)

feed.on(EVENT.COMMAND_REQUEST, ({ data: { command_id: id, spec } }) => {
  tell({
    id,
    line: spec.shell || (spec.argv ?? []).join(' '),
    cols: spec.cols ?? 120,
    rows: spec.rows ?? 40,
    endedAt: '',
  })
})

feed.on(EVENT.COMMAND_STATE, ({ data, timestamp }) => {
  if (data.exit_code !== null || data.status === 'lost') terminal.ended(data.command_id, timestamp)
})

client.on(EVENT.AGENT_UPDATE, ({ data, timestamp }) => {
  if (data.agent_id !== agent) return
  fill(/** @type {Element} */ (document.querySelector('.head')), { status: data.status })
  showAway(data.status, timestamp)
})

const form = /** @type {HTMLFormElement | null} */ (document.querySelector('form[data-action="request"]'))
if (form) {
  const draft = keepDraft(form, topic)
  const line = /** @type {HTMLInputElement} */ (form.elements.namedItem('line'))
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const shell = line.value
    const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'))
    // What was typed stays until the server has it, and what was typed meanwhile stays too.
    const ack = await pressed(button, form, () => client.ask(FRAME.COMMAND_REQUEST, topic, { spec: { shell } }))
    if (!ack || line.value !== shell) return
    line.value = ''
    draft.forget()
  })
}

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('[data-view]'))) {
  button.addEventListener('click', () => showView(button.dataset.view ?? ''))
}

/** Which command the terminal and the lines are about. */
document.querySelector('[data-commands]')?.addEventListener('click', ({ target }) => {
  if (!(target instanceof Element) || target.closest('button')) return
  const row = /** @type {HTMLElement | null} */ (target.closest('[data-command]'))
  if (!row?.dataset.command) return
  terminal.showOnly(row.dataset.command)
  log.showOnly(row.dataset.command)
})

/** @param {import('../elements/agent-terminal.js').Shown} command */
function tell(command) {
  terminal.knows(command)
  log.name(command.id, command.line)
}

/** @param {string} view */
function showView(view) {
  terminal.hidden = view !== 'terminal'
  log.hidden = view !== 'lines'
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-view]'))) {
    button.ariaPressed = String(button.dataset.view === view)
  }
}

/** @param {string} status @param {string} at when it became so */
function showAway(status, at) {
  const note = /** @type {HTMLElement} */ (document.getElementById('away'))
  const seen = /** @type {HTMLElement} */ (document.getElementById('seen'))
  // Of who is there, the time would be old soon; of who went, it was the last of being there.
  if (status !== 'online' && note.hidden) {
    seen.querySelector('time-at')?.setAttribute('datetime', at)
    seen.hidden = false
  }
  note.hidden = status === 'online'
  if (note.hidden) seen.hidden = true
}
