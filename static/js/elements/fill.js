// Markup is written once, in the templates. Scripts copy it from there, and write into the parts that are named by
// `data-field`.

import { stateInWords } from './states.js'

/** @param {Element} root @param {Record<string, unknown>} values */
export function fill(root, values) {
  for (const [name, value] of Object.entries(values)) {
    for (const part of root.querySelectorAll(`[data-field="${name}"]`)) write(/** @type {HTMLElement} */ (part), value)
  }
}

/** A copy of the one element in `<template id="…">`. @param {string} id @returns {HTMLElement} */
export function copyOf(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id))
  return /** @type {HTMLElement} */ (/** @type {Element} */ (template.content.firstElementChild).cloneNode(true))
}

/** Say next to a thing what went wrong with it; an empty text takes it back. @param {Element} place @param {string} words */
export function sayProblem(place, words) {
  const problem = /** @type {HTMLElement | null} */ (
    place.querySelector('.problem') ?? document.getElementById('problem')
  )
  if (!problem) return
  problem.textContent = words
  problem.hidden = !words
}

/** Do what a button asks for; meanwhile it can't be pressed again, and what goes wrong is said next to it. @param {HTMLButtonElement} button @param {Element} place @param {() => Promise<any>} work @returns {Promise<any>} */
export async function pressed(button, place, work) {
  const hadFocus = button === document.activeElement
  button.disabled = true
  sayProblem(place, '')
  try {
    return await work()
  } catch (error) {
    sayProblem(place, error instanceof Error ? error.message : String(error))
    return null
  } finally {
    button.disabled = false
    // Browsers take the focus from what can't be pressed.
    if (hadFocus && document.activeElement === document.body) button.focus({ preventScroll: true })
  }
}

/** Let a change be seen. @param {Element} element */
export function flash(element) {
  element.classList.remove('changed')
  requestAnimationFrame(() => element.classList.add('changed'))
}

/** @param {HTMLElement} part @param {unknown} value */
function write(part, value) {
  const text = value === null || value === undefined ? '' : String(value)
  if (part instanceof HTMLProgressElement) part.value = Number(value)
  else if (part instanceof HTMLAnchorElement && text.startsWith('/')) part.href = text
  else if (part.localName === 'time-at') part.setAttribute('datetime', text)
  else {
    const isState = 'status' in part.dataset
    const words = isState ? stateInWords(text) : text
    if (part.textContent !== words) part.textContent = words
    if (isState) part.dataset.status = text
  }
}
