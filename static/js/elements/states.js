// What states are called where people read them: the page was written with the same words (apps/pages/words.py).

const WORDS = /** @type {Record<string, string>} */ (JSON.parse(globalThis.document?.body?.dataset.words || '{}'))

/** @param {string} status as the wire says it */
export function stateInWords(status) {
  return WORDS[status] ?? status
}
