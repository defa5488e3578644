// Rows in which a selection begins or ends: without them it would be lost, so they stay although they are not seen.

export class LogPins {
  /** @type {Set<Element>} */
  #rows = new Set()
  #sheet
  #selects = () => this.#selected()

  /** @param {Element} sheet that holds the rows */
  constructor(sheet) {
    this.#sheet = sheet
  }

  get any() {
    return this.#rows.size > 0
  }

  /** @param {Element} row */
  has(row) {
    return this.#rows.has(row)
  }

  connect() {
    document.addEventListener('selectionchange', this.#selects)
  }

  disconnect() {
    document.removeEventListener('selectionchange', this.#selects)
  }

  #selected() {
    const selection = document.getSelection()
    const nodes = selection && !selection.isCollapsed ? [selection.anchorNode, selection.focusNode] : []
    this.#rows.clear()
    for (const node of nodes) {
      const element = node instanceof Element ? node : node?.parentElement
      const row = element?.closest('.line')
      if (row && this.#sheet.contains(row)) this.#rows.add(row)
    }
  }
}
