// What a log is made of: each event of a topic as a piece of text that some source printed.

import { EVENT, STREAM } from '../realtime/contract.js'

/** @import {StoredEvent} from '../realtime/types.d.ts' */

/**
 * @typedef {object} Piece
 * @property {number} seq
 * @property {number} at milliseconds since 1970
 * @property {string} type
 * @property {string} source whose output it is: a step, a command; '' for the topic itself
 * @property {string} stage
 * @property {string} agent
 * @property {string} level
 * @property {string} text
 * @property {boolean} whole it consists of whole lines, and continues nothing
 * @property {boolean} fresh its source begins to print, or begins again
 */

/** Types whose text is a stream, cut anywhere. @type {Set<string>} */
const PRINTED = new Set(Object.keys(STREAM).map((name) => EVENT[/** @type {keyof typeof EVENT} */ (name)]))
/** All others. */
const UNPRINTED = new Set(Object.values(EVENT).filter((type) => !PRINTED.has(type)))

/** Which types one sees of each kind; `all` is not among them. @type {Record<string, Set<string>>} */
export const KINDS = {
  printed: PRINTED,
  events: UNPRINTED,
  run: new Set([EVENT.PROJECT_STARTED, EVENT.PROJECT_PROGRESS, EVENT.PROJECT_ERROR, EVENT.PROJECT_COMPLETED]),
  stages: new Set([EVENT.WORKFLOW_STAGE_UPDATE]),
  steps: new Set([EVENT.AGENT_STATUS_UPDATE]),
}

/** @param {StoredEvent} event @returns {Piece} */
export function pieceOf({ seq, timestamp, type, data }) {
  const hasText = isPrinted(type)
  const offset = hasText ? (data.offset ?? null) : null
  return {
    seq,
    at: Date.parse(timestamp),
    type,
    source: data.step ?? data.command_id ?? '',
    stage: data.stage ?? '',
    agent: data.agent ?? '',
    level: hasText ? (data.level ?? 'info') : levelOf(type),
    text: hasText ? data.text : inWords(type, data),
    whole: offset === null,
    fresh: offset === 0,
  }
}

/** @param {string} type */
export function isPrinted(type) {
  return PRINTED.has(type)
}

/** The level of an event that is no output. @param {string} type */
export function levelOf(type) {
  return type === EVENT.PROJECT_ERROR ? 'error' : 'event'
}

/** An event that is no output, as a line of a log. @param {string} type @param {any} data @returns {string} */
function inWords(type, data) {
  switch (type) {
    case EVENT.PROJECT_STARTED:
      return `${data.name} started by ${data.by}`
    case EVENT.WORKFLOW_STAGE_UPDATE:
      return `Stage ${data.stage}: ${data.status}`
    case EVENT.AGENT_STATUS_UPDATE: {
      const facts = [
        data.agent && `on ${data.agent}`,
        data.attempt > 1 && `try ${data.attempt}`,
        data.exit_code !== null && `exit ${data.exit_code}`,
        data.error,
      ].filter(Boolean)
      return `Step ${data.step}: ${data.status}${facts.length ? ` (${facts.join(', ')})` : ''}`
    }
    case EVENT.PROJECT_PROGRESS:
      return `${data.done} of ${data.total} steps done`
    case EVENT.PROJECT_COMPLETED:
      return `Run ${data.status} after ${data.seconds} s`
    case EVENT.PROJECT_ERROR:
      return data.message
    default:
      return type
  }
}
