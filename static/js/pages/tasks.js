// Tasks: hand one out, and see what becomes of them all.

import '../websocket.js'
import { copyOf, fill, flash, pressed } from '../elements/fill.js'
import { client } from '../here.js'
import { EVENT, FRAME } from '../realtime/contract.js'

const form = /** @type {HTMLFormElement | null} */ (document.getElementById('submit'))
const rows = /** @type {HTMLElement} */ (document.getElementById('tasks'))

form?.addEventListener('submit', async (event) => {
  event.preventDefault()
  const { query, retries, agent, label, team } = wishes(form)
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'))
  const task = { query, retries, ...(agent && { agent }), ...(label && { label }) }
  // What was typed stays until the server has it.
  if (await pressed(button, form, () => client.ask(FRAME.TASK_SUBMIT, team, task))) form.reset()
})

rows.addEventListener('click', ({ target }) => {
  const button = /** @type {HTMLElement} */ (target).closest('button')
  const row = /** @type {HTMLElement | null} */ (button?.closest('[data-task]'))
  if (!button || !row) return
  const { task = '', team = '' } = row.dataset
  pressed(button, row, () => client.ask(FRAME.TASK_CANCEL, team, { task_id: task }))
})

client.on(EVENT.TASK_UPDATE, ({ topic, data }) => {
  const row =
    /** @type {HTMLElement | null} */ (rows.querySelector(`[data-task="${data.task_id}"]`)) ??
    newRow(data.task_id, topic)
  fill(row, { ...data, agent: data.agent ?? data.label, attempt: data.attempt || '' })
  const isOpen = data.status === 'queued' || data.status === 'running'
  const button = row.querySelector('button')
  if (button) button.hidden = !isOpen || data.cancelling
  if (!isOpen) flash(row)
})

/** @param {string} id @param {string} topic */
function newRow(id, topic) {
  const row = copyOf('task-row')
  row.dataset.task = id
  row.dataset.team = topic
  rows.prepend(row)
  document.getElementById('no-tasks')?.setAttribute('hidden', '')
  return row
}

/** @param {HTMLFormElement} form */
function wishes(form) {
  const given = new FormData(form)
  const [kind, name = ''] = String(given.get('who')).split(/:(.*)/s)
  return {
    query: String(given.get('query')),
    retries: Number(given.get('retries')) || 0,
    agent: kind === 'agent' ? name : '',
    label: kind === 'label' ? name : '',
    team: String(given.get('team') ?? form.dataset.team),
  }
}
