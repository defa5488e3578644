// A browser with tabs that can be closed, crash, hang and be hidden. Each has its own timers, locks, channels, sockets and
// requests; nothing of the client is replaced. Waits are `speed` times shorter.

import { AsyncLocalStorage } from 'node:async_hooks'

const current = new AsyncLocalStorage()
const real = { setTimeout, setInterval }

export class FakeBrowser {
  tabs = []
  /** How often a letter on a topic is lost, 0 to 1. Real channels lose none. */
  loss = 0
  #channels = new Map()
  #locks = new Map()
  #random
  #speed
  #before = {}
  #isHeld = (_letter) => false
  #held = []

  constructor({ random = Math.random, speed = 100 } = {}) {
    this.#random = random
    this.#speed = speed
  }

  install() {
    const browser = this
    const { WebSocket, fetch, BroadcastChannel } = globalThis
    this.#before = { BroadcastChannel, setTimeout, setInterval, navigator: globalThis.navigator }
    const quicker = (ms = 0) => (ms > 50 ? ms / this.#speed : ms)
    globalThis.setTimeout = (step, ms, ...rest) => real.setTimeout(inTab(step), quicker(ms), ...rest)
    globalThis.setInterval = (step, ms, ...rest) => {
      const timer = real.setInterval(inTab(step), quicker(ms), ...rest)
      current.getStore()?.timers.add(timer)
      return timer
    }
    globalThis.BroadcastChannel = class extends FakeChannel {
      constructor(name) {
        super(name, browser)
      }
    }
    const locks = { request: (...args) => browser.#request(...args) }
    Object.defineProperty(globalThis, 'navigator', { value: { locks }, configurable: true })
    globalThis.WebSocket = class extends WebSocket {
      constructor(url) {
        super(url)
        this.tab = current.getStore()
        this.tab?.sockets.add(this)
      }
      set onmessage(hear) {
        this.hear = hear && inTab(hear, this.tab)
      }
      get onmessage() {
        return this.hear
      }
      set onclose(hear) {
        this.ended = hear && inTab(hear, this.tab)
      }
      get onclose() {
        return this.ended
      }
    }
    globalThis.WebSocket.OPEN = 1
    globalThis.fetch = async (...args) => {
      const tab = current.getStore()
      const response = await fetch(...args)
      return tab?.isDead ? new Promise(() => {}) : response
    }
    return this
  }

  uninstall() {
    for (const tab of this.tabs) tab.crash()
    const { navigator, ...globals } = this.#before
    Object.assign(globalThis, globals)
    Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true })
  }

  /** A new tab; `make` is what its page does. */
  open(make) {
    const tab = new Tab(this)
    this.tabs.push(tab)
    tab.run(() => Object.assign(tab, make(tab)))
    return tab
  }

  get living() {
    return this.tabs.filter((tab) => !tab.isDead)
  }

  get leader() {
    return this.living.find(({ client }) => client?.standing.leads)
  }

  // Channels

  join(channel) {
    const here = this.#channels.get(channel.name) ?? new Set()
    this.#channels.set(channel.name, here.add(channel))
  }

  /** The channels that a tab holds open. */
  channelsOf(tab) {
    return [...this.#channels.values()].flatMap((here) => [...here].filter((channel) => channel.tab === tab))
  }

  part(channel) {
    this.#channels.get(channel.name)?.delete(channel)
  }

  /** Letters of which this is so lie until `letGo`. */
  holdBack(isHeld) {
    this.#isHeld = isHeld
    return this.#held
  }

  letGo() {
    this.#isHeld = () => false
    for (const [from, letter] of this.#held.splice(0)) this.carry(from, letter)
  }

  carry(from, data) {
    if (this.#isHeld(data)) return this.#held.push([from, data])
    const text = JSON.stringify(data)
    for (const to of this.#channels.get(from.name) ?? []) {
      if (to === from) continue
      if (data.say === 'event' && from.name.includes(' on ') && this.#random() < this.loss) continue
      // One channel keeps its order; two channels may overtake each other.
      to.last = Math.max(to.last ?? 0, performance.now() + this.#random() * 2)
      const deliver = () => to.isOpen && to.onmessage?.({ data: JSON.parse(text) })
      to.queue = (to.queue ?? Promise.resolve()).then(
        () => new Promise((resolve) => real.setTimeout(resolve, Math.max(0, to.last - performance.now()))),
      )
      to.queue.then(() => to.tab.enter(deliver))
    }
  }

  // Locks

  #request(name, options, held) {
    const tab = current.getStore()
    const lock = this.#locks.get(name) ?? { holder: null, line: [] }
    this.#locks.set(name, lock)
    return new Promise((resolve, reject) => {
      const wish = { tab, held: inTab(held, tab), resolve: inTab(resolve, tab), reject: inTab(reject, tab) }
      if (options.steal) {
        lock.holder?.reject(new DOMException('stolen', 'AbortError'))
        lock.holder = null
        lock.line.unshift(wish)
      } else lock.line.push(wish)
      options.signal?.addEventListener('abort', () => {
        if (!lock.line.includes(wish)) return
        lock.line.splice(lock.line.indexOf(wish), 1)
        reject(new DOMException('aborted', 'AbortError'))
      })
      queueMicrotask(() => this.#grant(lock))
    })
  }

  #grant(lock) {
    if (lock.holder) return
    const wish = lock.line.shift()
    if (!wish) return
    if (wish.tab.isDead) return this.#grant(lock)
    lock.holder = wish
    wish.release = () => {
      if (lock.holder !== wish) return
      lock.holder = null
      this.#grant(lock)
    }
    wish.tab.enter(async () => {
      await wish.held({})
      wish.release()
      wish.resolve()
    })
  }

  buried(tab) {
    for (const lock of this.#locks.values()) {
      lock.line = lock.line.filter((wish) => wish.tab !== tab)
      if (lock.holder?.tab === tab) lock.holder.release()
    }
  }
}

class Tab {
  isDead = false
  isHung = false
  isVisible = true
  sockets = new Set()
  timers = new Set()
  #later = []

  constructor(browser) {
    this.browser = browser
  }

  run(step) {
    return current.run(this, step)
  }

  /** Something happens in this tab: now, when it hangs no more, or never. */
  enter(step) {
    if (this.isDead) return
    if (!this.isHung) return this.run(step)
    this.#later.push(step)
  }

  /** As a person closes it: the page says goodbye. */
  close() {
    this.run(() => this.client.stop())
    this.isDead = true
  }

  /** As a renderer dies: nothing is said, and what it held is free. */
  crash() {
    if (this.isDead) return
    this.isDead = true
    for (const socket of this.sockets) socket.readyState = 3
    for (const timer of this.timers) clearInterval(timer)
    this.browser.buried(this)
  }

  /** Its script runs no more; it keeps what it holds. */
  hang() {
    this.isHung = true
  }

  goOn() {
    this.isHung = false
    for (const step of this.#later.splice(0)) this.enter(step)
  }
}

class FakeChannel {
  isOpen = true
  onmessage = null

  constructor(name, browser) {
    this.name = name
    this.browser = browser
    this.tab = current.getStore()
    browser.join(this)
  }

  postMessage(data) {
    if (!this.isOpen) throw new DOMException('closed', 'InvalidStateError')
    if (!this.tab.isDead) this.browser.carry(this, data)
  }

  close() {
    this.isOpen = false
    this.browser.part(this)
  }
}

function inTab(step, tab = current.getStore()) {
  return tab ? (...args) => tab.enter(() => step(...args)) : step
}
