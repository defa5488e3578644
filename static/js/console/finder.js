// Asks the server where in a topic's log lies what is looked for.

import { Problem } from '../realtime/problem.js'

/** @import {Api} from '../realtime/api.js' */
/** @import {FindPlaces} from './search.js' */

const WAIT = 1

/** @param {Api} api @param {() => string} topicOf @returns {FindPlaces} */
export function finder(api, topicOf) {
  return async (after, question, signal) => {
    const query = new URLSearchParams([['topic', topicOf()], ['after', String(after)], ['places', '1'], ...question])
    for (;;) {
      try {
        return await api.get(`api/v1/events/?${query}`, { signal })
      } catch (problem) {
        // Who types quickly asks often: the answer comes a moment later.
        if (!(problem instanceof Problem) || problem.code !== 'too_fast') throw problem
        await new Promise((resolve) => setTimeout(resolve, (problem.retryAfter ?? WAIT) * 1000))
        signal.throwIfAborted()
      }
    }
  }
}
