// Tasks: hand one out, and see what becomes of them all.

import '../websocket.js'
import { keepDraft } from '../elements/draft.js'
import { pressed, sayProblem } from '../elements/fill.js'
import { livePart } from '../elements/live-part.js'
import { client } from '../here.js'
import { EVENT, FRAME } from '../realtime/contract.js'

const form = /** @type {HTMLFormElement | null} */ (document.getElementById('submit'))
const listed = /** @type {HTMLElement} */ (document.getElementById('listed'))
const rows = /** @type {HTMLElement} */ (document.getElementById('tasks'))
const filter = /** @type {HTMLInputElement} */ (document.getElementById('filter'))
const states = /** @type {HTMLElement} */ (document.getElementById('states'))
const { state = '' } = listed.dataset
const counts = livePart(states, addressOf('states'))
const list = livePart(rows, addressOf('list'), { shown: showMatching })

if (form) {
  const draft = keepDraft(form, 'task')
  const query = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem('query'))
  query.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    form.requestSubmit()
  })
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const { team, ...task } = wishes(form)
    if (!task.query.trim()) return sayProblem(form, 'Write what should be done.')
    const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'))
    // What was typed stays until the server has it, and whom it is for beyond that.
    if (!(await pressed(button, form, () => client.ask(FRAME.TASK_SUBMIT, team, task)))) return
    if (query.value !== task.query) return
    query.value = ''
    draft.forget()
  })
}

rows.addEventListener('click', ({ target }) => {
  const button = /** @type {HTMLElement} */ (target).closest('button')
  const row = /** @type {HTMLElement | null} */ (button?.closest('[data-task]'))
  if (!button || !row) return
  const { task = '', team = '' } = row.dataset
  pressed(button, row, () => client.ask(FRAME.TASK_CANCEL, team, { task_id: task }))
})

filter.addEventListener('input', showMatching)
document.querySelector('[data-action="clear"]')?.addEventListener('click', () => {
  filter.value = ''
  showMatching()
  filter.focus()
})

client.on(EVENT.TASK_UPDATE, () => {
  counts.renew()
  list.renew()
})

/** @param {string} part of this page */
function addressOf(part) {
  return `/tasks/?${new URLSearchParams({ part, ...(state && { state }) })}`
}

/** Only rows that have all the words. */
function showMatching() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean)
  let shown = 0
  for (const row of /** @type {HTMLCollectionOf<HTMLElement>} */ (rows.children)) {
    const text = row.textContent?.toLowerCase() ?? ''
    row.hidden = !words.every((word) => text.includes(word))
    if (!row.hidden) shown += 1
  }
  const isEmpty = rows.children.length === 0
  document.getElementById('no-tasks')?.toggleAttribute('hidden', !isEmpty)
  document.getElementById('no-match')?.toggleAttribute('hidden', isEmpty || shown > 0)
}

/** @param {HTMLFormElement} form */
function wishes(form) {
  const given = new FormData(form)
  const [kind, name = ''] = String(given.get('who')).split(/:(.*)/s)
  return {
    query: String(given.get('query')),
    retries: Number(given.get('retries')) || 0,
    ...(kind === 'agent' && { agent: name }),
    ...(kind === 'label' && { label: name }),
    team: String(given.get('team') ?? form.dataset.team),
  }
}
