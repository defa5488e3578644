// How somebody likes logs to be shown, kept by the browser; and what of a log a page showed, kept by the tab.

/** @import {Address} from './tape.js' */

/** @typedef {{find: string, only: boolean, source: string, agent: string, level: string, kinds: string}} Filters */
/** @typedef {Address & {follows: boolean, hash: string, filters: Filters}} Place */
/** @typedef {{wrap: boolean, times: 'off' | 'relative' | 'absolute', kinds: 'printed' | 'all'}} Prefs */

const KEY = 'signalbox:log'
/** @type {Prefs} */
const AT_FIRST = { wrap: true, times: 'off', kinds: 'printed' }

/** @returns {Prefs} */
export function readPrefs() {
  return { ...AT_FIRST, ...parsed(keep(() => localStorage.getItem(KEY))) }
}

/** @param {Prefs} prefs */
export function writePrefs(prefs) {
  keep(() => localStorage.setItem(KEY, JSON.stringify(prefs)))
}

/** @param {string} log whose, and on which page @returns {Place | null} */
export function readPlace(log) {
  return parsed(keep(() => sessionStorage.getItem(`${KEY}:${log}`)))
}

/** @param {string} log @param {Place} place */
export function writePlace(log, place) {
  keep(() => sessionStorage.setItem(`${KEY}:${log}`, JSON.stringify(place)))
}

/** The address in `#L<seq>.<line>`. @param {string} hash @returns {Address | null} */
export function addressIn(hash) {
  const found = /^#L(\d{1,15})\.(\d{1,9})$/.exec(hash)
  return found ? { seq: Number(found[1]), n: Number(found[2]) } : null
}

/** A browser that keeps nothing is no reason not to show a log. @template T @param {() => T} work @returns {T | null} */
function keep(work) {
  try {
    return work()
  } catch {
    return null
  }
}

/** @param {string | null} text */
function parsed(text) {
  try {
    return text ? JSON.parse(text) : null
  } catch {
    return null
  }
}
