// What a page holds: topics to follow, frames to send, and how it stands. It doesn't know which way the frames go.
//
//     const client = new Client({ user: '3', csrf })
//     const feed = client.follow('run.…', { epoch, seq })
//     feed.on('workflow_log', (event) => …)
//     await client.send('message', 'chat.…', { content: 'Hello' })
//     client.start()

import { socketUrl as socketUrlOf } from './address.js'
import { Api } from './api.js'
import { Connection } from './connection.js'
import { CONTROL, LIMITS } from './contract.js'
import { Feed } from './feed.js'
import { Gaps } from './gaps.js'
import { newId } from './ids.js'
import { Listeners } from './listeners.js'
import { Outbox } from './outbox.js'
import { Poller } from './poller.js'
import { Problem } from './problem.js'
import { Socket } from './socket.js'
import { IndexedStore } from './store.js'
import { subscribe } from './subscribe.js'
import { Topics } from './topics.js'

/** @import {Cursor, Entry, Frame, Hello, Left, LineListener, Status, StoredEvent, Store, Wire, WireListener} from './types.d.ts' */
/** @import {Listener} from './listeners.js' */
/** @import {Tabs} from './tabs.js' */

/** @typedef {Status & {waiting: number, replayed: number, lost: number, resent: number, leads: boolean}} Standing */

const NOTHING_SEEN = { epoch: null, seq: null }
const WHISPER = '~'

export class Client {
  /** @type {Map<string, Feed>} */
  #feeds = new Map()
  #listeners = new Listeners()
  /** @type {Set<(standing: Standing) => void>} */
  #watchers = new Set()
  /** What an earlier page left to be sent, as soon as it is known, and what was refused. @type {Promise<Left>} */
  loaded
  #forgotten = { replayed: 0, lost: 0 }
  #frameBytes = Number(LIMITS.FRAME_BYTES)
  #gaps
  #outbox
  /** @type {Wire} */
  #wire

