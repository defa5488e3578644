// What of a line lies right of the columns that are shown: how to see more of it, and where in all of it lies what is
// looked for.

import { cellsOf } from '../text/width.js'

/** @import {Lens} from './lens.js' */
/** @import {Address, Tape} from './tape.js' */

/** The columns in which what is looked for lies first. @param {Tape} tape @param {Lens} lens @param {Address} address @returns {{from: number, to: number} | null} */
export function hitIn(tape, lens, { seq, n }) {
  const index = tape.pageOf(seq)
  const page = tape.page(index)
  const text = page ? tape.lines.text(index, page.find(seq, n)) : ''
  const place = lens.query.firstIn(text)
  return place && { from: cellsOf(text.slice(0, place[0])), to: cellsOf(text.slice(0, place[1])) }
}

/** Show more of a line that is too long: up to what is looked for, if that lies further on. @param {Tape} tape @param {Lens} lens @param {Address} address */
export function reveal(tape, lens, address) {
  lens.reveal(address, hitIn(tape, lens, address)?.to)
  tape.renew(tape.pageOf(address.seq))
}

/** Is what is looked for in a line that was found not among the columns shown? @param {Tape} tape @param {Lens} lens @param {Address} address */
export function isHitHidden(tape, lens, address) {
  return (hitIn(tape, lens, address)?.to ?? 0) > lens.most(address)
}
