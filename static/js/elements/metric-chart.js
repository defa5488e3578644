// <metric-chart data-kind="line|bars" data-points="[[unix seconds…], [values…], …]" data-tones="ok bad"
// data-names="completed, failed">: a small chart in the colours of the theme. Its words for those who don't see it are
// the element's own label.

import uPlot from '/static/vendor/uplot.js'
import { colourOf, onThemeChange } from './theme.js'

const SOON = 50
const HALF_AN_HOUR = 1800
const SHORTEST = 120

export class MetricChart extends HTMLElement {
  static observedAttributes = ['data-points']

  /** @type {uPlot | null} */
  #plot = null
  #resized = new ResizeObserver(() => this.#fit())
  /** @type {(() => void) | null} */
  #stop = null
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #later

  connectedCallback() {
    this.#stop = onThemeChange(() => this.#drawAnew())
    this.#resized.observe(this)
    this.#drawAnew()
  }

  disconnectedCallback() {
    this.#stop?.()
    this.#resized.disconnect()
    clearTimeout(this.#later)
    this.#plot?.destroy()
    this.#plot = null
  }

  attributeChangedCallback() {
    clearTimeout(this.#later)
    this.#later = setTimeout(() => this.#plot?.setData(this.#data()), SOON)
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this
    if (this.#plot && width && (width !== this.#plot.width || height !== this.#plot.height)) {
      this.#plot.setSize({ width, height })
    }
  }

  #drawAnew() {
    this.#plot?.destroy()
    this.#plot = new uPlot(this.#options(), this.#data(), this)
  }

  /** Bars stand on each other: the first is drawn over the sum of both. @returns {uPlot.AlignedData} */
  #data() {
    const [times = [], ...values] = /** @type {number[][]} */ (JSON.parse(this.dataset.points || '[]'))
    if (this.dataset.kind !== 'bars') return [times, ...values]
    const sums = values.map((_, n) => times.map((_, at) => values.slice(0, n + 1).reduce((sum, v) => sum + v[at], 0)))
    return [times, ...sums.reverse()]
  }

  /** @returns {uPlot.Options} */
  #options() {
    const colour = (/** @type {string} */ token) => colourOf(this, token)
    const isBars = this.dataset.kind === 'bars'
    const tones = this.#words('tones')
    const series = (isBars ? tones.toReversed() : tones).map((tone) =>
      isBars
        ? { fill: colour(tone), width: 0, paths: uPlot.paths.bars?.({ size: [0.7, 24] }), points: { show: false } }
        : { stroke: colour(tone), fill: faint(colour(tone)), width: 1.5, points: { show: false } },
    )
    const axis = {
      stroke: colour('muted'),
      font: '12px system-ui, sans-serif',
      grid: { stroke: colour('line'), width: 1 },
      ticks: { show: false },
    }
    return {
      width: this.clientWidth || 300,
      height: this.clientHeight || 140,
      // To the right, the last time has room for its half.
      padding: [8, 18, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: !isBars } },
      scales: {
        x: { range: (_, first, last) => (isBars ? [first - HALF_AN_HOUR, last + HALF_AN_HOUR] : spanOf(first, last)) },
        y: { range: (_, __, most) => [0, Math.max(isBars ? 4 : 1, (most || 0) * 1.1)] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 24,
          space: 70,
          values: (_, times) => times.map((at) => (at % 60 ? '' : timeOf(at))),
        },
        { ...axis, size: 36, space: 36, incrs: isBars ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000] : undefined },
      ],
      series: [{}, ...series],
      hooks: { setCursor: [(plot) => this.#point(plot)] },
    }
  }

  /** Say what is under the pointer. @param {uPlot} plot */
  #point({ cursor: { idx } }) {
    const [times = [], ...values] = /** @type {number[][]} */ (JSON.parse(this.dataset.points || '[]'))
    if (idx == null || times[idx] === undefined) {
      this.removeAttribute('data-at')
      return
    }
    const words = this.#words('names', ',').map((name, n) => `${values[n][idx].toLocaleString()} ${name}`)
    this.dataset.at = `${timeOf(times[idx])} · ${words.join(', ')}`
  }

  /** @param {string} name @param {string} [separator] */
  #words(name, separator = ' ') {
    return (this.dataset[name] ?? '').split(separator).map((word) => word.trim())
  }
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

/** What is new is at the right, also while there is little. @param {number} first @param {number} last @returns {[number, number]} */
function spanOf(first, last) {
  const end = last || Date.now() / 1000
  return [Math.min(first || end, end - SHORTEST), end]
}

/** @param {number} seconds */
function timeOf(seconds) {
  return TIME.format(seconds * 1000)
}

/** @param {string} colour as computed: rgb(…) or color(…) */
function faint(colour) {
  return `color-mix(in oklab, ${colour} 18%, transparent)`
}

customElements.define('metric-chart', MetricChart)
