// What the leading tab does for all: it keeps the line, follows each topic once, and knows who wants it and who waits for
// which answer. It remembers the newest events of each topic, so that a tab that comes a little later gets its replay here.

import { CONTROL } from './contract.js'
import { newId } from './ids.js'
import { ON, ROOM } from './mail.js'
import { subscribe } from './subscribe.js'

/** @import {Frame, Hello, Status, StoredEvent, Wire, WireListener} from './types.d.ts' */
/** @import {Letter, Mail} from './mail.js' */

/** @typedef {{tab: string, id: string | undefined, after: number | undefined, epoch: string | undefined}} Wish */
/** @typedef {{tabs: Set<string>, watchers: Set<string>, asked: string, known: boolean, epoch: string | null, seq: number | null, head: number, newest: StoredEvent[], wishes: Wish[]}} Shared
 *   `watchers`: the tabs that show who else is there; `seq`: the last event that came by; `newest` ends with it and has no holes */

const REMEMBERED = 200
const ROUND_EVERY = 20_000
const ROUNDS_MISSED = 3
/** What only a leader says. */
export const LEADERS_WORDS = new Set(['call', 'lead', 'left', 'status', 'opened', 'event', 'known', 'who'])

export class Switchboard {
  /** Milliseconds for which this tab has not been looked at. */
  hiddenFor = 0
  /** The other tabs, and how many rounds they have missed. @type {Map<string, number>} */
  #others = new Map()
  /** @type {Map<string, Shared>} */
  #topics = new Map()
  /** Who waits for the answer to a frame: several, if each has found it in the outbox. @type {Map<string, Set<string>>} */
  #askers = new Map()
  /** @type {Hello | null} */
  #hello = null
  #wasUp = false
  #isClosed = false
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #rounds
  #id
  #mail
  #own

  /** @param {{id: string, mail: Mail, own: WireListener, connect: (listener: WireListener) => Wire}} options `own`: the leading tab itself */
  constructor({ id, mail, own, connect }) {
    this.#id = id
    this.#mail = mail
    this.#own = own
    /** The line of all tabs. */
    this.line = connect({
      opened: (hello) => this.#opened(hello),
      received: (frame) => this.#received(frame),
      changed: () => this.#changed(),
    })
  }

