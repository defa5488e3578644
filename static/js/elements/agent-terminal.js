// <agent-terminal data-feed="terminal.…" data-until="<seq>">: what an agent's commands draw, in a real terminal: live, or
// from any point of its history. Nothing that is printed can do more than be drawn, and no key is caught.

import { client } from '../here.js'
import { EVENT } from '../realtime/contract.js'
import { Replay } from '../terminal/replay.js'
import { findInBuffer } from '../terminal/search.js'
import { lendToRows, strictDocument, withStrictDocument } from './strict-document.js'
import { terminalBar } from './terminal-bar.js'
import { themeOf } from './terminal-theme.js'
import { onThemeChange } from './theme.js'

/** @import {Terminal} from '/static/vendor/xterm.js' */
/** @import {StoredEvent} from '../realtime/types.d.ts' */

/** What the page knows of a command; cols and rows are those of its pseudo-terminal. @typedef {{id: string, line: string, cols: number, rows: number, endedAt: string}} Shown */

const SIZE = { cols: 120, rows: 40 }
const FONTS = [8, 9, 10, 11, 12, 13, 14, 16, 18, 20]
const SCROLLBACK = 20_000
/** Out of the alternate screen, and back to plain writing; the cursor stays where it is. */
const NEW_COMMAND = '\x1b[?47l\x1b[!p\x1b[0m'
const NEW_SCREEN = '\x1b[2J\x1b[H'

