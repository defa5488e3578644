// Brings a part of the page to what the server has written anew. What is the same stays the same element: focus,
// selection and scrolling survive. Children with a `data-key` are found again by it, wherever they have moved.

import { flash } from './fill.js'

/** @param {Element} place @param {string} html what shall be inside it */
export function morph(place, html) {
  const wanted = /** @type {Element} */ (place.cloneNode(false))
  // Scripts in it don't run; the server has escaped what people wrote.
  wanted.innerHTML = html
  const focused = /** @type {HTMLElement | null} */ (document.activeElement)
  const hadFocus = place.contains(focused)
  children(place, wanted)
  if (!hadFocus || place.contains(document.activeElement)) return
  // What was moved has lost it, and what has gone leaves it to what was around it.
  if (!focused?.isConnected) place.setAttribute('tabindex', '-1')
  const next = /** @type {HTMLElement} */ (focused?.isConnected ? focused : place)
  next.focus({ preventScroll: true })
}

/** @param {Element} have @param {Element} want */
function children(have, want) {
  const wantedKeys = new Set(Array.from(want.children, keyOf))
  // What goes, goes first: what stays need not be moved around it.
  for (const child of [...have.children]) if (keyOf(child) && !wantedKeys.has(keyOf(child))) child.remove()
  const keyed = new Map(Array.from(have.children, (child) => [keyOf(child), child]))
  let at = have.firstChild
  for (const wanted of [...want.childNodes]) {
    const key = keyOf(wanted)
    const found = key ? keyed.get(key) : at && isAlike(at, wanted) ? at : undefined
    if (!found) {
      have.insertBefore(wanted, at)
      flashIfWanted(wanted)
    } else {
      if (found === at) at = at.nextSibling
      else have.insertBefore(found, at)
      one(found, wanted)
    }
  }
  while (at) {
    const next = at.nextSibling
    at.remove()
    at = next
  }
}

/** @param {ChildNode} have @param {ChildNode} want */
function one(have, want) {
  if (!(have instanceof Element) || !(want instanceof Element)) {
    if (have.nodeValue !== want.nodeValue) have.nodeValue = want.nodeValue
    return
  }
  // What went wrong with what one did is said by a script.
  if (have.getAttribute('role') === 'alert' && want.getAttribute('role') === 'alert') return
  for (const { name } of [...have.attributes]) {
    if (!want.hasAttribute(name) && !isOwn(name)) have.removeAttribute(name)
  }
  for (const { name, value } of want.attributes) {
    if (have.getAttribute(name) !== value && !isOwn(name)) have.setAttribute(name, value)
  }
  // What a custom element shows is its own business; it hears of its attributes.
  if (have.localName.includes('-')) return
  const before = have.textContent
  children(have, want)
  if (have.textContent !== before) flashIfWanted(have)
}

/** @param {Node} node */
function flashIfWanted(node) {
  if (node instanceof HTMLElement && 'flash' in node.dataset) flash(node)
}

/** @param {ChildNode} have @param {ChildNode} want */
function isAlike(have, want) {
  return have.nodeName === want.nodeName && !keyOf(have)
}

/** Set by scripts, and not the server's to take away. @param {string} name */
function isOwn(name) {
  return name === 'class' || name === 'style' || name === 'title' || name === 'disabled'
}

/** @param {Node} node */
function keyOf(node) {
  return node instanceof HTMLElement ? (node.dataset.key ?? '') : ''
}