  /** @returns {Status} */
  get status() {
    return { ...this.line.status, tabs: this.#others.size + 1, hiddenFor: this.hiddenFor }
  }

  start() {
    this.#rounds = setInterval(() => this.#goRound(), ROUND_EVERY)
    this.line.start()
    this.#post(ROOM, 'call')
  }

  close() {
    this.#isClosed = true
    clearInterval(this.#rounds)
    this.line.stop()
    this.#post(ROOM, 'left')
    for (const tab of this.#others.keys()) this.#mail.forget(tab)
    for (const topic of this.#topics.keys()) this.#mail.forget(ON + topic)
  }

  /** A letter from another tab. @param {string} from @param {string} say @param {Frame} [frame] */
  hear(from, say, frame) {
    // Another one, who does not know yet that it leads no more.
    if (LEADERS_WORDS.has(say)) return
    if (say === 'leave') return this.#drop(from)
    if (say === 'join' || !this.#others.has(from)) return this.#welcome(from)

    this.#others.set(from, 0)
    if (frame) this.send(from, frame)
    else if (say === 'ask') this.#post(from, 'known', { status: this.status, heads: this.#headsFor(from) })
    else if (say === 'retry') this.line.retry()
    else if (say === 'wake') this.line.wake()
    else if (say === 'measure') this.line.measure()
  }

  /** A tab sends a frame. false: the line can't carry it now. @param {string} tab @param {Frame} frame */
  send(tab, frame) {
    if (frame.type === CONTROL.SUBSCRIBE) this.#follow(tab, frame)
    else if (frame.type === CONTROL.UNSUBSCRIBE) this.#leave(tab, frame.topic ?? '')
    else if (this.#isStillWatched(tab, frame)) return true
    else if (!this.line.send(frame)) return false
    else if (frame.id) this.#askers.set(frame.id, (this.#askers.get(frame.id) ?? new Set()).add(tab))
    return true
  }

  // Tabs

  /** @param {string} tab */
  #welcome(tab) {
    this.#others.set(tab, 0)
    this.#post(tab, 'lead', { status: this.status, hello: this.#hello })
    // Its page has just been written for somebody who is logged in: worth another try.
    if (this.line.status.state === 'stopped') this.line.retry()
  }

  /** @param {string} tab */
  #drop(tab) {
    this.#others.delete(tab)
    this.#mail.forget(tab)
    for (const topic of [...this.#topics.keys()]) this.#leave(tab, topic)
  }

  /** A tab that crashed or is frozen says no goodbye. */
  #goRound() {
    for (const [tab, missed] of [...this.#others]) {
      if (missed >= ROUNDS_MISSED) this.#drop(tab)
      else this.#others.set(tab, missed + 1)
    }
    this.#post(ROOM, 'who')
  }

  /** What a tab should have got by now: a letter may be lost. @param {string} tab */
  #headsFor(tab) {
    const mine = [...this.#topics].filter(([, { tabs, seq }]) => tabs.has(tab) && seq !== null)
    return Object.fromEntries(mine.map(([topic, { seq }]) => [topic, seq]))
  }

  // Topics

  /** @param {string} tab @param {Frame} frame */
  #follow(tab, { id, topic = '', data }) {
    const wish = { tab, id, after: data?.after, epoch: data?.epoch }
    const known = this.#topics.get(topic)
    const shared = known ?? newShared(wish)
    shared.tabs.add(tab)
    if (shared.known) return this.#serve(topic, shared, wish)

    shared.wishes.push(wish)
    if (known) return
    this.#topics.set(topic, shared)
    this.#ask(topic, shared)
  }

  /** @param {string} tab @param {string} topic */
  #leave(tab, topic) {
    const shared = this.#topics.get(topic)
    if (!shared?.tabs.delete(tab)) return
    if (shared.tabs.size > 0) {
      const away = { type: CONTROL.PRESENCE, id: newId(), topic, data: { on: false } }
      if (shared.watchers.has(tab) && !this.#isStillWatched(tab, away)) this.line.send(away)
      return
    }
    this.#forget(topic)
    this.line.send({ type: CONTROL.UNSUBSCRIBE, id: newId(), topic, data: {} })
  }

  /** Whoever looks at a topic in several tabs is there until the last of them does not. @param {string} tab @param {Frame} frame */
  #isStillWatched(tab, { type, topic = '', data }) {
    const watchers = this.#topics.get(topic)?.watchers
    if (type !== CONTROL.PRESENCE || !watchers) return false
    if (data?.on !== false) {
      watchers.add(tab)
      return false
    }
    watchers.delete(tab)
    return watchers.size > 0
  }

  /** @param {string} topic */
  #forget(topic) {
    this.#topics.delete(topic)
    this.#mail.forget(ON + topic)
  }

  /** @param {string} topic @param {Shared} shared */
  #ask(topic, shared) {
    shared.known = false
    shared.asked = newId()
    this.line.send(subscribe(topic, shared, shared.asked))
  }

  /** Answer a tab from what is known here; what is older it fetches by itself. @param {string} topic @param {Shared} shared @param {Wish} wish */
  #serve(topic, { epoch, seq, head, newest }, { tab, id, after, epoch: theirs }) {
    const about = { topic, epoch, head: Math.max(head, seq ?? 0) }
    const isOtherLife = Boolean(theirs && epoch && theirs !== epoch)
    const lacks = !isOtherLife && after !== undefined && after < (seq ?? 0)
    const isHere = lacks && newest.length > 0 && newest[0].seq <= after + 1
    const data = { ...about, recovered: !isOtherLife, ...(lacks && !isHere && { fetch: true }) }

    if (isOtherLife) this.#tell(tab, { type: CONTROL.RESET, topic, data: { ...about, floor: 0 } })
    this.#tell(tab, { type: CONTROL.SUBSCRIBED, id, topic, data })
    if (isHere) this.#tell(tab, { type: CONTROL.BATCH, messages: newest.filter((event) => event.seq > after) })
  }

  // The line

  /** @param {Hello} hello */
  #opened(hello) {
    const resumed = this.#wasUp
    this.#wasUp = true
    this.#hello = hello
    this.#askers.clear()
    for (const [topic, shared] of this.#topics) this.#ask(topic, shared)
    this.#post(ROOM, 'opened', { hello })
    this.#own.opened({ ...hello, resumed })
  }

  #changed() {
    if (this.#isClosed) return
    const { status } = this
    if (!isUp(status)) this.#hello = null
    this.#post(ROOM, 'status', { status })
    this.#own.changed(status)
  }

  /** @param {Frame} frame */
  #received(frame) {
    const { type, id = '', topic = '' } = frame
    const shared = this.#topics.get(topic)
    const askers = this.#askers.get(id)
    if (type === CONTROL.BATCH) this.#batch(frame)
    else if (askers) {
      this.#askers.delete(id)
      for (const asker of askers) this.#tell(asker, frame)
    } else if (!shared) this.#elsewhere(frame)
    else if (type === CONTROL.SUBSCRIBED) this.#subscribed(frame, shared)
    else {
      const { epoch, head } = frame.data ?? {}
      if (type === CONTROL.RESET) Object.assign(shared, { epoch, head, seq: head, newest: [] })
      this.#spread(topic, shared, frame)
      if (type === CONTROL.UNSUBSCRIBED) this.#forget(topic)
    }
  }

