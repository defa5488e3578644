// Agents: who is there, what each does now, and a button to stop it. The same for all agents and for one.

import '../websocket.js'
import '../elements/log-console.js'
import { copyOf, fill, flash, pressed } from '../elements/fill.js'
import { client } from '../here.js'
import { EVENT, FRAME } from '../realtime/contract.js'

/** @import {LogConsole} from '../elements/log-console.js' */

const OPEN = ['queued', 'sent', 'running']

const terminal = /** @type {LogConsole | null} */ (document.querySelector('log-console'))
for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-command]'))) {
  terminal?.name(row.dataset.command ?? '', row.querySelector('[data-field="line"]')?.textContent ?? '')
}

for (const card of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-agent]'))) {
  const { topic = '' } = card.dataset
  const feed = client.follow(topic)
  const commands = /** @type {HTMLElement} */ (card.querySelector('[data-commands]'))

  feed.on(EVENT.COMMAND_REQUEST, ({ data }) => {
    const row = find(commands, data.command_id) ?? newRow(commands, data.command_id)
    const line = data.spec.shell || (data.spec.argv ?? []).join(' ')
    terminal?.name(data.command_id, line)
    fill(row, { line, status: 'sent' })
  })

  feed.on(EVENT.COMMAND_STATE, ({ data }) => {
    const row = find(commands, data.command_id)
    if (row) showState(row, data, commands.dataset.commands === 'open')
  })

  feed.on(EVENT.METRICS, ({ data }) => {
    const { cpu_percent: cpu, rss_bytes: bytes } = data.metrics
    fill(card, { metrics: `${Math.round(cpu)} % CPU, ${Math.round(bytes / 1048576)} MB` })
  })

  commands.addEventListener('click', ({ target }) => {
    const button = /** @type {HTMLElement} */ (target).closest('button')
    const row = /** @type {HTMLElement | null} */ (button?.closest('[data-command]'))
    if (!button || !row) return
    pressed(button, card, () => client.ask(FRAME.COMMAND_INTERRUPT, topic, { command_id: row.dataset.command }))
  })

  const form = /** @type {HTMLFormElement | null} */ (card.querySelector('form[data-action="request"]'))
  form?.addEventListener('submit', async (event) => {
    event.preventDefault()
    const shell = String(new FormData(form).get('line'))
    const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'))
    const ack = await pressed(button, form, () => client.ask(FRAME.COMMAND_REQUEST, topic, { spec: { shell } }))
    if (ack) form.reset()
  })
}

client.on(EVENT.AGENT_UPDATE, ({ data }) => {
  const card = document.querySelector(`[data-agent="${data.agent_id}"]`)
  if (!card && document.getElementById('agents')) return location.reload()
  if (!card) return
  fill(/** @type {Element} */ (card.firstElementChild), { status: data.status })
  fill(card, { busy: data.busy, slots: data.slots })
})

/** @param {Element} commands @param {string} id @returns {HTMLElement | null} */
function find(commands, id) {
  return commands.querySelector(`[data-command="${id}"]`)
}

/** @param {Element} commands @param {string} id */
function newRow(commands, id) {
  const row = copyOf('command-row')
  row.dataset.command = id
  commands.prepend(row)
  flash(row)
  return row
}

/** @param {HTMLElement} row @param {any} data @param {boolean} onlyOpen */
function showState(row, { status, exit_code, interrupt }, onlyOpen) {
  const isOpen = OPEN.includes(status)
  const button = row.querySelector('button')
  fill(row, { status, exit: exit_code === null ? (interrupt ? `interrupt ${interrupt}` : '') : `exit ${exit_code}` })
  if (button) button.hidden = !isOpen
  if (!isOpen && onlyOpen) row.remove()
}
