// <time-span from="…" to="…">: how long it took; without `to`, how long it has gone on.

const EACH_SECOND = 1000

export class TimeSpan extends HTMLElement {
  static observedAttributes = ['from', 'to']

  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer

  connectedCallback() {
    this.#show()
  }

  disconnectedCallback() {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  attributeChangedCallback() {
    this.#show()
  }

  #show() {
    const from = Date.parse(this.getAttribute('from') ?? '')
    const to = Date.parse(this.getAttribute('to') ?? '')
    const goesOn = !Number.isNaN(from) && Number.isNaN(to) && this.isConnected
    if (Number.isNaN(from)) this.textContent = ''
    else this.textContent = inWords(Math.max(0, (Number.isNaN(to) ? Date.now() : to) - from))

    if (goesOn) this.#timer ??= setInterval(() => this.#show(), EACH_SECOND)
    else this.disconnectedCallback()
  }
}

/** @param {number} ms */
function inWords(ms) {
  const seconds = ms / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 60) return `${Math.floor(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  const rest = String(Math.floor(seconds % 60)).padStart(2, '0')
  return minutes < 60
    ? `${minutes}:${rest} min`
    : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')} h`
}

customElements.define('time-span', TimeSpan)