  /** Most batches are of one topic, and go on as they are. @param {Frame} frame */
  #batch(frame) {
    const { messages = [] } = frame
    const topic = messages[0]?.topic ?? ''
    const shared = this.#topics.get(topic)
    if (!shared || messages.some((event) => event.topic !== topic || !event.seq)) {
      for (const event of messages) this.#received(event)
    } else this.#spread(topic, shared, frame)
  }

  /** @param {Frame} frame @param {Shared} shared */
  #subscribed(frame, shared) {
    const { id, topic = '', data } = frame
    if (id !== shared.asked) return
    shared.known = true
    shared.epoch = data.epoch
    shared.head = data.head
    shared.seq ??= data.head
    this.#spread(topic, shared, frame)
    for (const wish of shared.wishes.splice(0)) this.#serve(topic, shared, wish)
  }

  /** @param {string} topic @param {Shared} shared @param {Frame} frame */
  #spread(topic, shared, frame) {
    for (const event of frame.messages ?? [frame]) remember(shared, event)
    const { tabs } = shared
    const isMine = tabs.has(this.#id)
    if (tabs.size > (isMine ? 1 : 0)) this.#post(ON + topic, 'event', { frame })
    if (isMine) this.#own.received(frame)
  }

  /** What belongs to no topic concerns everybody; an error without an id, only this tab can have caused. @param {Frame} frame */
  #elsewhere(frame) {
    if (frame.id || (frame.topic && frame.seq)) return
    this.#own.received(frame)
    if (frame.type !== CONTROL.ERROR) this.#post(ROOM, 'event', { frame })
  }

  // Words

  /** @param {string} tab @param {Frame} frame */
  #tell(tab, frame) {
    if (tab === this.#id) this.#own.received(frame)
    else this.#post(tab, 'event', { frame })
  }

  /** @param {string} address @param {string} say @param {Partial<Letter>} [more] */
  #post(address, say, more) {
    this.#mail.post(address, { from: this.#id, say, ...more })
  }
}

/** @param {Status} status */
export function isUp({ state }) {
  return state === 'live' || state === 'polling'
}

/** @param {Wish} wish @returns {Shared} */
function newShared({ after, epoch }) {
  const nothing = { tabs: new Set(), watchers: new Set(), asked: '', known: false, head: 0, newest: [], wishes: [] }
  return { ...nothing, seq: after ?? null, epoch: epoch ?? null }
}

/** @param {Shared} shared @param {Frame} event */
function remember(shared, event) {
  const { seq = 0 } = event
  if (!seq || (shared.seq !== null && seq <= shared.seq)) return
  if (seq !== (shared.seq ?? 0) + 1) shared.newest = []
  shared.newest.push(/** @type {StoredEvent} */ (event))
  if (shared.newest.length > 2 * REMEMBERED) shared.newest.splice(0, REMEMBERED)
  shared.seq = seq
}
