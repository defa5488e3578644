// Browsers keep pages to go back to, alive or as they were sent. One that comes back is shown only to whom it was written
// for: the server names a login in each of its pages and in a cookie, and logging out takes the cookie away.

const COOKIE = 'login'

/** Whether this page was written for the login that the browser has now. */
export function isStillOurs() {
  const { session } = document.body.dataset
  return !session || document.cookie.split('; ').includes(`${COOKIE}=${session}`)
}

/** Whether somebody went back or forward to a page that was not kept alive. */
export function isFromHistory() {
  const [how] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType('navigation'))
  return how?.type === 'back_forward'
}

/** Have the server write the page for whoever is here now; until then nothing of it is seen. */
export function writeAnew() {
  document.documentElement.hidden = true
  location.reload()
}
