// Tells the server what went wrong in this page, if its operator wants to know: REPORT_CLIENT_ERRORS.

import { client } from './here.js'

const AT_MOST = 20
const TOGETHER_MS = 1000
const LONGEST = 2000

/** @typedef {{kind: string, message: string, where: string, stack: string}} Report */

/** @type {Report[]} */
let waiting = []
let told = 0

addEventListener('error', ({ message, filename = '', lineno, colno, error }) =>
  tell('error', message ?? '', `${filename}:${lineno}:${colno}`, error),
)
addEventListener('unhandledrejection', ({ reason }) => tell('rejection', String(reason?.message ?? reason), '', reason))
addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile, lineNumber }) =>
  tell('policy', `${violatedDirective} refuses ${blockedURI}`, `${sourceFile}:${lineNumber}`),
)

const { error: say } = console
console.error = (...words) => {
  say.apply(console, words)
  const error = words.find((word) => word instanceof Error)
  tell('console', words.map(String).join(' '), '', error)
}

/** @param {string} kind @param {string} message @param {string} where @param {unknown} [error] */
function tell(kind, message, where, error) {
  if (told >= AT_MOST) return
  told += 1
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  waiting.push({ kind, message: cut(message), where: cut(where), stack: cut(stack) })
  if (waiting.length === 1) setTimeout(send, TOGETHER_MS)
}

async function send() {
  const reports = waiting
  waiting = []
  // What can't be told is not worth another error.
  await client.api.post('api/v1/client-errors/', { page: location.pathname, reports }).catch(() => {})
}

/** @param {string} text */
function cut(text) {
  return text.slice(0, LONGEST)
}
