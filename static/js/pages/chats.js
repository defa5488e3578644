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
    if (sessions.firstElementChild !== row && !sessions.matches(':focus-within')) sessions.prepend(row)
    flash(row)
  })
}

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
