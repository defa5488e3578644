// What is worth a toast: how a team's tasks and runs end, what staff tells everybody or this person, and that something
// this person wrote was refused.

import { storageOf } from '../memory.js'
import { EVENT, FRAME } from '../realtime/contract.js'

/** @import {Memory} from '../memory.js' */
/** @import {Client} from '../realtime/client.js' */
/** @import {Feed} from '../realtime/feed.js' */
/** @import {Refused} from '../realtime/types.d.ts' */
/** @import {Level, Toast} from './toast-list.js' */

const MATTERS = { info: 'Note', success: 'Good news', warning: 'Warning', error: 'Problem' }

/** @param {Pick<Client, 'follow'>} client @param {string[]} topics @param {(toast: Toast) => void} tell @param {Memory} memory of this tab */
export function tellNews(client, topics, tell, memory = storageOf('session')) {
  for (const topic of topics) {
    const feed = client.follow(topic)
    for (const type of [EVENT.TASK_UPDATE, EVENT.RUN_UPDATE]) {
      feed.on(type, (event) => {
        // What a page was told late, because it had been away, is on the page already and no news.
        const words = feed.isReplay(event) ? null : newsOf(event, globalThis.location?.pathname)
        if (words) tell(words)
      })
    }
    for (const type of [EVENT.SYSTEM, EVENT.NOTIFICATION]) {
      feed.on(type, (event) => isUntold(feed, event, memory) && tell(noticeOf(event)))
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

/** Nothing else on a page says it, so it is told late too, and stays if it matters. @param {{type: string, data: any}} event @returns {Toast} */
export function noticeOf({ type, data }) {
  const { message, link } = data
  const level = /** @type {Level} */ (data.level)
  // Colour alone tells not everybody how much it matters.
  const words = `${MATTERS[level] ?? MATTERS.info} for ${type === EVENT.SYSTEM ? 'everybody' : 'you'}`
  const stays = level === 'warning' || level === 'error'
  return {
    level,
    words,
    detail: message,
    href: link ?? '',
    group: `${type} ${level} ${message}`,
    many: `${words} (%×)`,
    stays,
  }
}

/** The session itself shows it, with what one can do. @param {Refused} refused @param {string} path of the page that is told @returns {Toast | null} */
export function refusalOf({ type, topic, refusal }, path) {
  const session = topic?.replace('chat.', '') ?? ''
  if (type !== FRAME.MESSAGE || path.includes(session)) return null
  return {
    level: 'error',
    words: 'Your message was not sent',
    detail: refusal.message,
    href: `/chat/${session}/`,
    stays: true,
  }
}

/** A page that comes back from the history stands where it was left: this tab may have told it on another page since.
 * @param {Feed} feed @param {{seq: number}} event @param {Memory} memory */
function isUntold({ topic, epoch }, { seq }, memory) {
  const [toldEpoch, told] = (memory.getItem(`told ${topic}`) ?? ' ').split(' ')
  if (toldEpoch === epoch && seq <= Number(told)) return false
  memory.setItem(`told ${topic}`, `${epoch} ${seq}`)
  return true
}

/** @param {string} text */
function shortened(text) {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}
