// How the connection stands, in words: what is so, and what one can do about it.

import { Problem } from '../realtime/problem.js'

/** @import {Standing} from '../realtime/client.js' */

/** @typedef {{words: string, detail: string, reason: string, retry: boolean, wayOn: {words: string, href: string} | null}} Said */

/** @param {Standing} standing @param {boolean} [online] whether the device has a network at all @returns {Said} */
export function inWords(standing, online = true) {
  const { state, attempt, retryIn, refusal, waiting, replayed, lost } = standing
  const isDown = state === 'reconnecting' || state === 'offline'
  const code = isDown && !online ? 'network_lost' : (refusal?.code ?? '')
  const said = { words: wordsOf(standing, online), detail: '', reason: '', retry: false, wayOn: wayOn(state, code) }
  const details = []
  if (state === 'live') details.push('WebSocket', inMs(standing.latency))
  if (state === 'polling') details.push(inMs(standing.latency))
  if (state === 'reconnecting' && attempt) details.push(`try ${attempt + 1}`)
  if (state === 'offline') {
    details.push('no updates')
    if (retryIn !== null) details.push(`next try in ${Math.ceil(retryIn / 1000)} s`)
  }
  if (waiting) details.push(`${waiting} to be sent`)
  if (replayed || lost !== 0) details.push(inEvents(standing))
  said.detail = details.filter(Boolean).join(' · ')
  said.retry = state === 'offline' || (state === 'stopped' && said.wayOn === null)
  if (code && state !== 'live') said.reason = Problem.of(code === refusal?.code ? refusal : { code }).message
  return said
}

/** @param {Standing} standing @param {boolean} online */
function wordsOf({ state, delay, refusal }, online) {
  switch (state) {
    case 'live':
      return 'Live'
    case 'polling':
      return delay === null ? 'HTTP long polling' : `HTTP Polling (${Math.max(1, Math.round(delay / 1000))}s delay)`
    case 'reconnecting':
      return online ? 'Reconnecting…' : 'Offline: waiting for the network'
    case 'offline':
      return online ? 'Disconnected' : 'Offline: waiting for the network'
    case 'stopped':
      return Problem.of(refusal).message
    default:
      return 'Connecting…'
  }
}

/** @param {Standing['state']} state @param {string} code */
function wayOn(state, code) {
  if (state !== 'stopped') return null
  if (code === 'unauthenticated' || code === 'revoked')
    return { words: 'Log in', href: `/login/?next=${encodeURIComponent(location.pathname + location.search)}` }
  if (code === 'out_of_date') return { words: 'Reload', href: location.href }
  return null
}

/** @param {Standing} standing */
export function inEvents({ replayed, lost }) {
  return `${replayed} replayed, ${Number.isNaN(lost) ? 'nobody knows how many' : lost} lost`
}

/** @param {number | null} ms */
export function inMs(ms) {
  if (ms === null) return ''
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}

/** @param {number} bytes */
export function inBytes(bytes) {
  if (bytes < 1000) return `${bytes} B`
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}
