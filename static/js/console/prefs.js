// How somebody likes logs to be shown, kept by the browser; and where in a log the page was, kept by the tab.

/** @import {Address} from './tape.js' */

/** @typedef {Address & {follows: boolean, hash: string}} Place */
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

/** @param {string} topic @returns {Place | null} */
export function readPlace(topic) {
  return parsed(keep(() => sessionStorage.getItem(`${KEY}:${topic}`)))
}

/** @param {string} topic @param {Place} place */
export function writePlace(topic, place) {
  keep(() => sessionStorage.setItem(`${KEY}:${topic}`, JSON.stringify(place)))
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
