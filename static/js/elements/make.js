// An element with its facts and children in one line.

/** @template {keyof HTMLElementTagNameMap} K @param {K} name @param {Partial<HTMLElementTagNameMap[K]>} [facts] @param {(Node | string)[]} children @returns {HTMLElementTagNameMap[K]} */
export function make(name, facts = {}, ...children) {
  const element = Object.assign(document.createElement(name), facts)
  element.append(...children)
  return element
}
