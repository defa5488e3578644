// <spark-line>: the last values of something as a small line. `spark.show(values, floor)`: what is below `floor` at its
// highest fills the height only in part, so that noise doesn't look like news.

const SVG = 'http://www.w3.org/2000/svg'
const WIDTH = 100
const HEIGHT = 24

export class SparkLine extends HTMLElement {
  #line = document.createElementNS(SVG, 'polyline')
  #area = document.createElementNS(SVG, 'polygon')

  connectedCallback() {
    const svg = document.createElementNS(SVG, 'svg')
    svg.setAttribute('viewBox', `0 -1 ${WIDTH} ${HEIGHT + 2}`)
    svg.setAttribute('preserveAspectRatio', 'none')
    svg.ariaHidden = 'true'
    svg.append(this.#area, this.#line)
    this.replaceChildren(svg)
  }

  /** @param {number[]} values oldest first @param {number} floor @param {number} [most] how many fill the width */
  show(values, floor, most = 60) {
    const highest = Math.max(floor, ...values)
    const step = WIDTH / (most - 1)
    const from = WIDTH - (values.length - 1) * step
    const points = values.map(
      (value, n) => `${(from + n * step).toFixed(1)},${(HEIGHT * (1 - value / highest)).toFixed(1)}`,
    )
    this.#line.setAttribute('points', points.join(' '))
    this.#area.setAttribute(
      'points',
      values.length ? `${from.toFixed(1)},${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}` : '',
    )
  }
}

customElements.define('spark-line', SparkLine)
