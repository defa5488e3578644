// The page's colours for a terminal, which wants them as plain numbers.

const ANSI = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white']

/** @param {HTMLElement} place where the custom properties are in force */
export function themeOf(place) {
  const probe = document.createElement('span')
  place.append(probe)
  const colour = (/** @type {string} */ name) => {
    probe.style.color = `var(${name})`
    return getComputedStyle(probe).color
  }
  /** @type {Record<string, string>} */
  const theme = {
    background: colour('--well'),
    foreground: colour('--text'),
    cursor: colour('--accent'),
    cursorAccent: colour('--well'),
    selectionBackground: colour('--accent'),
    selectionForeground: colour('--on-accent'),
  }
  ANSI.forEach((name, n) => {
    theme[name] = colour(`--ansi-${n}`)
    theme[`bright${name[0].toUpperCase()}${name.slice(1)}`] = colour(`--ansi-${n + 8}`)
  })
  probe.remove()
  return theme
}
