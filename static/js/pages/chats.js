// The list of chat sessions: open another, and see where something is said.

import '../websocket.js'
import { keepDraft } from '../elements/draft.js'
import { fill, flash, pressed } from '../elements/fill.js'
import { client } from '../here.js'
import { EVENT } from '../realtime/contract.js'

const form = /** @type {HTMLFormElement | null} */ (document.getElementById('open-session'))
const sessions = /** @type {HTMLElement} */ (document.getElementById('sessions'))

for (const row of /** @type {NodeListOf<HTMLElement>} */ (sessions.querySelectorAll('[data-topic]'))) {
  client.follow(row.dataset.topic ?? '').on(EVENT.MESSAGE, ({ timestamp, data }) => {
    fill(row, { author: `${data.author.name}:`, words: data.content.slice(0, 200), at: timestamp })
    order()
    flash(row)
  })
}
// Nothing moves under who goes through it with the keyboard; it does when they have left.
sessions.addEventListener('focusout', ({ relatedTarget }) => {
  if (!sessions.contains(/** @type {Node | null} */ (relatedTarget))) queueMicrotask(order)
})

if (form) {
  const draft = keepDraft(form, 'session')
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const given = Object.fromEntries(new FormData(form))
    given.title = String(given.title).trim()
    const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'))
    const session = await pressed(button, form, () => client.api.post('api/v1/chat/sessions/', given))
    if (!session) return
    draft.forget()
    location.assign(`/chat/${session.id}/`)
  })
}

/** The one in which something was said last is first. */
function order() {
  if (sessions.matches(':focus-within')) return
  const rows = [.../** @type {NodeListOf<HTMLElement>} */ (sessions.querySelectorAll('[data-session]'))]
  const sorted = rows.toSorted((a, b) => saidAt(b) - saidAt(a))
  if (sorted.some((row, n) => row !== rows[n])) sessions.append(...sorted)
}

/** @param {HTMLElement} row */
function saidAt(row) {
  return Date.parse(row.querySelector('[data-field="at"]')?.getAttribute('datetime') ?? '')
}
