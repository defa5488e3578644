// The keyboard: `g` and a letter goes to a page, `/` to the page's filter, `?` shows what there is. Who speaks to the
// machine, or hits keys by accident, switches them off.

import { recall, remember } from '../memory.js'

const PLACES = /** @type {Record<string, string>} */ ({
  d: '/',
  p: '/projects/',
  t: '/tasks/',
  a: '/agents/',
  c: '/chat/',
})
const WAITS = 1500

const KEPT = 'shortcuts are off'

let goesUntil = 0

export function listenForShortcuts() {
  document.addEventListener('keydown', pressed)
  document.addEventListener('click', ({ target }) => {
    if (!(target instanceof Element) || !target.closest('[data-action="shortcuts"]')) return
    document.getElementById('menu')?.hidePopover()
    showShortcuts()
  })
  theSwitch().onchange = () => remember(KEPT, !theSwitch().checked)
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.key === 'Escape' && isWriting(event.target) && !event.defaultPrevented) {
    if (event.target instanceof HTMLElement) event.target.blur()
    return event.preventDefault()
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
  if (isWriting(event.target) || document.querySelector('dialog[open]') || recall(KEPT)) return

  const place = performance.now() < goesUntil ? PLACES[event.key] : undefined
  goesUntil = event.key === 'g' ? performance.now() + WAITS : 0
  if (place) location.assign(place)
  else if (event.key === '?') showShortcuts()
  else if (event.key === '/') focusField()
  else return
  event.preventDefault()
}

function showShortcuts() {
  const sheet = document.getElementById('shortcuts')
  theSwitch().checked = !recall(KEPT)
  if (sheet instanceof HTMLDialogElement) sheet.showModal()
}

function theSwitch() {
  return /** @type {HTMLInputElement} */ (document.getElementById('use-shortcuts'))
}

function focusField() {
  const fields = /** @type {NodeListOf<HTMLElement>} */ (
    document.querySelectorAll(
      '[data-filter], main input[type="search"], main textarea, main form input:not([type="hidden"])',
    )
  )
  const field = [...fields].find((field) => field.matches('[data-filter], [type="search"]')) ?? fields[0]
  field?.focus()
}

/** @param {EventTarget | null} target */
function isWriting(target) {
  return (
    target instanceof HTMLElement &&
    target.matches('input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable], .xterm *')
  )
}
