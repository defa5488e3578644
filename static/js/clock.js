// The server's clock. This device's own may be wrong by years: what time it is comes from the server with the page and
// with each event, and only how much has passed since is measured here. That misses the time for which this device slept,
// so the server is asked again by each ping.

/** Milliseconds between the epoch and this page's performance.now() = 0, as the server sees it. */
let offset = Number.NaN

/** The server said that it was `at` (ISO 8601, or milliseconds) when this page's clock showed `then`. It can only be later than we thought. @param {string | number | null | undefined} at @param {number} [then] */
export function serverSaid(at, then = performance.now()) {
  const said = (typeof at === 'number' ? at : Date.parse(at ?? '')) - then
  if (!Number.isNaN(said) && !(said <= offset)) offset = said
}

/** Milliseconds since the epoch, by the server's clock; by this device's, as long as the server has said nothing. */
export function serverNow() {
  return Number.isNaN(offset) ? Date.now() : offset + performance.now()
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })

/** A moment of this day, as it is written everywhere: `06:38`. @param {Date} at */
export function timeInWords(at) {
  return TIME.format(at)
}

/** Seconds as people say them: `0:07`, `12:30`, `1:02:03`. @param {number} seconds */
export function inMinutes(seconds) {
  const whole = Math.max(0, Math.floor(seconds))
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0')
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`
}

/** Seconds with as much exactness as they deserve: `0.4 s`, `12 s`, `3:20 min`. @param {number} seconds */
export function inWords(seconds) {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`
  return seconds < 60 ? `${Math.floor(seconds)} s` : `${inMinutes(seconds)} ${seconds < 3600 ? 'min' : 'h'}`
}

if (typeof document === 'object') {
  const [visit] = performance.getEntriesByType('navigation')
  const answered = /** @type {PerformanceNavigationTiming | undefined} */ (visit)?.responseStart
  serverSaid(document.body.dataset.now, answered ?? performance.now())
}
