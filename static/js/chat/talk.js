// The messages of one session on the page: in order, by day, with what is on its way at the end and a mark where one
// has not been.

import { copyOf, fill } from '../elements/fill.js'
import { onNewDay } from '../elements/new-day.js'
import { link } from './links.js'

const TOGETHER = 5 * 60_000
const NEAR = 80
const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'long', month: 'long', day: 'numeric' })

/** @typedef {{content: string, author: {id: number, name: string}, at: string}} Said */

export class Talk {
  /** Messages of ours that are not said yet, oldest first. @type {HTMLElement[]} */
  #ours = []
  #list
  #newest
  #me
  /** @type {HTMLElement | null} */
  #mark = null
  #unread = 0
  #isAtEnd = true

  /** @param {HTMLElement} list @param {HTMLElement} newest the button that leads to the end @param {number} me */
  constructor(list, newest, me) {
    this.#list = list
    this.#newest = newest
    this.#me = me
    list.addEventListener('scroll', () => this.#scrolled(), { passive: true })
    newest.addEventListener('click', () => this.toEnd())
    new ResizeObserver(() => this.#isAtEnd && this.toEnd()).observe(list)
    onNewDay(() => this.#dayLines())
    this.#dayLines()
    for (const bubble of list.querySelectorAll('.message')) linkIn(bubble)
    this.toEnd()
  }

  /** How many came while nobody looked. */
  get unread() {
    return this.#unread
  }

  /** @param {string} id */
  has(id) {
    return this.#list.querySelector(`[data-message="${id}"]`) !== null
  }

  /** Somebody has said something. @param {string} id @param {Said} said @param {boolean} isUnseen nobody was here when it was said */
  add(id, said, isUnseen) {
    const isMine = said.author.id === this.#me
    const bubble = this.#bubble(said)
    bubble.dataset.message = id
    if (isMine) this.#arrived(said.content)
    else if (isUnseen || !this.#isAtEnd) this.#unread += 1
    if (isUnseen && !isMine) this.#markBefore()
    this.#place(bubble)
  }

  /** Ours is on its way. @param {Said} said */
  send(said) {
    const bubble = this.#bubble(said)
    this.sending(bubble)
    this.#wait(bubble)
    this.seen()
    this.toEnd()
    return bubble
  }

  /** @param {HTMLElement} bubble */
  sending(bubble) {
    bubble.dataset.state = 'waiting'
    fill(bubble, { state: 'Sending…' })
  }

  /** It was refused: why, and what one can do about it, in words. @param {HTMLElement} bubble @param {string} why @param {Record<string, () => void>} ways */
  refused(bubble, why, ways) {
    bubble.dataset.state = 'refused'
    const words = document.createElement('span')
    words.textContent = `Not sent. ${why}`
    const buttons = Object.entries(ways).map(([name, work]) => button(name, work))
    bubble.querySelector('footer')?.replaceChildren(words, ...buttons)
    // The same words, said on another device, may have been taken for these.
    if (!bubble.isConnected) this.#wait(bubble)
    if (this.#isAtEnd) this.toEnd()
  }

  /** @param {HTMLElement} bubble */
  remove(bubble) {
    bubble.remove()
    this.#ours = this.#ours.filter((one) => one !== bubble)
    this.#afterAdding()
  }

  /** Words that nobody said: who came, who left, what went wrong. @param {string} words @param {string} [level] */
  note(words, level = 'info') {
    const line = document.createElement('p')
    line.className = 'notice'
    line.dataset.level = level
    line.textContent = words
    this.#place(line)
  }

  /** Somebody looks: what came is not new any more. The mark stays where it is until something else is new. */
  seen() {
    this.#unread = 0
    this.#newest.hidden = this.#isAtEnd
    this.#newest.textContent = '↓ Newest'
  }

  toEnd() {
    this.#list.scrollTop = this.#list.scrollHeight
  }

  /** @param {Said} said */
  #bubble({ content, author, at }) {
    const bubble = copyOf('message')
    bubble.dataset.author = String(author.id)
    bubble.toggleAttribute('data-mine', author.id === this.#me)
    fill(bubble, { content, author: author.name, at })
    linkIn(bubble)
    return bubble
  }

  /** @param {HTMLElement} bubble */
  #wait(bubble) {
    this.#ours.push(bubble)
    this.#list.append(bubble)
    this.#afterAdding()
  }

  /** The oldest message of ours that says this has got through. @param {string} content */
  #arrived(content) {
    const found = this.#ours.find(
      (bubble) =>
        bubble.dataset.state === 'waiting' && bubble.querySelector('[data-field="content"]')?.textContent === content,
    )
    if (found) this.remove(found)
  }

  /** What is on its way stays below what was said. @param {HTMLElement} element */
  #place(element) {
    const wasAtEnd = this.#isAtEnd
    this.#list.insertBefore(element, this.#ours[0] ?? null)
    this.#afterAdding()
    if (wasAtEnd) this.toEnd()
    else if (this.#unread) {
      this.#newest.textContent = `↓ ${this.#unread} new`
      this.#newest.hidden = false
    }
  }

  #markBefore() {
    if (this.#mark && this.#unread > 1) return
    this.#mark?.remove()
    this.#mark = document.createElement('p')
    this.#mark.className = 'mark'
    this.#mark.textContent = 'New'
    this.#list.insertBefore(this.#mark, this.#ours[0] ?? null)
  }

  #afterAdding() {
    document.getElementById('nothing-said')?.toggleAttribute('hidden', this.#list.querySelector('.message') !== null)
    this.#dayLines()
  }

  /** Days as they are where the reader is, and who goes on speaking. */
  #dayLines() {
    let day = ''
    /** @type {HTMLElement | null} */
    let before = null
    for (const bubble of /** @type {NodeListOf<HTMLElement>} */ (this.#list.querySelectorAll('.message'))) {
      const at = new Date(bubble.querySelector('time-at')?.getAttribute('datetime') ?? '')
      const line = bubble.previousElementSibling
      const isNewDay = at.toDateString() !== day
      if (isNewDay) setDay(line?.matches('.day') ? line : bubble, at)
      else if (line?.matches('.day')) line.remove()
      const goesOn = !isNewDay && before !== null && goesOnFrom(before, bubble)
      if (bubble.hasAttribute('data-goes-on') !== goesOn) bubble.toggleAttribute('data-goes-on', goesOn)
      day = at.toDateString()
      before = bubble
    }
  }

  #scrolled() {
    this.#isAtEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < NEAR
    if (this.#isAtEnd && !document.hidden) this.seen()
    this.#newest.hidden = this.#isAtEnd
  }
}

/** @param {Element} bubble */
function linkIn(bubble) {
  const content = bubble.querySelector('[data-field="content"]')
  if (content) link(content)
}

/** @param {HTMLElement} before @param {HTMLElement} bubble */
function goesOnFrom(before, bubble) {
  const [earlier, later] = [before, bubble].map((one) =>
    Date.parse(one.querySelector('time-at')?.getAttribute('datetime') ?? ''),
  )
  return (
    before.nextElementSibling === bubble &&
    before.dataset.author === bubble.dataset.author &&
    later - earlier < TOGETHER
  )
}

/** @param {Element} place the line of a day, or the message before which it is to stand @param {Date} at */
function setDay(place, at) {
  let line = place
  if (!place.matches('.day')) {
    line = document.createElement('p')
    line.className = 'day'
    line.append(document.createElement('time'))
    place.before(line)
  }
  const time = /** @type {HTMLTimeElement} */ (line.firstElementChild)
  const words = at.toDateString() === new Date().toDateString() ? 'Today' : DAY.format(at)
  if (time.textContent !== words) time.textContent = words
}

/** @param {string} words @param {() => void} work */
function button(words, work) {
  const made = Object.assign(document.createElement('button'), {
    type: 'button',
    className: 'quiet small',
    textContent: words,
  })
  made.onclick = work
  return made
}
