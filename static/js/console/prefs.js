// How somebody likes logs to be shown, kept by the browser; and what of a log a page showed, kept by the tab.

import { recall, remember, storageOf } from '../memory.js'

/** @import {Address} from './tape.js' */

/** @typedef {{find: string, only: boolean, source: string, agent: string, level: string, kinds: string}} Filters */
/** @typedef {Address & {follows: boolean, hash: string, filters: Filters}} Place */
/** @typedef {{wrap: boolean, times: 'off' | 'relative' | 'absolute', kinds: 'printed' | 'all'}} Prefs */

const KEY = 'signalbox:log'
/** @type {Prefs} */
const AT_FIRST = { wrap: true, times: 'off', kinds: 'printed' }

/** @returns {Prefs} */
export function readPrefs() {
  return { ...AT_FIRST, ...recall(KEY) }
}

/** @param {Prefs} prefs */
export function writePrefs(prefs) {
  remember(KEY, prefs)
}

/** @param {string} log whose, and on which page @returns {Place | null} */
export function readPlace(log) {
  return recall(`${KEY}:${log}`, storageOf('session'))
}

/** @param {string} log @param {Place} place */
export function writePlace(log, place) {
  remember(`${KEY}:${log}`, place, storageOf('session'))
}

/** The address in `#L<seq>.<line>`. @param {string} hash @returns {Address | null} */
export function addressIn(hash) {
  const found = /^#L(\d{1,15})\.(\d{1,9})$/.exec(hash)
  return found ? { seq: Number(found[1]), n: Number(found[2]) } : null
}
