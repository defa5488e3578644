// The client of this page. The server has written into the page who looks at it, and up to which event of each topic the
// page is true; from there on it is kept true. On a page of another origin `globalThis.signalbox = { token }` says who.

import { serverSaid } from './clock.js'
import { Client } from './realtime/client.js'
import { Feed } from './realtime/feed.js'

const server = new URL('../../', import.meta.url)
const isOurs = server.origin === location.origin
const said = document.body.dataset
const { token = null, ...options } = /** @type {any} */ (globalThis).signalbox ?? {}

/** Whether agents and their terminals are watched live; else they are as the page was written. */
export const watchesAgents = said.agentMonitoring !== 'off'

class PageClient extends Client {
  /** @type {Client['follow']} */
  follow(topic, cursor = { epoch: null, seq: null }) {
    const isOff = !watchesAgents && /^(agent|terminal)\./.test(topic)
    return isOff ? new Feed(topic, cursor) : super.follow(topic, cursor)
  }
}

export const client = new PageClient({
  base: isOurs ? '/' : server.href,
  socketUrl: said.socketUrl || undefined,
  user: said.user,
  shared: said.user && said.session && `${said.user} ${said.session}`,
  csrf: said.csrf,
  token,
  transport: /** @type {'auto' | 'socket' | 'poll' | undefined} */ (said.transport),
  isVisible: () => document.visibilityState === 'visible',
  settings: {
    reconnectMs: Number(said.reconnectMs) || undefined,
    attempts: Number(said.attempts) || undefined,
    queue: Number(said.queue) || undefined,
  },
  ...options,
})

client.watch(({ serverTime }) => serverSaid(serverTime))

/** The topics that the page was written with. */
export const feeds = Array.from(document.querySelectorAll('[data-topic]'), followFrom)

/** Follow the topic that an element names, from the cursor that it was written with. @param {Element} element */
export function followFrom(element) {
  const { topic = '', epoch, seq } = /** @type {HTMLElement} */ (element).dataset
  return client.follow(topic, { epoch: epoch || null, seq: seq ? Number(seq) : null })
}
