// What of a team's events is worth a toast: how tasks and runs end. What a page was told late, because it had been
// away, is on the page already and no news.

import { EVENT } from '../realtime/contract.js'

/** @import {Client} from '../realtime/client.js' */
/** @import {Toast} from './toast-list.js' */

/** @param {Pick<Client, 'follow'>} client @param {string[]} topics @param {(toast: Toast) => void} tell */
export function tellNews(client, topics, tell) {
  for (const topic of topics) {
    const feed = client.follow(topic)
    for (const type of [EVENT.TASK_UPDATE, EVENT.RUN_UPDATE]) {
      feed.on(type, (event) => {
        const words = feed.isReplay(event) ? null : newsOf(event, globalThis.location?.pathname)
        if (words) tell(words)
      })
    }
  }
}

/** @param {{type: string, data: any}} event @param {string} path of the page that shows it @returns {Toast | null} */
export function newsOf({ type, data }, path = '') {
  const level = data.status === 'completed' ? 'success' : data.status === 'failed' ? 'error' : null
  // A step of a run is the run's affair, and a page about a thing needs no note about it.
  if (!level || data.purpose || path.includes(data.run_id ?? data.task_id)) return null
  const group = (/** @type {string} */ what) => ({ group: `${what} ${data.status}`, many: `% ${what}s ${data.status}` })
  if (type === EVENT.RUN_UPDATE) {
    return { level, words: `Run ${data.status}`, detail: data.project, href: `/runs/${data.run_id}/`, ...group('run') }
  }
  const detail = data.exit_code ? `${data.query} · exit ${data.exit_code}` : data.query
  return {
    level,
    words: `Task ${data.status}`,
    detail: shortened(detail),
    href: `/tasks/${data.task_id}/`,
    ...group('task'),
  }
}

/** @param {string} text */
function shortened(text) {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}
