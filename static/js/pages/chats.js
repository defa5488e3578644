// The list of chat sessions: open another.

import '../websocket.js'
import { pressed } from '../elements/fill.js'
import { client } from '../here.js'

const form = /** @type {HTMLFormElement | null} */ (document.getElementById('open-session'))

form?.addEventListener('submit', async (event) => {
  event.preventDefault()
  const given = Object.fromEntries(new FormData(form))
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'))
  const session = await pressed(button, form, () => client.api.post('api/v1/chat/sessions/', given))
  if (session) location.assign(`/chat/${session.id}/`)
})
