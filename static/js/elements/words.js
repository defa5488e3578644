// How the connection stands, in words: what is so, and what one can do about it.

import { Problem } from '../realtime/problem.js'

/** @import {Standing} from '../realtime/client.js' */

/** @typedef {{words: string, detail: string, retry: boolean, wayOn: {words: string, href: string} | null}} Said */

/** @param {Standing} standing @param {boolean} [online] whether the device has a network at all @returns {Said} */
export function inWords(standing, online = true) {
  const { state, latency, attempt, retryIn, refusal, waiting, replayed, lost } = standing
  const said = { words: '', detail: '', retry: false, wayOn: /** @type {Said['wayOn']} */ (null) }
  const details = []
  switch (state) {
    case 'live':
      said.words = 'Live'
      if (latency !== null) details.push(`${latency < 10 ? latency.toFixed(1) : Math.round(latency)} ms`)
      break
    case 'polling':
      said.words = 'HTTP polling'
      if (latency !== null) details.push(`${Math.round(latency)} ms`)
      break
    case 'idle':
    case 'connecting':
      said.words = 'Connecting…'
      break
    case 'reconnecting':
      said.words = online ? 'Reconnecting…' : 'Offline: waiting for the network'
      if (attempt) details.push(`attempt ${attempt + 1}`)
      break
    case 'offline':
      said.words = online ? 'Disconnected' : 'Offline: waiting for the network'
      said.retry = true
      if (retryIn !== null) details.push(`next try in ${Math.ceil(retryIn / 1000)} s`)
      break
    case 'stopped':
      said.words = Problem.of(refusal).message
      said.wayOn = wayOn(refusal?.code)
      said.retry = said.wayOn === null
  }
  if (waiting) details.push(`${waiting} to be sent`)
  if (replayed || lost) details.push(`${replayed} replayed, ${lost} lost`)
  said.detail = details.join(' · ')
  return said
}

/** @param {string | undefined} code */
function wayOn(code) {
  if (code === 'unauthenticated' || code === 'revoked')
    return { words: 'Log in', href: `/login/?next=${encodeURIComponent(location.pathname)}` }
  if (code === 'out_of_date') return { words: 'Reload', href: location.href }
  return null
}
