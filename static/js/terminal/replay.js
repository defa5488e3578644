// The history of a terminal as something one can stand in: at its end, where news come in by themselves, or anywhere
// before, standing or playing. It reads pages of the log and writes events, in order and each once, to a screen.

/** @import {Page, StoredEvent} from '../realtime/types.d.ts' */

/** `before` and `after` are seqs, as in `GET /api/v1/events/`. @typedef {(where: {before?: number, after?: number, limit: number}) => Promise<Page | null>} Read */
/** @typedef {{clear: () => void, write: (event: StoredEvent) => void}} Screen */

const PAGE = 500
const PAGES_BACK = 12
const ENOUGH_BEFORE = 500
const LONGEST_PAUSE = 1500

export class Replay {
  /** The last event that was written, or passed over. */
  seq = 0
  /** When it was stored, ISO 8601. */
  at = ''
  head
  floor = 0
  /** Only what this command printed; '' is everything. */
  only = ''
  speed = 1
  /** @type {'live' | 'paused' | 'playing'} */
  mode = 'paused'
  /** Each going anywhere makes the one before it void. */
  #journey = 0
  #isUnderWay = false
  #isCatchingUp = false
  /** @type {() => void} */
  #wake = () => {}
  #read
  #screen
  #changed

  /** @param {{read: Read, screen: Screen, head: number, changed: () => void}} options */
  constructor({ read, screen, head, changed }) {
    this.#read = read
    this.#screen = screen
    this.#changed = changed
    this.head = head
  }

  /** Go to the end, and follow what comes. */
  async live() {
    this.mode = 'live'
    if (await this.#stand(this.head)) await this.#catchUp()
  }

  /** Stand still after the event `seq`. @param {number} seq */
  async goTo(seq) {
    this.mode = 'paused'
    await this.#stand(Math.min(Math.max(seq, this.floor), this.head))
  }

  /** Stand where the last event of a moment is. @param {number} time unix milliseconds */
  async goToTime(time) {
    const journey = ++this.#journey
    const seq = await this.seqAt(time)
    if (journey === this.#journey) await this.goTo(seq)
  }

  /** Go on from here as fast as it was, or `speed` times as fast, without the long pauses. @param {number} [speed] */
  async play(speed = this.speed) {
    this.speed = speed
    if (this.mode === 'playing') return this.#wake()
    this.mode = 'playing'
    const journey = ++this.#journey
    this.#changed()
    while (journey === this.#journey) {
      const events = await this.#after()
      if (journey !== this.#journey) return
      if (!events.length) return this.live()
      for (const event of events) {
        if (this.at && this.#isWanted(event)) await this.#sleep(Date.parse(event.timestamp) - Date.parse(this.at))
        if (journey !== this.#journey) return
        this.#pass(event)
        this.#changed()
      }
    }
  }

  pause() {
    this.#journey += 1
    this.mode = 'paused'
    this.#wake()
    this.#changed()
  }

  /** A live event. @param {StoredEvent} event */
  take(event) {
    this.head = Math.max(this.head, event.seq)
    if (this.mode === 'live' && !this.#isBusy && event.seq === this.seq + 1) this.#pass(event)
    else if (this.mode === 'live') this.#catchUp()
    this.#changed()
  }

  /** The seq of the last event that was stored by `time`: events lie in the order of their times. @param {number} time unix milliseconds */
  async seqAt(time) {
    let low = this.floor
    let high = this.head
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      const page = await this.#read({ before: middle + 1, limit: 1 })
      const [event] = page?.events ?? []
      this.floor = Math.max(this.floor, page?.floor ?? 0)
      if (event && Date.parse(event.timestamp) <= time) low = middle
      else high = middle - 1
    }
    return Math.max(low, this.floor)
  }

  /** What has come meanwhile is fetched at its end. */
  get #isBusy() {
    return this.#isUnderWay || this.#isCatchingUp
  }

  /** Write afresh what leads up to `seq`. false: somebody wanted to go elsewhere meanwhile. @param {number} seq */
  async #stand(seq) {
    const journey = ++this.#journey
    this.#wake()
    this.#isUnderWay = true
    const events = await this.#leadingTo(seq).finally(() => {
      if (journey === this.#journey) this.#isUnderWay = false
    })
    if (journey !== this.#journey) return false
    this.#screen.clear()
    this.seq = events[0] ? events[0].seq - 1 : seq
    for (const event of events) this.#pass(event)
    this.seq = seq
    this.#changed()
    return true
  }

  /** As much history as it takes for the screen to be right: from the command's beginning, if only one is shown. @param {number} seq */
  async #leadingTo(seq) {
    /** @type {StoredEvent[]} */
    let events = []
    let before = seq + 1
    for (let n = 0; n < PAGES_BACK && before > this.floor + 1; n += 1) {
      const page = await this.#read({ before, limit: PAGE })
      this.floor = Math.max(this.floor, page?.floor ?? 0)
      if (!page?.events.length) break
      events = [...page.events, ...events]
      before = events[0].seq
      if (this.#isEnough(events)) break
    }
    return events
  }

  /** @param {StoredEvent[]} events */
  #isEnough(events) {
    if (!this.only) return events.length >= ENOUGH_BEFORE
    return events.some(({ data }) => data.command_id === this.only && data.offset === 0)
  }

  async #catchUp() {
    if (this.#isBusy) return
    this.#isCatchingUp = true
    const journey = this.#journey
    try {
      while (journey === this.#journey && this.seq < this.head) {
        const events = await this.#after()
        if (journey !== this.#journey || !events.length) break
        for (const event of events) this.#pass(event)
        this.#changed()
      }
    } finally {
      this.#isCatchingUp = false
    }
    if (journey !== this.#journey && this.mode === 'live') await this.#catchUp()
  }

  async #after() {
    const page = await this.#read({ after: this.seq, limit: PAGE })
    if (page?.reset) {
      this.seq = this.head = page.head
      this.floor = page.floor
      return []
    }
    this.head = Math.max(this.head, page?.head ?? 0)
    return page?.events ?? []
  }

  /** @param {StoredEvent} event */
  #pass(event) {
    if (event.seq <= this.seq) return
    this.seq = event.seq
    this.at = event.timestamp
    if (this.#isWanted(event)) this.#screen.write(event)
  }

  /** @param {StoredEvent} event */
  #isWanted({ data }) {
    return !this.only || data.command_id === this.only
  }

  /** @param {number} ms between two events when they happened */
  #sleep(ms) {
    const wait = Math.min(Math.max(0, ms), LONGEST_PAUSE) / this.speed
    if (wait < 4) return undefined
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait)
      this.#wake = () => {
        clearTimeout(timer)
        resolve(undefined)
      }
    })
  }
}