  /**
   * @param {object} [options]
   * @param {string} [options.base] the server's address, ending in a slash; left out: the page's own
   * @param {string} [options.socketUrl] where the socket is, if not at `ws/` under `base`
   * @param {string} [options.user] whose outbox this is; left out: what waits does not outlive the page
   * @param {string} [options.shared] a name: tabs of the same name share one connection; left out: this tab has its own
   * @param {typeof Tabs | null} [options.tabs] how they share it
   * @param {string} [options.csrf]
   * @param {(() => Promise<string>) | null} [options.token] a fresh access token, on pages of another origin
   * @param {'auto' | 'socket' | 'poll'} [options.transport]
   * @param {() => boolean} [options.isVisible] whether somebody looks at this tab
   * @param {{reconnectMs?: number, attempts?: number, queue?: number}} [options.settings] the first wait after a failure
   *   (1000), failures in a row before polling takes over (3), and frames that may wait to be sent (100)
   * @param {Store | null} [options.store]
   */
  constructor({
    base = '/',
    socketUrl = socketUrlOf(base),
    user = '',
    shared = '',
    tabs = null,
    csrf = '',
    token = null,
    transport = 'auto',
    isVisible,
    settings = {},
    store,
  } = {}) {
    const traffic = { received: 0, sent: 0 }
    this.api = new Api({ base, csrf, token, traffic })
    this.#gaps = new Gaps(this.api, (feed) => this.#feeds.get(feed.topic) === feed)
    // A cookie counts at its own server only; elsewhere a ticket, fetched with it, opens the socket.
    const isElsewhere = new URL(socketUrl).host !== new URL(base, location.href).host
    const ticket = isElsewhere && !token ? async () => (await this.api.post('api/v1/ws/ticket')).ticket : null
    this.#outbox = new Outbox({
      send: (frame) => this.#wire.send(frame),
      store: store ?? (user && typeof indexedDB === 'object' ? new IndexedStore(user) : null),
      changed: () => this.#changed(),
      refused: (refused) => this.#listeners.tell({ type: 'refused', data: refused }),
      most: settings.queue,
    })
    const listener = {
      opened: (/** @type {Hello} */ hello) => this.#opened(hello),
      received: (/** @type {Frame} */ frame) => this.#received(frame),
      changed: (/** @type {Status} */ status) => this.#changed(status),
    }
    const socket = (/** @type {LineListener} */ line) => new Socket(socketUrl, line, { token, ticket, traffic })
    const poll = (/** @type {LineListener} */ line) => new Poller(this.api, line)
    const connect = (/** @type {WireListener} */ to, wasUp = false) =>
      new Connection({
        openers: {
          ...(transport !== 'poll' && { websocket: (line) => new Topics(line, socket, poll) }),
          ...(transport !== 'socket' && { http: poll }),
        },
        listener: to,
        user,
        canRenew: token !== null,
        wasUp,
        traffic,
        settings,
      })
    const name = `signalbox ${base} ${transport} ${shared}`
    this.#wire = shared && tabs?.arePossible() ? new tabs({ name, connect, listener, isVisible }) : connect(listener)
    this.loaded = this.#outbox.load()
  }

  /** @returns {Standing} */
  get standing() {
    const standing = {
      ...this.#wire.status,
      waiting: this.#outbox.size,
      resent: this.#outbox.resent,
      leads: this.#wire.isLeading ?? true,
      ...this.#forgotten,
    }
    for (const { replayed, lost } of this.#feeds.values()) {
      standing.replayed += replayed
      standing.lost += lost
    }
    return standing
  }

  start() {
    this.#gaps.start()
    this.#wire.start()
  }

  stop() {
    this.#gaps.stop()
    this.#outbox.close()
    this.#wire.stop()
  }

  retry() {
    this.#wire.retry()
  }

  wake() {
    this.#wire.wake()
  }

  /** Measure the latency now; `watch` tells it. */
  measure() {
    this.#wire.measure()
  }

  /** Follow a topic from a cursor; the same topic is followed once, however often it is asked for. @param {string} topic @param {Cursor} [cursor] */
  follow(topic, cursor = NOTHING_SEEN) {
    const known = this.#feeds.get(topic)
    if (known) return known

    const feed = new Feed(topic, cursor, (event) => this.#listeners.tell(event))
    this.#feeds.set(topic, feed)
    this.#wire.send(subscribe(topic, feed))
    return feed
  }

  /** @param {string} topic */
  unfollow(topic) {
    const feed = this.#feeds.get(topic)
    if (!feed) return
    this.#feeds.delete(topic)
    this.#forgotten.replayed += feed.replayed
    this.#forgotten.lost += feed.lost
    this.#wire.send({ type: CONTROL.UNSUBSCRIBE, id: newId(), topic, data: {} })
  }

  /** Listen to a type of event on every followed topic, to `refused`, or to `error`: a refusal of no frame in particular. @param {string} type @param {Listener} listener */
  on(type, listener) {
    return this.#listeners.on(type, listener)
  }

  /** Be told how it stands, now and at each change. @param {(standing: Standing) => void} watcher */
  watch(watcher) {
    this.#watchers.add(watcher)
    watcher(this.standing)
    return () => this.#watchers.delete(watcher)
  }

  /** Send what a person wrote: it survives a lost connection and a reload. Answers with the ack's data, or throws a Problem. @param {string} type @param {string} topic @param {object} data */
  send(type, topic, data) {
    return this.#add({ id: newId(), type, topic, data, keep: true })
  }

  /** Ask for something to happen now, or not at all: what a button does. @param {string} type @param {string} topic @param {object} [data] */
  ask(type, topic, data = {}) {
    return this.#add({ id: newId(), type, topic, data, keep: false })
  }

  /** Say what is worth nothing a second later. @param {string} type @param {string} topic @param {object} data */
  whisper(type, topic, data) {
    if (this.#wire.status.state === 'live') this.#wire.send({ type, id: WHISPER + newId(), topic, data })
  }

  /** What of mine was refused for good, oldest first, on whatever page I wrote it: kept until it is sent again or dismissed. */
  get refused() {
    return this.#outbox.refused
  }

  /** Try something that was refused once more, under its own id. Answers as `send` does. @param {string} id */
  again(id) {
    return this.#outbox.again(id)
  }

  /** Forget something that was refused: its writer has seen it. @param {string} id */
  dismiss(id) {
    this.#outbox.dismiss(id)
  }

  /** @param {Entry} entry */
  #add(entry) {
    // The server can't name a frame that it is too large to read, so nobody would hear of it.
    const bytes = new TextEncoder().encode(JSON.stringify(entry)).length
    return bytes > this.#frameBytes ? Promise.reject(new Problem('too_large')) : this.#outbox.add(entry)
  }

  /** @param {Hello} hello */
  #opened({ resumed, limits }) {
    this.#frameBytes = limits?.frame_bytes ?? this.#frameBytes
    for (const feed of this.#feeds.values()) {
      if (!resumed) this.#wire.send(subscribe(feed.topic, feed))
      else if (feed.isBehind()) this.#gaps.fill(feed)
    }
    this.#outbox.resume()
  }

  /** @param {Frame} frame */
  #received(frame) {
    const { type, topic = '', data } = frame
    switch (type) {
      case CONTROL.BATCH:
        for (const one of frame.messages ?? []) this.#received(one)
        break
      case CONTROL.SUBSCRIBED:
        this.#subscribed(this.#feeds.get(topic), data)
        break
      case CONTROL.RESET:
        this.#feeds.get(topic)?.reset(data)
        break
      case CONTROL.ACK:
        this.#outbox.answered(frame)
        break
      case CONTROL.ERROR:
        if (!this.#outbox.answered(frame) && !frame.id?.startsWith(WHISPER)) this.#listeners.tell(frame)
        break
      case CONTROL.HEADS:
        this.#heads(data)
        break
      case CONTROL.PONG:
        break
      default:
        this.#take(frame)
    }
  }

  /** `fetch`: the tab that leads does not remember what we lack. @param {Feed | undefined} feed @param {{epoch: string, head: number, fetch?: boolean}} answer */
  #subscribed(feed, answer) {
    feed?.subscribed(answer)
    if (feed && answer.fetch) this.#gaps.fill(feed)
  }

  /** What we should have by now, if no letter between the tabs was lost. @param {Record<string, number>} heads */
  #heads(heads) {
    for (const [topic, head] of Object.entries(heads)) {
      const feed = this.#feeds.get(topic)
      if (!feed || feed.seq === null || feed.seq >= head) continue
      feed.head = Math.max(feed.head, head)
      this.#gaps.fillSoon(feed)
    }
  }

  /** @param {Frame} frame */
  #take(frame) {
    const feed = this.#feeds.get(frame.topic ?? '')
    // What another tab follows, or we followed until just now, is not for us.
    if (!feed) frame.topic || this.#listeners.tell(frame)
    else if (frame.seq === undefined) feed.tell(frame)
    else if (!feed.accept(/** @type {StoredEvent} */ (frame))) this.#gaps.fill(feed)
  }

  /** @param {Status} [status] */
  #changed(status) {
    if (status && status.state !== 'live' && status.state !== 'polling') this.#outbox.pause()
    // The first change can come while the wire is still being made.
    if (this.#wire) for (const watcher of this.#watchers) watcher(this.standing)
  }
}
