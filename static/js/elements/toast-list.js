// <toast-list>: short words about what has just happened. They go by themselves, but not while somebody points at them,
// is among them with the keyboard, or looks elsewhere; some stay until somebody dismisses them. Escape dismisses the newest.

/** @typedef {'info' | 'success' | 'warning' | 'error'} Level */
/** @typedef {{level?: Level, words: string, detail?: string, href?: string, group?: string, many?: string, stays?: boolean}} Toast */
/** @typedef {{element: HTMLElement, left: number, count: number}} Shown */

const MOST = 5
const MOST_STAYING = 50
const TICK = 250
const LASTS = { info: 6000, success: 6000, warning: 10_000, error: 15_000 }

export class ToastList extends HTMLElement {
  /** Oldest first, by group. @type {Map<string, Shown>} */
  #shown = new Map()
  #count = 0
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #clock

  connectedCallback() {
    this.setAttribute('aria-live', 'polite')
    document.addEventListener('keydown', this.#key)
  }

  disconnectedCallback() {
    document.removeEventListener('keydown', this.#key)
    clearInterval(this.#clock)
    this.#clock = undefined
  }

  /** Of the same `group` there is one, which counts: `many` are its words then, with `%` for how many. @param {Toast} toast */
  show({ level = 'info', words, detail = '', href = '', group = '', many = words, stays = false }) {
    this.#count += 1
    const key = group || `toast ${this.#count}`
    const count = (this.#shown.get(key)?.count ?? 0) + 1
    const element = this.#shown.get(key)?.element ?? this.#added(key)
    element.dataset.level = level
    write(element, count === 1 ? words : many.replace('%', String(count)), detail, href)
    this.#shown.set(key, { element, left: stays ? Number.POSITIVE_INFINITY : LASTS[level], count })
    this.#bound()
    // The newest is the lowest.
    this.scrollTop = this.scrollHeight
    this.#clock ??= setInterval(() => this.#tick(), TICK)
  }

  /** @param {string} key */
  #added(key) {
    const element = document.createElement('div')
    element.className = 'toast'
    element.innerHTML = '<b></b><p class="small"></p><button type="button" aria-label="Dismiss">×</button>'
    const button = /** @type {HTMLButtonElement} */ (element.querySelector('button'))
    button.onclick = () => this.#dismiss(key)
    this.append(element)
    return element
  }

  /** The oldest go when there are too many; what stays takes no room from what doesn't. */
  #bound() {
    const staying = [...this.#shown].filter(([, { left }]) => left === Number.POSITIVE_INFINITY).map(([key]) => key)
    const passing = [...this.#shown.keys()].filter((key) => !staying.includes(key))
    for (const key of [...staying.slice(0, -MOST_STAYING), ...passing.slice(0, -MOST)]) this.#dismiss(key)
  }

  #tick() {
    if (document.hidden || this.matches(':hover, :focus-within')) return
    for (const [key, shown] of this.#shown) {
      shown.left -= TICK
      if (shown.left <= 0) this.#dismiss(key)
    }
  }

  /** @param {string} key */
  #dismiss(key) {
    const element = this.#shown.get(key)?.element
    const wasHere = element?.contains(document.activeElement)
    this.#shown.delete(key)
    element?.remove()
    if (wasHere)
      /** @type {HTMLElement | null} */ (this.querySelector('button') ?? document.querySelector('main'))?.focus()
    if (this.#shown.size) return
    clearInterval(this.#clock)
    this.#clock = undefined
  }

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented || document.querySelector('dialog[open], :popover-open'))
      return
    const focused = [...this.#shown].find(([, { element }]) => element.contains(document.activeElement))
    const [key] = focused ?? [...this.#shown].at(-1) ?? []
    if (key) this.#dismiss(key)
  }
}

/** @param {HTMLElement} element @param {string} words @param {string} detail @param {string} href */
function write(element, words, detail, href) {
  const [title, more] = /** @type {HTMLElement[]} */ ([...element.children])
  title.textContent = words
  const link = href ? Object.assign(document.createElement('a'), { href, textContent: detail }) : detail
  more.replaceChildren(link)
  more.hidden = !detail
}

customElements.define('toast-list', ToastList)

/** Say something on this page. @param {Toast} toast */
export function toast(toast) {
  const list = document.querySelector('toast-list')
  if (list instanceof ToastList) list.show(toast)
}
