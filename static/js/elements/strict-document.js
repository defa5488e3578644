// xterm.js writes <style> elements and style attributes, which our content policy forbids, and rightly so. It is lent a
// document that does the same by the ways that are allowed: constructed style sheets, and the style property.

/** @param {Document} real @returns {Document} */
export function strictDocument(real) {
  const created = createElementOf(real)
  return new Proxy(real, {
    get(target, name) {
      if (name === 'createElement') return created
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
}

/** Do `work` while the page's own document is strict too: xterm.js asks it for some of its elements. @param {() => void} work */
export function withStrictDocument(work) {
  document.createElement = /** @type {typeof document.createElement} */ (createElementOf(document))
  try {
    work()
  } finally {
    // What hid the prototype's own method is gone again.
    Reflect.deleteProperty(document, 'createElement')
  }
}

/** Rows are made with the page's own document, whatever was lent; this part of xterm.js has no public name. @param {any} terminal @param {Document} lent */
export function lendToRows(terminal, lent) {
  const rows = terminal._core?._renderService?._renderer?.value?._rowFactory
  if (rows) rows._document = lent
}

/** @param {Document} real */
function createElementOf(real) {
  const create = Document.prototype.createElement.bind(real)
  return (/** @type {string} */ name) => (name === 'style' ? sheetElement(create('template')) : withStyle(create(name)))
}

/** An element that shows nothing, and whose text is a style sheet of the document while it is in it. @param {HTMLElement} element */
function sheetElement(element) {
  const sheet = new CSSStyleSheet()
  const without = () => document.adoptedStyleSheets.filter((one) => one !== sheet)
  Object.defineProperty(element, 'textContent', {
    set(/** @type {string} */ text) {
      sheet.replaceSync(text)
      document.adoptedStyleSheets = [...without(), sheet]
    },
  })
  element.remove = () => {
    document.adoptedStyleSheets = without()
    HTMLElement.prototype.remove.call(element)
  }
  return element
}

/** @param {HTMLElement} element */
function withStyle(element) {
  element.setAttribute = (name, value) => {
    if (name === 'style') element.style.cssText = value
    else HTMLElement.prototype.setAttribute.call(element, name, value)
  }
  return element
}
