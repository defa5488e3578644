// Addresses in what people write, as links. Only text goes in, and only text and links to http(s) come out.

import { make } from '../elements/make.js'

const ADDRESS = /https?:\/\/[^\s<>"]+/gi
const OPENED_BY = /** @type {Record<string, string>} */ ({ ')': '(', ']': '[' })

/** @typedef {{text: string, href: string}} Piece `href` is empty where it is no link */

/** @param {string} text @returns {Piece[]} which have all of the text between them */
export function piecesOf(text) {
  /** @type {Piece[]} */
  const pieces = []
  let end = 0
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = withoutSentence(found)
    if (!URL.canParse(address)) continue
    if (index > end) pieces.push({ text: text.slice(end, index), href: '' })
    pieces.push({ text: address, href: new URL(address).href })
    end = index + address.length
  }
  if (end < text.length) pieces.push({ text: text.slice(end), href: '' })
  return pieces
}

/** @param {Element} place what people have written, as text */
export function link(place) {
  const pieces = piecesOf(place.textContent ?? '')
  if (!pieces.some(({ href }) => href)) return
  const made = pieces.map(({ text, href }) =>
    href ? make('a', { href, textContent: text, target: '_blank', rel: 'noopener noreferrer' }) : text,
  )
  place.replaceChildren(...made)
}

/** The stop that ends the sentence, or the bracket around it, is no part of an address. @param {string} address */
function withoutSentence(address) {
  let rest = address
  for (;;) {
    const last = rest.at(-1) ?? ''
    const opening = OPENED_BY[last]
    const isUnopened = opening !== undefined && rest.split(last).length > rest.split(opening).length
    if (!isUnopened && !/[.,;:!?'*_]$/.test(rest)) return rest
    rest = rest.slice(0, -1)
  }
}
