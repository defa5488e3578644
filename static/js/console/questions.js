// What a server is asked, so that it says where in a log lies what the lens wants: more than that perhaps, never less.

import { KINDS, levelOf } from './pieces.js'

/** @import {Lens} from './lens.js' */

/** A filter of `GET /api/v1/events/`, as names and values. @typedef {[string, string][]} Question */

/** The questions whose answers together are all that is wanted; null: it would be nearly all there is. @param {Lens} lens @returns {Question[] | null} */
export function questionsOf(lens) {
  const { kinds, level, query } = lens
  const questions = []
  if (lens.hasPrinted) {
    const narrow = whereOf(lens)
    // What prints says no level when it has nothing special to say.
    if (level && level !== 'info') narrow.push(['where.level', level])
    if (!query.isEmpty && (lens.onlyHits || !lens.isSelective)) {
      for (const needle of query.needles) narrow.push(['match', needle])
    }
    if (!narrow.length) return null
    questions.push([...typed(KINDS.printed), ...narrow])
  }
  if (kinds !== 'printed') {
    // What they say is put into words here: the server can only find all of them.
    const types = [...KINDS[kinds === 'all' ? 'events' : kinds]].filter((type) => !level || level === levelOf(type))
    if (types.length) questions.push([...typed(types), ...whereOf(lens)])
  }
  return questions
}

/** @param {Lens} lens @returns {Question} */
function whereOf({ source, agent, stream }) {
  /** @type {Question} */
  const where = []
  if (source) where.push([`where.${stream}`, source])
  if (agent) where.push(['where.agent', agent])
  return where
}

/** @param {Iterable<string>} types @returns {Question} */
function typed(types) {
  return [...types].map((type) => ['type', type])
}
