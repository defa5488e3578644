// What every page behind the login has beside its content: the theme's switch, the keyboard, toasts, and a note when the
// page stands still.

import './elements/stale-note.js'
import { refusalOf, tellNews } from './elements/news.js'
import { listenForShortcuts } from './elements/shortcuts.js'
import { setTheme } from './elements/theme.js'
import { toast } from './elements/toast-list.js'
import { client } from './here.js'

document.getElementById('theme')?.addEventListener('change', ({ target }) => {
  setTheme(/** @type {HTMLInputElement} */ (target).value)
})
listenForShortcuts()

const { follow = '' } = /** @type {HTMLElement} */ (document.querySelector('toast-list')).dataset
tellNews(client, follow.split(' ').filter(Boolean), toast)
client.on('refused', ({ data }) => {
  const words = refusalOf(data, location.pathname)
  if (words) toast(words)
})
