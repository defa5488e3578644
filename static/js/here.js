// The client of this page. The server has written into the page who looks at it, and up to which event of each topic the
// page is true; from there on it is kept true.

import { Client } from './realtime/client.js'

const { user = '', csrf = '', transport = 'auto' } = document.body.dataset

export const client = new Client({ user, csrf, transport: /** @type {'auto' | 'socket' | 'poll'} */ (transport) })

/** The topics that the page was written with. */
export const feeds = Array.from(document.querySelectorAll('[data-topic]'), followFrom)

// Events between then and now can't be had any more: the page is written anew.
for (const feed of feeds) feed.on('reset', reloadOnce)

/** @param {Element} element */
function followFrom(element) {
  const { topic = '', epoch, seq } = /** @type {HTMLElement} */ (element).dataset
  return client.follow(topic, { epoch: epoch || null, seq: Number(seq) })
}

function reloadOnce() {
  const reloadedAt = Number(sessionStorage.getItem('reloaded-at'))
  if (Date.now() - reloadedAt < 10_000) return
  sessionStorage.setItem('reloaded-at', String(Date.now()))
  location.reload()
}
