// The theme: what the system says, or what a person has chosen. The choice is a cookie, so that the server writes it
// into the page and nothing flashes.

const YEAR = 365 * 24 * 3600
const root = document.documentElement

/** @param {string} theme dark, light, or '' for the system's */
export function setTheme(theme) {
  if (theme) root.dataset.theme = theme
  else delete root.dataset.theme
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing on plain http and in Firefox
  document.cookie = `theme=${theme}; path=/; max-age=${theme ? YEAR : 0}; samesite=lax`
}

/** Be told when colours have changed. @param {() => void} listener */
export function onThemeChange(listener) {
  const system = matchMedia('(prefers-color-scheme: dark)')
  const observer = new MutationObserver(listener)
  system.addEventListener('change', listener)
  observer.observe(root, { attributeFilter: ['data-theme', 'style', 'class'] })
  return () => {
    system.removeEventListener('change', listener)
    observer.disconnect()
  }
}

/** A token's colour as it is now, for what is drawn and not styled. @param {HTMLElement} element @param {string} token */
export function colourOf(element, token) {
  const before = element.style.color
  element.style.color = `var(--${token})`
  const colour = getComputedStyle(element).color
  element.style.color = before
  return colour
}
