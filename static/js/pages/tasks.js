// Tasks: hand one out, and see what becomes of them all.

import '../websocket.js'
import { keepDraft } from '../elements/draft.js'
import { copyOf, fill, flash, pressed, sayProblem } from '../elements/fill.js'
import { livePart } from '../elements/live-part.js'
import { make } from '../elements/make.js'
import { client } from '../here.js'
import { EVENT, FRAME } from '../realtime/contract.js'

const form = /** @type {HTMLFormElement | null} */ (document.getElementById('submit'))
const listed = /** @type {HTMLElement} */ (document.getElementById('listed'))
const rows = /** @type {HTMLElement} */ (document.getElementById('tasks'))
const filter = /** @type {HTMLInputElement} */ (document.getElementById('filter'))
const states = /** @type {HTMLElement} */ (document.getElementById('states'))
const { state = '' } = listed.dataset
const counts = livePart(states, `/tasks/?${new URLSearchParams({ part: 'states', ...(state && { state }) })}`)

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

client.on(EVENT.TASK_UPDATE, ({ topic, data }) => {
  counts.renew()
  const known = /** @type {HTMLElement | null} */ (rows.querySelector(`[data-task="${data.task_id}"]`))
  const isWanted = !state || state === data.status
  if (!known && !isWanted) return
  const row = known ?? newRow(data.task_id, topic)
  const isNews = /** @type {HTMLElement | null} */ (row.querySelector('.badge'))?.dataset.status !== data.status
  show(row, data)
  // It stays where it is while somebody is at it.
  if (!isWanted && !row.matches(':hover, :focus-within')) row.remove()
  if (isNews) flash(row)
  showMatching()
})

/** @param {HTMLElement} row @param {any} data */
function show(row, data) {
  const isOpen = data.status === 'queued' || data.status === 'running'
  fill(row, {
    ...data,
    link: `/tasks/${data.task_id}/`,
    author: `by ${data.author}`,
    exit: data.exit_code === null ? '' : `exit ${data.exit_code}`,
    tries: data.attempt > 1 ? `try ${data.attempt}` : '',
    cancelling: data.cancelling ? 'ending…' : '',
  })
  showWhom(/** @type {HTMLElement} */ (row.querySelector('[data-field="whom"]')), data)
  const span = /** @type {HTMLElement} */ (row.querySelector('time-span'))
  for (const [name, at] of [
    ['from', data.started_at],
    ['to', data.ended_at],
  ]) {
    if (at) span.setAttribute(name, at)
    else span.removeAttribute(name)
  }
  const button = row.querySelector('button')
  if (button) button.hidden = !isOpen || data.cancelling
}

/** As templates/components/whom.html does. @param {HTMLElement} place @param {any} data */
function showWhom(place, { agent, agent_id: id, label }) {
  const words = agent ?? (label ? `any with ${label}` : 'any agent')
  const link = place.querySelector('a')
  place.title = agent ?? ''
  if (!id) place.textContent = words
  else if (link?.pathname !== `/agents/${id}/` || link.textContent !== words) {
    place.replaceChildren(make('a', { href: `/agents/${id}/`, textContent: words }))
  }
}

/** @param {string} id @param {string} topic */
function newRow(id, topic) {
  const row = copyOf('task-row')
  row.dataset.task = id
  row.dataset.team = topic
  rows.prepend(row)
  return row
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