export class AgentTerminal extends HTMLElement {
  /** @type {Terminal | null} */
  #terminal = null
  /** @type {Map<string, Shown>} */
  #commands = new Map()
  /** Whose output the screen shows at its end. */
  #drawing = ''
  #isFitting = false
  #bar = terminalBar()
  #frame = Object.assign(document.createElement('div'), { className: 'frame' })
  /** @type {Replay} */
  #replay = new Replay({
    read: (where) => client.api.events(this.dataset.feed ?? '', where),
    screen: { clear: () => this.#clear(), write: (event) => this.#write(event) },
    head: 0,
    changed: () => this.#changed(),
  })
  /** Ends when the element leaves the document. */
  #life = new AbortController()
  /** @type {(() => void)[]} */
  #stops = []
  #planned = 0

  async connectedCallback() {
    const { feed = '', until = '0' } = this.dataset
    this.#life = new AbortController()
    const { signal } = this.#life
    this.replaceChildren(this.#bar.top, this.#frame, this.#bar.bottom)
    this.#bar.words.textContent = 'Loading…'
    this.#wire(signal)
    // What is printed while the terminal is being loaded is told to nobody who comes later.
    const followed = client.follow(feed)
    this.#replay.head = Math.max(Number(until), followed.seq ?? 0)
    this.#stops.push(followed.on(EVENT.TERMINAL_OUTPUT, (event) => this.#replay.take(event)))
    try {
      await this.#open(signal)
    } catch (error) {
      if (!signal.aborted)
        this.#say(`The terminal could not be loaded: ${error instanceof Error ? error.message : error}`)
      return
    }
    this.#go(() => this.#replay.live())
  }

  disconnectedCallback() {
    this.#life.abort()
    for (const stop of this.#stops.splice(0)) stop()
    this.#replay.pause()
    this.#terminal?.dispose()
    this.#terminal = null
  }

  /** Say what a command is before or while it prints. @param {Shown} command */
  knows(command) {
    const isNew = !this.#commands.has(command.id)
    this.#commands.set(command.id, command)
    if (isNew)
      this.#bar.command.add(new Option(command.line.slice(0, 80), command.id), this.#bar.command.options[1] ?? null)
  }

  /** @param {string} id @param {string} at */
  ended(id, at) {
    const known = this.#commands.get(id)
    if (known) known.endedAt = at
  }

  /** Show one command from its end, or live while it runs. @param {string} id */
  showOnly(id) {
    this.#bar.command.value = id
    const ended = Date.parse(this.#commands.get(id)?.endedAt ?? '')
    this.#replay.only = id
    this.#fit()
    this.#go(() => (id && !Number.isNaN(ended) ? this.#replay.goToTime(ended + 1) : this.#replay.live()))
  }

  // The terminal itself -----------------------------------------------------------------------------

  /** @param {AbortSignal} signal */
  async #open(signal) {
    const { Terminal } = await import('/static/vendor/xterm.js')
    signal.throwIfAborted()
    const lent = strictDocument(document)
    const terminal = new Terminal({
      ...SIZE,
      allowProposedApi: true,
      convertEol: false,
      cursorInactiveStyle: 'none',
      disableStdin: true,
      documentOverride: lent,
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue('--mono'),
      fontSize: this.#fontThatFits(),
      linkHandler: { activate: () => {} },
      scrollback: SCROLLBACK,
      scrollOnEraseInDisplay: true,
      theme: themeOf(this),
    })
    withStrictDocument(() => terminal.open(this.#frame))
    lendToRows(terminal, lent)
    // Keys belong to the page: what this terminal shows was typed elsewhere.
    terminal.attachCustomKeyEventHandler(() => false)
    this.#terminal = terminal
    terminal.textarea?.setAttribute('aria-label', 'Terminal; Escape leaves it')
    this.#stops.push(onThemeChange(() => Object.assign(terminal.options, { theme: themeOf(this) })))
    const resized = new ResizeObserver(() => this.#isFitting && this.#fit())
    resized.observe(this.#frame)
    this.#stops.push(() => resized.disconnect())
  }

  #fontThatFits() {
    const wide = (this.#frame.clientWidth - 24) / SIZE.cols / 0.602
    return FONTS.findLast((size) => size <= Math.min(wide, 13)) ?? 9
  }

  #clear() {
    this.#terminal?.reset()
    this.#drawing = ''
  }

  /** @param {StoredEvent} event */
  #write({ data: { command_id: id, offset, text } }) {
    if (id !== this.#drawing) this.#begin(id, offset === 0)
    this.#terminal?.write(text)
  }

  /** Another command goes on: what the one before has switched on is switched off, and it gets a screen of its own. @param {string} id @param {boolean} isNew */
  #begin(id, isNew) {
    const isFirst = !this.#drawing
    this.#drawing = id
    if (this.#replay.only) return
    const line = this.#commands.get(id)?.line ?? `command ${id.slice(0, 8)}`
    const shown = line.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, 90)
    this.#terminal?.write(`${NEW_COMMAND}${isFirst ? '' : isNew ? NEW_SCREEN : '\r\n'}\x1b[2m── ${shown} ──\x1b[0m\r\n`)
  }

  #fit() {
    const terminal = this.#terminal
    const screen = this.#frame.querySelector('.xterm-screen')
    if (!terminal || !screen) return
    const { cols, rows } = this.#commands.get(this.#replay.only) ?? SIZE
    if (!this.#isFitting) return terminal.resize(cols, rows)
    const wide = Math.floor((this.#frame.clientWidth - 24) / (screen.clientWidth / terminal.cols))
    const high = Math.floor((this.#frame.clientHeight - 16) / (screen.clientHeight / terminal.rows))
    terminal.resize(Math.max(20, wide), Math.max(5, high))
  }

  // What people do ------------------------------------------------------------------------------------

  /** @param {AbortSignal} signal */
  #wire(signal) {
    const { command, slider, play, live, speed, size, smaller, larger, find, copy, reader } = this.#bar
    command.onchange = () => this.showOnly(command.value)
    slider.oninput = () => this.#go(() => this.#replay.goTo(Number(slider.value)))
    play.onclick = () => (this.#replay.mode === 'playing' ? this.#replay.pause() : this.#go(() => this.#play()))
    live.onclick = () => this.#go(() => this.#replay.live())
    speed.onchange = () => {
      this.#replay.speed = Number(speed.value)
      if (this.#replay.mode === 'playing') this.#replay.play()
    }
    size.onchange = () => {
      this.#isFitting = size.value === 'fit'
      this.#fit()
    }
    smaller.onclick = () => this.#grow(-1)
    larger.onclick = () => this.#grow(1)
    find.onkeydown = (event) => event.key === 'Enter' && this.#find(event.shiftKey)
    copy.onclick = () => this.#copy()
    reader.onchange = () =>
      this.#terminal && Object.assign(this.#terminal.options, { screenReaderMode: reader.checked })
    this.#frame.addEventListener('keydown', (event) => this.#steer(event), { capture: true, signal })
  }

  /** From the beginning, if one stands at the end. */
  async #play() {
    const { replay } = { replay: this.#replay }
    if (replay.seq >= replay.head) await replay.goTo(await this.#beginning())
    await replay.play(Number(this.#bar.speed.value))
  }

  /** Before the first event of what is shown. */
  async #beginning() {
    if (!this.#replay.only) return Math.max(this.#replay.floor, this.#replay.head - 500)
    let first = this.#replay.head
    for (let before = first + 1; before > this.#replay.floor + 1; ) {
      const page = await client.api.events(this.dataset.feed ?? '', { before })
      const own = page?.events.find(({ data }) => data.command_id === this.#replay.only)
      if (own) first = own.seq - 1
      if (!page?.events.length || own?.data.offset === 0) break
      before = page.events[0].seq
    }
    return first
  }

  /** @param {() => Promise<void>} work */
  async #go(work) {
    try {
      await work()
    } catch (error) {
      this.#replay.pause()
      this.#say(error instanceof Error ? error.message : String(error))
    }
  }

  /** @param {number} steps */
  #grow(steps) {
    if (!this.#terminal) return
    const at = FONTS.indexOf(this.#terminal.options.fontSize ?? 13)
    this.#terminal.options.fontSize = FONTS[Math.min(FONTS.length - 1, Math.max(0, at + steps))]
    this.#fit()
  }

  /** @param {boolean} backwards */
  #find(backwards) {
    const terminal = this.#terminal
    const words = this.#bar.find.value
    if (!terminal || !words) return
    const selected = terminal.getSelectionPosition()?.start
    const hit = findInBuffer(terminal.buffer.active, words, selected ?? null, backwards)
    if (!hit) return this.#say(`“${words}” is not on this screen.`)
    terminal.select(hit.x, hit.y, hit.width)
    terminal.scrollToLine(Math.max(0, hit.y - Math.floor(terminal.rows / 2)))
  }

  async #copy() {
    const terminal = this.#terminal
    if (!terminal) return
    let text = terminal.getSelection()
    if (!text) {
      terminal.selectAll()
      text = terminal.getSelection()
      terminal.clearSelection()
    }
    try {
      await navigator.clipboard.writeText(text.trimEnd())
      this.#say('Copied.')
    } catch {
      this.#say('This browser does not allow copying here: select the text and press Ctrl+C.')
    }
  }

  /** Escape leaves; the keys that scroll any page scroll this one. @param {KeyboardEvent} event */
  #steer(event) {
    const terminal = this.#terminal
    if (!terminal) return
    const ways = /** @type {Record<string, () => void>} */ ({
      Escape: () => this.#bar.play.focus(),
      PageUp: () => terminal.scrollPages(-1),
      PageDown: () => terminal.scrollPages(1),
      ArrowUp: () => terminal.scrollLines(-1),
      ArrowDown: () => terminal.scrollLines(1),
      Home: () => terminal.scrollToTop(),
      End: () => terminal.scrollToBottom(),
    })
    if (event.ctrlKey || event.metaKey || event.altKey || !ways[event.key]) return
    event.preventDefault()
    ways[event.key]()
  }

  // What is said --------------------------------------------------------------------------------------

  #changed() {
    this.#planned ||= requestAnimationFrame(() => {
      this.#planned = 0
      this.#show()
    })
  }

  #show() {
    const { slider, play, live, place, words } = this.#bar
    const { seq, at, head, floor, mode } = this.#replay
    this.dataset.mode = mode
    Object.assign(slider, { min: String(floor), max: String(head), value: String(seq), disabled: head === 0 })
    const time = at ? new Date(at).toLocaleTimeString() : ''
    slider.ariaValueText = `${time}, piece ${seq} of ${head}`
    place.textContent = mode === 'live' ? 'live' : `${time} · ${seq.toLocaleString()} of ${head.toLocaleString()}`
    play.textContent = mode === 'playing' ? 'Pause' : 'Play'
    play.disabled = head === 0
    live.ariaPressed = String(mode === 'live')
    if (this.#terminal && (words.textContent === 'Loading…' || head === 0))
      words.textContent = head === 0 ? 'Nothing has been printed yet.' : ''
  }

  /** @param {string} words */
  #say(words) {
    this.#bar.words.textContent = words
  }
}

customElements.define('agent-terminal', AgentTerminal)
